#include "signfold/theory/mixed_risk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/linear_risk.h"

namespace signfold {
namespace {

const double kC = 2 / std::numbers::pi;

TEST(OptimalMix, ReproducesTheTableOfTheDocument) {
  struct Row {
    double p, m, mixed, rotation, identity;
  };
  const Row rows[] = {{0.30, 0, 0.36338, 0.36338, 0.70000},     {0.40, 0.665, 0.36056, 0.36338, 0.60000},
                      {0.50, 0.850, 0.33866, 0.36338, 0.50000}, {kC, 0.939, 0.27926, 0.36338, 0.36338},
                      {0.80, 0.985, 0.17454, 0.36338, 0.20000}, {0.90, 0.997, 0.09363, 0.36338, 0.10000}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << "p = " << row.p);
    const PriorPtr prior = make_sparse_rademacher(row.p);
    const MixedOptimum best = optimal_mix(*prior, 1);
    // The document found m on a grid of steps of about 0.001 (the risk is flat there), and prints risks to 5 digits.
    EXPECT_NEAR(best.m, row.m, 1e-3);
    EXPECT_NEAR(best.risk, row.mixed, 6e-6);
    EXPECT_NEAR(mixed_risk(*prior, 0, 1), row.rotation, 6e-6);
    EXPECT_NEAR(mixed_risk(*prior, 1, 1), row.identity, 6e-6);
    EXPECT_DOUBLE_EQ(best.risk, mixed_risk(*prior, best.m, 1));
    EXPECT_DOUBLE_EQ(best.psi, psi(*prior, best.m));
  }
}

TEST(OptimalMix, ChoosesTheEndsExactly) {
  // Scale mixtures of Gaussians: the rotation (docs/math.md section 3); no zeros at all: the identity.
  for (const double rate : {0.3, 1.0, 2.0}) {
    EXPECT_EQ(optimal_mix(*make_gaussian(), rate).m, 0);
    EXPECT_EQ(optimal_mix(*make_sparse_gaussian(0.2), rate).m, 0);
    EXPECT_EQ(optimal_mix(*make_sparse_laplace(0.7), rate).m, 0);
  }
  EXPECT_EQ(optimal_mix(*make_sparse_rademacher(1), 1).m, 1);
  EXPECT_NEAR(optimal_mix(*make_sparse_rademacher(1), 1).risk, 0, 1e-15);
}

TEST(OptimalMix, IsNotBeatenOnAFineGrid) {
  const auto uniform_like = make_mixture("bumps", {{0.4, -1, 0.05}, {0.2, 0, 0}, {0.4, 1, 0.05}}, true);
  for (const PriorPtr& prior : {make_sparse_rademacher(0.36), make_sparse_rademacher(0.95), uniform_like}) {
    for (const double rate : {0.5, 1.0, 1.5, 3.0}) {
      const MixedOptimum best = optimal_mix(*prior, rate);
      for (int k = 0; k <= 300; ++k) {
        const double m = std::sin(std::numbers::pi / 2 * k / 300);
        EXPECT_GE(mixed_risk(*prior, m, rate), best.risk - 1e-12) << prior->name() << ' ' << rate << ' ' << m;
      }
    }
  }
}

TEST(OptimalMix, LeavesZeroWhereTheFourthMomentFallsBelowThree) {
  EXPECT_EQ(optimal_mix(*make_sparse_rademacher(0.33), 1).m, 0);
  EXPECT_GT(optimal_mix(*make_sparse_rademacher(0.34), 1).m, 0.05);
}

TEST(Psi, GrowsAsItsExpansionAtZero) {
  // docs/math.md section 4, up to the next order m⁶.
  for (const PriorPtr& prior : {make_sparse_rademacher(0.5), make_sparse_gaussian(0.5), make_sparse_laplace(1)}) {
    const double m = 0.1;
    const double expansion = std::sqrt(kC) * (1 + std::pow(m, 4) * (3 - prior->moments().fourth) / 24);
    EXPECT_NEAR(psi(*prior, m), expansion, 1e-5);
    EXPECT_NEAR(psi(*prior, 0), std::sqrt(kC), 1e-15);
    EXPECT_NEAR(psi(*prior, 1), prior->moments().mean_abs, 1e-15);
  }
}

TEST(MixedRisk, AtZeroIsTheRotationAtIntegerRates) {
  for (const PriorPtr& prior : {make_gaussian(), make_sparse_gaussian(0.1), make_sparse_rademacher(0.5)}) {
    for (const double rate : {0.25, 1.0, 2.0, 3.0, 7.0}) {
      EXPECT_NEAR(mixed_risk(*prior, 0, rate), linear_risk_limit(rate), 1e-12);
      EXPECT_NEAR(mixed_gain(*prior, 0, rate), linear_gain_limit(rate), 1e-12);
    }
    // Stacked blocks with a partial one are not a tight frame.
    EXPECT_GT(mixed_risk(*prior, 0, 1.5), linear_risk_limit(1.5));
  }
}

TEST(MixedRisk, AtOneIsTheIdentityWhoseCopiesAddNothing) {
  const PriorPtr prior = make_sparse_rademacher(0.5);
  EXPECT_NEAR(mixed_risk(*prior, 1, 1), 0.5, 1e-15);
  EXPECT_NEAR(mixed_risk(*prior, 1, 3), 0.5, 1e-15);
  EXPECT_NEAR(mixed_risk(*prior, 0.999999, 1), 0.5, 2e-3);  // continuous for r ≤ 1: s = 1.4e-3
}

/// The mean and standard error of ‖x − αBᵀz‖²/d for stacked blocks mI + sK, K = QᵀJQ with a Haar Q.
struct Measured {
  double mean = 0;
  double error = 0;
};

Matrix<double> skew(std::size_t d, std::uint64_t seed, std::uint64_t index) {
  RandomStream stream(seed, Purpose::test, index);
  Matrix<double> q(d, d);
  for (double& v : q.values()) v = stream.normal();
  orthonormalize_rows(q.view());
  Matrix<double> jq(d, d);
  for (std::size_t i = 0; i < d; i += 2) {
    std::ranges::copy(q.row(i + 1), jq.row(i).begin());
    std::ranges::transform(q.row(i), jq.row(i + 1).begin(), [](double v) { return -v; });
  }
  Matrix<double> k(d, d);
  gemm(true, false, 1, q, jq, 0, k.view());
  return k;
}

Measured simulate(const Prior& prior, double m, double rate, std::size_t d, std::size_t samples, std::uint64_t seed) {
  Matrix<double> x(samples, d);
  RandomStream stream(seed, Purpose::test, 1000);
  for (std::size_t s = 0; s < samples; ++s) {
    double square = 0;
    for (double& v : x.row(s)) square += std::pow(v = prior.sample(stream), 2);
    for (double& v : x.row(s)) v *= std::sqrt(static_cast<double>(d) / square);  // the code does not see the norm
  }
  Matrix<double> sum(samples, d);
  const auto n = static_cast<std::size_t>(std::lround(rate * static_cast<double>(d)));
  for (std::size_t first = 0; first < n; first += d) {
    Matrix<double> b = skew(d, seed, first / d);
    for (double& v : b.values()) v *= std::sqrt(1 - m * m);
    for (std::size_t i = 0; i < d; ++i) b(i, i) += m;
    const auto rows = std::as_const(b).view().row_range(0, std::min(d, n - first));
    Matrix<double> z(samples, rows.rows);
    gemm(false, true, 1, x, rows, 0, z.view());
    for (double& v : z.values()) v = v >= 0 ? 1 : -1;
    gemm(false, false, 1, z, rows, 1, sum.view());
  }
  const double gain = mixed_gain(prior, m, rate);
  Measured out;
  double squares = 0;
  for (std::size_t s = 0; s < samples; ++s) {
    double risk = 0;
    for (std::size_t j = 0; j < d; ++j) risk += std::pow(x(s, j) - gain * sum(s, j), 2) / static_cast<double>(d);
    out.mean += risk / static_cast<double>(samples);
    squares += risk * risk / static_cast<double>(samples);
  }
  out.error = std::sqrt((squares - out.mean * out.mean) / static_cast<double>(samples));
  return out;
}

TEST(MixedRisk, IsTheErrorOfASimulationAtAnyRate) {
  const std::uint64_t seed = 77;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  const std::size_t d = 256;
  for (const PriorPtr& prior : {make_sparse_rademacher(0.5), make_sparse_gaussian(0.5)}) {
    for (const double m : {0.0, 0.85, 0.97}) {
      for (const double rate : {0.5, 1.0, 1.5, 2.0, 2.75}) {
        const Measured found = simulate(*prior, m, rate, d, 100, seed);
        // 5 sigma over the samples, and what one K of dimension d deviates from the limit: order 1/d.
        EXPECT_NEAR(found.mean, mixed_risk(*prior, m, rate), 5 * found.error + 1.0 / static_cast<double>(d))
            << prior->name() << " m = " << m << " rate = " << rate;
      }
    }
  }
}

TEST(MixedRisk, StaysInItsRangeAtTheExtremes) {
  for (const double p : {1e-4, 0.5, 1.0}) {
    for (const PriorPtr& prior : {make_sparse_gaussian(p), make_sparse_rademacher(p), make_sparse_laplace(p)}) {
      for (const double rate : {1e-6, 0.01, 1.0, 1.5, 20.0, 1e4}) {
        const MixedOptimum best = optimal_mix(*prior, rate);
        EXPECT_GE(best.risk, 0) << prior->name() << ' ' << rate;
        EXPECT_LE(best.risk, mixed_risk(*prior, 0, rate)) << prior->name() << ' ' << rate;
        for (const double m : {0.0, 1e-9, 0.5, 1 - 1e-12, 1.0}) {
          const double risk = mixed_risk(*prior, m, rate);
          EXPECT_GE(risk, 0) << prior->name() << ' ' << m << ' ' << rate;
          EXPECT_LE(risk, 1) << prior->name() << ' ' << m << ' ' << rate;
        }
      }
    }
  }
}

TEST(MixedRisk, RefusesImpossibleArguments) {
  const PriorPtr prior = make_gaussian();
  for (const double bad : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THROW(psi(*prior, bad), Error);
    EXPECT_THROW(mixed_risk(*prior, bad, 1), Error);
    EXPECT_THROW(mixed_gain(*prior, bad, 1), Error);
  }
  for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THROW(mixed_risk(*prior, 0, bad), Error);
    EXPECT_THROW(optimal_mix(*prior, bad), Error);
  }
  EXPECT_THROW(mixed_risk(*make_mixture("wide", {{1, 0, 2}}, false), 0.5, 1), Error);
}

}  // namespace
}  // namespace signfold
