#include "signfold/theory/mixed_denoiser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"

namespace signfold {
namespace {

TEST(TwoInputDenoiser, AgreesWithAnIndependentComputation) {
  // numpy and scipy: the sum over three atoms, the integral by the trapezoid rule with 8001 points on ±12.
  struct Row {
    double p, m, risk;
  };
  for (const Row& row :
       {Row{0.4, 0.6652201673322009, 0.3438138021829175}, Row{0.5, 0.8498923150964142, 0.32815202328293946},
        Row{0.64, 0.9406410970756438, 0.27068193889608816}, Row{0.8, 0.9844546548257206, 0.17120935526553832}}) {
    const double risk = TwoInputDenoiser(*make_sparse_rademacher(row.p), row.m).risk();
    EXPECT_NEAR(risk, row.risk, 1e-8) << "p = " << row.p;  // the trapezoid's error, seen by halving its step
  }
}

TEST(TwoInputDenoiser, WithoutTheIdentityIsTheDenoiserOfARotation) {
  for (const PriorPtr& prior : {make_sparse_rademacher(0.3), make_sparse_gaussian(0.3), make_sparse_laplace(0.5)}) {
    const double precision = 1 / linear_risk_limit(1) - 1;
    const TwoInputDenoiser denoiser(*prior, 0);
    EXPECT_NEAR(denoiser.risk(), prior->mmse(precision), 1e-6) << prior->name();  // panels of the continuous law
    for (const double y : {-2.0, -0.3, 0.0, 1.5}) {
      const double x = prior->posterior(y / std::sqrt(1 - linear_risk_limit(1)), precision).mean;  // gain √(2/π)
      EXPECT_NEAR(denoiser.posterior_mean(y, true), x, 1e-6) << prior->name() << ' ' << y;
      EXPECT_NEAR(denoiser.posterior_mean(y, false), x, 1e-6) << prior->name() << ' ' << y;
    }
  }
}

TEST(TwoInputDenoiser, BeatsTheLinearDecoderAndIsOdd) {
  for (const PriorPtr& prior : {make_sparse_rademacher(0.5), make_sparse_rademacher(0.8), make_sparse_gaussian(0.4)}) {
    for (const double m : {0.2, 0.95}) {
      const TwoInputDenoiser denoiser(*prior, m);
      EXPECT_LT(denoiser.risk(), mixed_risk(*prior, m, 1)) << prior->name() << ' ' << m;
      for (const double y : {-1.0, 0.2, 3.0}) {
        EXPECT_NEAR(denoiser.posterior_mean(y, true), -denoiser.posterior_mean(-y, false), 1e-12);
      }
      EXPECT_GT(denoiser.posterior_mean(0.5, true), denoiser.posterior_mean(-0.5, false));
    }
  }
}

/// mI + √(1−m²)·QᵀJQ with a Haar Q and J = blocks [[0, 1], [−1, 0]].
Matrix<double> haar_mix(std::size_t d, double m, std::uint64_t seed) {
  RandomStream stream(seed, Purpose::test);
  Matrix<double> q(d, d);
  for (double& v : q.values()) v = stream.normal();
  orthonormalize_rows(q.view());
  Matrix<double> jq(d, d);
  for (std::size_t i = 0; i < d; i += 2) {
    std::ranges::copy(q.row(i + 1), jq.row(i).begin());
    std::ranges::transform(q.row(i), jq.row(i + 1).begin(), [](double v) { return -v; });
  }
  Matrix<double> b(d, d);
  gemm(true, false, std::sqrt(1 - m * m), q, jq, 0, b.view());
  for (std::size_t i = 0; i < d; ++i) b(i, i) += m;
  return b;
}

TEST(TwoInputDenoiser, IsTheErrorOfASimulation) {
  constexpr std::uint64_t kSeed = 20240610;
  constexpr std::size_t kDim = 400;
  constexpr std::size_t kSamples = 100;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  for (const auto& [p, m] : {std::pair{0.5, 0.85}, std::pair{0.8, 0.985}, std::pair{0.5, 0.5}}) {
    const PriorPtr prior = make_sparse_rademacher(p);
    const Matrix<double> b = haar_mix(kDim, m, kSeed);
    RandomStream stream(kSeed, Purpose::test, 1);
    Matrix<double> x(kSamples, kDim);
    for (double& v : x.values()) v = prior->sample(stream);
    Matrix<double> z(kSamples, kDim);
    gemm(false, true, 1, x, b, 0, z.view());
    for (double& v : z.values()) v = v >= 0 ? 1 : -1;
    Matrix<double> y(kSamples, kDim);
    gemm(false, false, 1, z, b, 0, y.view());
    const TwoInputDenoiser denoiser(*prior, m);
    double mean = 0;
    double squares = 0;
    for (std::size_t s = 0; s < kSamples; ++s) {
      double risk = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        risk += std::pow(x(s, j) - denoiser.posterior_mean(y(s, j), z(s, j) > 0), 2) / kDim;
      }
      mean += risk / kSamples;
      squares += risk * risk / kSamples;
    }
    const double error = std::sqrt((squares - mean * mean) / kSamples);
    // 5 sigma over the vectors, and what one K of dimension d deviates from the limit: order 1/d.
    EXPECT_NEAR(mean, denoiser.risk(), 5 * error + 1.0 / kDim) << "p = " << p << ", m = " << m;
    // Close enough to tell it from the linear decoder, where that is further away.
    EXPECT_LT(mean, mixed_risk(*prior, m, 1));
  }
}

TEST(TwoInputDenoiser, StaysFiniteTowardsTheIdentity) {
  for (const PriorPtr& prior : {make_sparse_rademacher(1), make_sparse_rademacher(0.5)}) {
    for (const double m : {1 - 1e-6, 1 - 1e-12}) {
      const TwoInputDenoiser denoiser(*prior, m);
      for (const double y : {-30.0, -1.0, 0.0, 1.0, 30.0}) {
        EXPECT_TRUE(std::isfinite(denoiser.posterior_mean(y, true))) << prior->name() << ' ' << m << ' ' << y;
      }
      EXPECT_GE(denoiser.risk(), 0);
      EXPECT_LE(denoiser.risk(), 1);
    }
  }
  EXPECT_NEAR(TwoInputDenoiser(*make_sparse_rademacher(1), 0.9999).risk(), 0, 1e-6);  // the bit is the coordinate
}

TEST(TwoInputDenoiser, RefusesImpossibleArguments) {
  for (const double bad : {-0.1, 1.0, std::nan("")}) EXPECT_THROW(TwoInputDenoiser(*make_gaussian(), bad), Error);
  EXPECT_THROW(TwoInputDenoiser(*make_mixture("wide", {{1, 0, 2}}, false), 0.5), Error);
}

}  // namespace
}  // namespace signfold
