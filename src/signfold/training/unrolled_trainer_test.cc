#include "signfold/training/unrolled_trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/encoder/dense.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {

constexpr std::size_t kDim = 32;
constexpr int kLayers = 3;

/// Sparse Gaussian vectors of few coordinates, where theory of many is off by some percent.
struct Problem {
  Problem() : law(iid_prior(prior)), start(unroll(state_evolution(law, 1, kLayers))) {
    held_out = vectors(1 << 20, 1500);
    fresh = vectors(1 << 21, 4000);
  }
  HeldOut vectors(std::uint64_t first, std::size_t count) const {
    HeldOut out{Matrix<float>(count, kDim), std::vector<double>(count)};
    draw(first, out.x, out.weights);
    return out;
  }
  UnrolledSetting setting() const { return {*encoder, *basis, law, 3}; }

  PriorPtr prior = parse_prior("sparse-gaussian:0.15");
  VectorPrior law;
  EncoderPtr encoder = make_encoder("hadamard", {.dim = kDim, .bits = kDim}, 4);
  BasisPtr basis = make_basis("identity", kDim);
  UnrolledDecoder start;
  Draw draw = draw_from_prior(prior, 8, false);
  HeldOut held_out, fresh;
};

UnrolledState trained(const Problem& problem, const UnrolledOptions& options, Team& team, UnrolledDecoder* result) {
  UnrolledTrainer trainer(problem.setting(), options, kLayers, problem.draw, problem.held_out, team);
  UnrolledState state = trainer.start(problem.start);
  while (state.step < options.steps) trainer.step(state);
  if (result != nullptr) *result = trainer.finish(state, problem.fresh);
  return state;
}

class EveryMatrix : public testing::TestWithParam<UnrolledMatrix> {};

TEST_P(EveryMatrix, LowersTheRiskOnVectorsItHasNotSeen) {
  const Problem problem;
  UnrolledOptions options;
  options.matrix = GetParam();
  options.splines = true;
  options.orthonormal = true;
  options.steps = 120;
  options.step_size = 0.02;
  Team team(2);
  UnrolledTrainer trainer(problem.setting(), options, kLayers, problem.draw, problem.held_out, team);
  const double before = trainer.risks(trainer.start(problem.start).decoder, problem.fresh).back();
  UnrolledDecoder result;
  const UnrolledState state = trained(problem, options, team, &result);
  EXPECT_LT(result.layers.back().risk, 0.985 * before);
  EXPECT_LE(state.best_risk, state.start_risk);
  EXPECT_EQ(result.matrix.empty(), GetParam() == UnrolledMatrix::frozen);
}

TEST_P(EveryMatrix, GivesTheSameBytesForAnyNumberOfThreads) {
  const Problem problem;
  UnrolledOptions options;
  options.matrix = GetParam();
  options.splines = true;
  options.steps = 4;
  std::vector<std::vector<double>> all;
  for (const int threads : {1, 3}) {
    Team team(threads);
    const UnrolledState state = trained(problem, options, team, nullptr);
    all.push_back(unrolled_parameters(state.decoder));
    for (const float v : state.decoder.matrix.values()) all.back().push_back(static_cast<double>(v));
  }
  EXPECT_EQ(all[0], all[1]);
}

INSTANTIATE_TEST_SUITE_P(Choices, EveryMatrix,
                         testing::Values(UnrolledMatrix::frozen, UnrolledMatrix::own, UnrolledMatrix::joint));

TEST(UnrolledTrainer, KeepsTheStartWhereTrainingMakesItWorse) {
  const Problem problem;
  UnrolledOptions options;
  options.steps = 3;
  options.batch = 2;
  options.step_size = 0.5;
  Team team(1);
  UnrolledDecoder result;
  const UnrolledState state = trained(problem, options, team, &result);
  EXPECT_EQ(state.best_step, 0U);
  EXPECT_EQ(unrolled_parameters(result), unrolled_parameters(problem.start));
}

TEST(UnrolledTrainer, JointTrainingKeepsRowsOrthonormalWhereAsked) {
  const Problem problem;
  UnrolledOptions options;
  options.matrix = UnrolledMatrix::joint;
  options.orthonormal = true;
  options.steps = 10;
  options.matrix_step_size = 0.01;
  Team team(1);
  const UnrolledState state = trained(problem, options, team, nullptr);
  const Matrix<float>& b = state.decoder.matrix;
  const Matrix<float> start = explicit_matrix(*problem.encoder);
  double moved = 0;
  for (std::size_t i = 0; i < kDim; ++i) {
    for (std::size_t k = 0; k < kDim; ++k) {
      double product = 0;
      for (std::size_t j = 0; j < kDim; ++j) product += static_cast<double>(b(i, j) * b(k, j));
      EXPECT_NEAR(product, i == k ? 1 : 0, 2e-2);
      moved = std::max(moved, static_cast<double>(std::abs(b(i, k) - start(i, k))));
    }
  }
  EXPECT_GT(moved, 1e-3);
}

TEST(DrawFromRows, VisitsEveryRowOncePerPass) {
  Matrix<float> rows(7, 2);
  std::vector<double> weights(7);
  for (std::size_t i = 0; i < 7; ++i) weights[i] = static_cast<double>(rows(i, 0) = static_cast<float>(i));
  const Draw draw = draw_from_rows(rows, weights, 3);
  Matrix<float> x(21, 2);
  std::vector<double> w(21);
  draw(0, x, w);
  std::vector<int> visits(7);
  for (std::size_t i = 0; i < 21; ++i) {
    ++visits[static_cast<std::size_t>(x(i, 0))];
    EXPECT_EQ(w[i], static_cast<double>(x(i, 0)));
    if (i == 6) {
      EXPECT_EQ(visits, std::vector<int>(7, 1));
    }
  }
  EXPECT_EQ(visits, std::vector<int>(7, 3));
  Matrix<float> later(3, 2);
  std::vector<double> unused(3);
  draw(5, later, unused);  // a pure function of the number
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(later(i, 0), x(5 + i, 0));
}

TEST(DrawFromPrior, NormedVectorsHaveUnitMeanSquareAndTheirEnergyAsWeight) {
  const Draw draw = draw_from_prior(parse_prior("sparse-gaussian:0.3"), 3, true);
  const Draw raw = draw_from_prior(parse_prior("sparse-gaussian:0.3"), 3, false);
  Matrix<float> x(6, 40);
  Matrix<float> y(6, 40);
  std::vector<double> weights(6);
  std::vector<double> ones(6);
  draw(11, x, weights);
  raw(11, y, ones);
  for (std::size_t i = 0; i < 6; ++i) {
    double energy = 0;
    double of_raw = 0;
    for (std::size_t j = 0; j < 40; ++j) {
      energy += std::pow(static_cast<double>(x(i, j)), 2) / 40;
      of_raw += std::pow(static_cast<double>(y(i, j)), 2) / 40;
    }
    EXPECT_NEAR(energy, 1, 1e-5);
    EXPECT_NEAR(weights[i], of_raw, 1e-5 * of_raw);
    EXPECT_EQ(ones[i], 1);
  }
}

TEST(UnrolledTrainer, RefusesOptionsThatMakeNoSense) {
  const Problem problem;
  Team team(1);
  const auto refuse = [&](const auto& spoil) {
    UnrolledOptions options;
    spoil(options);
    EXPECT_THROW(UnrolledTrainer(problem.setting(), options, kLayers, problem.draw, problem.held_out, team), Error);
  };
  refuse([](UnrolledOptions& o) { o.steps = 0; });
  refuse([](UnrolledOptions& o) { o.batch = 1; });
  refuse([](UnrolledOptions& o) { o.step_size = -1; });
  refuse([](UnrolledOptions& o) { o.tau = 0; });
  EXPECT_THROW(check_unrolled_options({.orthonormal = true}, 10, 5), Error);
  const HeldOut none;
  EXPECT_THROW(UnrolledTrainer(problem.setting(), {}, kLayers, problem.draw, none, team), Error);
}

}  // namespace
}  // namespace signfold
