#include "signfold/training/unrolled_gradient.h"

#include <gtest/gtest.h>

#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/decoder/network.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kBits = 12;
constexpr std::size_t kLayers = 4;
constexpr std::size_t kRows = 40;  // more than one block

/// A decoder of several layers in which nothing is zero, and vectors with their codes.
struct Problem {
  explicit Problem(bool matrix, bool profile)
      : basis(make_basis(profile ? "dct2:4x4" : "identity", kDim)),
        encoder(make_haar({.dim = kDim, .bits = kBits}, 3)),
        prior(iid_prior(parse_prior("sparse-gaussian:0.3"))),
        x(kRows, kDim),
        codes(kRows, code_bytes(kBits)),
        weights(kRows) {
    if (profile) {
      for (std::size_t j = 0; j < kDim; ++j) {
        prior.offset.push_back(0.05F * static_cast<float>(j % 3));
        prior.scale.push_back(j == 5 ? 0.0F : 0.5F + 0.1F * static_cast<float>(j % 7));
      }
    }
    decoder =
        unroll(state_evolution(iid_prior(parse_prior("sparse-gaussian:0.3")), encoder->shape().rate(), kLayers, 0));
    RandomStream stream(7, Purpose::start, 0);
    for (UnrolledLayer& layer : decoder.layers) {
      layer.input_memory += 0.1;
      layer.output_memory -= 0.1;
      // Half-way between two tables: derivatives there do not depend on the side.
      layer.precision =
          std::exp(PosteriorTables::kStep * (std::floor(std::log(layer.precision) / PosteriorTables::kStep) + 0.5));
      layer.mean_spline = make_spline(-4, 4, 6);
      layer.score_spline = make_spline(-2, 3, 5);
      for (double& w : layer.mean_spline.weights) w = 0.2 * stream.normal();
      for (double& w : layer.score_spline.weights) w = 0.2 * stream.normal();
    }
    if (matrix) decoder.matrix = explicit_matrix(*encoder);
    for (std::size_t i = 0; i < kRows; ++i) {
      for (float& v : x.row(i)) v = static_cast<float>(stream.normal());
      weights[i] = 0.5 + stream.uniform();
    }
    Matrix<float> outside(kRows, kDim);
    basis->inverse(x, outside);
    encoder->encode(outside, codes);
  }
  UnrolledSetting setting() const { return {*encoder, *basis, prior, 3}; }

  BasisPtr basis;
  EncoderPtr encoder;
  VectorPrior prior;
  UnrolledDecoder decoder;
  Matrix<float> x;
  Matrix<std::uint8_t> codes;
  std::vector<double> weights;
};

double loss(const Problem& problem, const UnrolledDecoder& decoder, Team& team) {
  UnrolledGradient pass(problem.setting(), kLayers, kRows, team);
  const Matrix<double> errors = pass.errors(decoder, problem.codes, problem.x, problem.weights);
  double error = 0;
  double energy = 0;
  for (std::size_t i = 0; i < kRows; ++i) {
    error += errors(i, kLayers - 1);
    for (const float v : problem.x.row(i)) energy += problem.weights[i] * static_cast<double>(v * v);
  }
  return error / energy;
}

struct Case {
  bool matrix;
  bool profile;
};
class UnrolledGradients : public testing::TestWithParam<Case> {};

// Central differences of step 2e-3; float32 sums leave about 1e-6 of the loss, divided by the step 3e-4, and the
// third derivative times 4e-6.
TEST_P(UnrolledGradients, OfScalarsAreDifferencesOfTheLoss) {
  const Problem problem(GetParam().matrix, GetParam().profile);
  Team team(2);
  UnrolledGradient pass(problem.setting(), kLayers, kRows, team);
  const std::vector<double> parameters = unrolled_parameters(problem.decoder);
  std::vector<double> gradient(parameters.size());
  Matrix<float> matrix(kBits, kDim);
  const double value = pass.gradient(problem.decoder, problem.codes, problem.x, problem.weights, gradient,
                                     GetParam().matrix ? &matrix : nullptr);
  EXPECT_NEAR(value, loss(problem, problem.decoder, team), 1e-6);
  constexpr double kStep = 2e-3;
  double largest = 0;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    UnrolledDecoder changed = problem.decoder.clone();
    std::vector<double> moved = parameters;
    moved[k] += kStep;
    set_unrolled_parameters(moved, changed);
    const double up = loss(problem, changed, team);
    moved[k] -= 2 * kStep;
    set_unrolled_parameters(moved, changed);
    const double down = loss(problem, changed, team);
    EXPECT_NEAR(gradient[k], (up - down) / (2 * kStep), 3e-4) << "parameter " << k;
    largest = std::max(largest, std::abs(gradient[k]));
  }
  EXPECT_GT(largest, 0.1);
}

TEST(UnrolledGradients, OfTheMatrixAreDifferencesOfTheLoss) {
  for (const bool profile : {false, true}) {
    const Problem problem(true, profile);
    Team team(2);
    UnrolledGradient pass(problem.setting(), kLayers, kRows, team);
    std::vector<double> gradient(unrolled_parameters(problem.decoder).size());
    Matrix<float> matrix(kBits, kDim);
    pass.gradient(problem.decoder, problem.codes, problem.x, problem.weights, gradient, &matrix);
    constexpr float kStep = 4e-3F;
    for (std::size_t k = 0; k < matrix.size(); k += 7) {
      UnrolledDecoder changed = problem.decoder.clone();
      changed.matrix.data()[k] += kStep;
      const double up = loss(problem, changed, team);
      changed.matrix.data()[k] -= 2 * kStep;
      const double down = loss(problem, changed, team);
      EXPECT_NEAR(matrix.data()[k], (up - down) / (2 * static_cast<double>(kStep)), 5e-4) << "entry " << k;
    }
  }
}

// The bits are moved off ±1: the score is then z·(H(zĝ) + δ(zĝ)) of any real z.
TEST(UnrolledGradients, OfTheBitsAgreeWithTheMatrixAtTheFirstLayer) {
  // With one layer and ĝ = 0, x̂ = η(c z·B): the derivative in z is that in y times c B, which the derivative in the
  // matrix also is made of: Σ_i z_i ∂/∂z_i = Σ_ij B_ij ∂/∂B_ij, as both scale z·B alike.
  Problem problem(true, false);
  problem.decoder.layers.resize(1);
  problem.decoder.layers[0].score_spline = {};
  Team team(1);
  UnrolledGradient pass(problem.setting(), 1, kRows, team);
  std::vector<double> gradient(unrolled_parameters(problem.decoder).size());
  Matrix<float> matrix(kBits, kDim);
  Matrix<float> signs(kRows, kBits);
  pass.gradient(problem.decoder, problem.codes, problem.x, problem.weights, gradient, &matrix, &signs);
  double by_signs = 0;
  Matrix<float> z(kRows, kBits);
  for (std::size_t i = 0; i < kRows; ++i) simd::unpack_signs(problem.codes.row(i), 1, z.row(i));
  for (std::size_t k = 0; k < z.size(); ++k) by_signs += static_cast<double>(z.data()[k] * signs.data()[k]);
  double by_matrix = 0;
  for (std::size_t k = 0; k < matrix.size(); ++k) {
    by_matrix += static_cast<double>(problem.decoder.matrix.data()[k] * matrix.data()[k]);
  }
  EXPECT_NEAR(by_signs, by_matrix, 1e-5);
  EXPECT_GT(std::abs(by_signs), 1e-2);
}

TEST_P(UnrolledGradients, DoNotDependOnThreads) {
  const Problem problem(GetParam().matrix, GetParam().profile);
  std::vector<std::vector<double>> all;
  for (const int threads : {1, 2, 5}) {
    Team team(threads);
    UnrolledGradient pass(problem.setting(), kLayers, kRows, team);
    all.emplace_back(unrolled_parameters(problem.decoder).size());
    pass.gradient(problem.decoder, problem.codes, problem.x, problem.weights, all.back());
  }
  EXPECT_EQ(all[0], all[1]);
  EXPECT_EQ(all[0], all[2]);
}

// What is trained is what decodes: the same estimates as the network's, up to the interpolation between tables.
TEST_P(UnrolledGradients, AreOfTheDecoderThatIsStored) {
  const Problem problem(GetParam().matrix, GetParam().profile);
  Team team(1);
  UnrolledGradient pass(problem.setting(), kLayers, kRows, team);
  const Matrix<double> errors = pass.errors(problem.decoder, problem.codes, problem.x, problem.weights);
  NetworkParameters parameters;
  parameters.prior = problem.prior;
  parameters.unrolled = problem.decoder.clone();
  const Network network(problem.encoder, problem.basis, std::move(parameters));
  Matrix<float> outside(kRows, kDim);
  problem.basis->inverse(problem.x, outside);
  const std::vector<float> ones(kRows, 1.0F);
  network.decode_layers(problem.codes, ones, [&](int layer, std::size_t first, MatrixView<const float> estimate) {
    if (layer == 0) return;
    for (std::size_t i = 0; i < estimate.rows; ++i) {
      double error = 0;
      for (std::size_t j = 0; j < kDim; ++j)
        error += std::pow(static_cast<double>(estimate(i, j) - outside(first + i, j)), 2);
      const double expected = errors(first + i, static_cast<std::size_t>(layer - 1)) / problem.weights[first + i];
      EXPECT_NEAR(error, expected, 5e-3 * (1 + expected));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Cases, UnrolledGradients,
                         testing::Values(Case{false, false}, Case{false, true}, Case{true, false}, Case{true, true}));

TEST(UnrolledGradients, RefuseShapesThatDoNotFit) {
  const Problem problem(false, false);
  Team team(1);
  UnrolledGradient pass(problem.setting(), kLayers, kRows, team);
  std::vector<double> gradient(3);
  EXPECT_THROW(pass.gradient(problem.decoder, problem.codes, problem.x, problem.weights, gradient), Error);
  const Matrix<float> narrow(kRows, kDim - 1);
  EXPECT_THROW(pass.errors(problem.decoder, problem.codes, narrow, problem.weights), Error);
  UnrolledDecoder shorter = problem.decoder.clone();
  shorter.layers.pop_back();
  EXPECT_THROW(pass.errors(shorter, problem.codes, problem.x, problem.weights), Error);
  EXPECT_THROW(set_unrolled_parameters(gradient, shorter), Error);
}

}  // namespace
}  // namespace signfold
