#include "signfold/theory/pair_mix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/prior/mixture.h"

namespace signfold {
namespace {

TEST(PairMix, AgreesWithAnIndependentComputation) {
  // numpy, on a grid of 46 angles and 181 mixes: it cannot be below, and is above by the square of its steps.
  struct Row {
    double p, risk;
  };
  for (const Row& row : {Row{0.35, 0.36325}, Row{0.4, 0.35933}, Row{0.5, 0.33428}, Row{0.6, 0.28769}, Row{0.7, 0.23187},
                         Row{0.8, 0.16701}, Row{0.9, 0.09096}}) {
    const PairOptimum best = optimal_pair_mix(*make_sparse_rademacher(row.p), 1);
    EXPECT_LE(best.mix.risk, row.risk + 5e-6) << "p = " << row.p;  // it was printed to five digits
    EXPECT_NEAR(best.mix.risk, row.risk, 2e-4) << "p = " << row.p;
    EXPECT_LT(best.mix.risk, optimal_mix(*make_sparse_rademacher(row.p), 1).risk);
  }
}

TEST(PairMix, WithoutTheDelocalisedPartHasAClosedForm) {
  // E|cos θ x + sin θ x'| = √p (cos θ + (1 − p) sin θ) for sparse Rademacher x: at best tan θ = 1 − p.
  for (const double p : {0.6, 0.8, 0.95}) {
    const PriorPtr pair = rotated_pair(*make_sparse_rademacher(p), std::atan(1 - p));
    EXPECT_NEAR(mixed_risk(*pair, 1, 1), 1 - p * (1 + (1 - p) * (1 - p)), 1e-12);
  }
  const PairOptimum dense = optimal_pair_mix(*make_sparse_rademacher(0.95), 1);
  EXPECT_NEAR(std::tan(dense.angle), 0.05,
              5e-3);  // with hardly anything delocalised; θ is found to 1e-4, the rest is m
}

TEST(PairMix, LeavesSparseSourcesToTheRotation) {
  const PairOptimum best = optimal_pair_mix(*make_sparse_rademacher(0.2), 1);
  EXPECT_EQ(best.mix.m, 0);
  EXPECT_NEAR(best.mix.risk, 1 - 2 / std::acos(-1.0), 1e-12);
}

TEST(PairMix, IsTheErrorOfASimulation) {
  constexpr std::uint64_t kSeed = 20240611;
  constexpr std::size_t kDim = 256;
  constexpr std::size_t kSamples = 200;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  const PriorPtr prior = make_sparse_rademacher(0.6);
  const PairOptimum best = optimal_pair_mix(*prior, 1);
  RandomStream stream(kSeed, Purpose::test);
  Matrix<double> q(kDim, kDim);
  for (double& v : q.values()) v = stream.normal();
  orthonormalize_rows(q.view());
  Matrix<double> jq(kDim, kDim);
  for (std::size_t i = 0; i < kDim; i += 2) {
    std::ranges::copy(q.row(i + 1), jq.row(i).begin());
    std::ranges::transform(q.row(i), jq.row(i + 1).begin(), [](double v) { return -v; });
  }
  Matrix<double> mixed(kDim, kDim);
  gemm(true, false, std::sqrt(1 - best.mix.m * best.mix.m), q, jq, 0, mixed.view());
  for (std::size_t i = 0; i < kDim; ++i) mixed(i, i) += best.mix.m;
  Matrix<double> b(kDim, kDim);
  for (std::size_t i = 0; i < kDim; i += 2) {
    for (std::size_t j = 0; j < kDim; ++j) {
      b(i, j) = std::cos(best.angle) * mixed(i, j) + std::sin(best.angle) * mixed(i + 1, j);
      b(i + 1, j) = std::cos(best.angle) * mixed(i + 1, j) - std::sin(best.angle) * mixed(i, j);
    }
  }
  Matrix<double> x(kSamples, kDim);
  for (double& v : x.values()) v = prior->sample(stream);
  Matrix<double> z(kSamples, kDim);
  gemm(false, true, 1, x, b, 0, z.view());
  for (double& v : z.values()) v = v >= 0 ? 1 : -1;
  Matrix<double> y(kSamples, kDim);
  gemm(false, false, best.mix.psi, z, b, 0, y.view());
  double mean = 0;
  double squares = 0;
  for (std::size_t s = 0; s < kSamples; ++s) {
    double risk = 0;
    for (std::size_t j = 0; j < kDim; ++j) risk += std::pow(x(s, j) - y(s, j), 2) / kDim;
    mean += risk / kSamples;
    squares += risk * risk / kSamples;
  }
  const double error = std::sqrt((squares - mean * mean) / kSamples);
  // 5 sigma over the vectors, and what one K of dimension d deviates from the limit: order 1/d.
  EXPECT_NEAR(mean, best.mix.risk, 5 * error + 1.0 / kDim);
}

TEST(PairMix, RefusesWhatItCannotDo) {
  EXPECT_THROW(rotated_pair(*make_sparse_gaussian(0.5), 0.1), Error);
  for (const double rate : {0.0, 1.5, std::nan("")}) {
    EXPECT_THROW(optimal_pair_mix(*make_sparse_rademacher(0.5), rate), Error);
  }
}

}  // namespace
}  // namespace signfold
