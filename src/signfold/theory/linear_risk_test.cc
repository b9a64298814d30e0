#include "signfold/theory/linear_risk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 31;
const double kC = 2 / std::numbers::pi;

Matrix<double> gaussian_rows(std::size_t n, std::size_t d, std::uint64_t index) {
  RandomStream stream(kSeed, Purpose::test, index);
  Matrix<double> b(n, d);
  for (double& v : b.values()) v = stream.normal();
  return b;
}

TEST(LinearRiskLimit, MatchesTheFiguresOfTheDocument) {
  // docs/math.md section 11, printed to 6 digits.
  EXPECT_NEAR(linear_risk_limit(0.5), 0.681690, 5e-7);
  EXPECT_NEAR(linear_risk_limit(1), 0.363380, 5e-7);
  EXPECT_NEAR(linear_risk_limit(2), 0.222031, 5e-7);
  EXPECT_NEAR(linear_risk_limit(4), 0.124879, 5e-7);
}

TEST(LinearRiskLimit, EqualsTheClosedFormsAtAnyRate) {
  for (const double r : {1e-6, 0.01, 0.3, 1.0, 1.0001, 1.7, 5.0, 20.0, 1e6}) {
    const double risk = r <= 1 ? 1 - kC * r : 1 - r / (r + std::numbers::pi / 2 - 1);
    const double gain = r <= 1 ? std::sqrt(kC) : std::sqrt(kC) / (1 + (r - 1) * kC);
    EXPECT_NEAR(linear_risk_limit(r), risk, 1e-14);  // rounding
    EXPECT_NEAR(linear_gain_limit(r), gain, 1e-14);
    const ScalarDecoder best = best_scalar_decoder(r, std::max(1.0, r));
    EXPECT_NEAR(best.risk * (1 + best.precision), 1, 1e-12);  // the linear risk of the scalar channel, section 5
  }
  for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) EXPECT_THROW(linear_risk_limit(bad), Error);
  EXPECT_THROW(best_scalar_decoder(1, 0.9), Error);
  EXPECT_THROW(best_scalar_decoder(2, 1.9), Error);
  EXPECT_THROW(best_scalar_decoder(2, std::nan("")), Error);
}

TEST(GaussianLinearRisk, ReachesTheLimitForOrthonormalRows) {
  for (const std::size_t n : {1, 7, 30}) {
    Matrix<double> b = gaussian_rows(n, 30, n);
    orthonormalize_rows(b.view());
    const double r = static_cast<double>(n) / 30;
    EXPECT_NEAR(gaussian_linear_risk(b.view()), 1 - kC * r, 1e-12);  // F = I: exact, up to rounding
    const Matrix<double> a = gaussian_best_decoder(b.view());
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < 30; ++j) EXPECT_NEAR(a(j, i), std::sqrt(kC) * b(i, j), 1e-12);
    }
  }
}

TEST(GaussianLinearRisk, TheTwoFormsAgreeAndTheBestDecoderIsAMinimum) {
  for (const std::size_t n : {5, 20, 45}) {
    const Matrix<double> b = gaussian_rows(n, 20, 100 + n);
    Matrix<double> a = gaussian_best_decoder(b.view());
    const double best = gaussian_linear_risk(b.view());
    EXPECT_NEAR(gaussian_linear_risk(b.view(), a.view()), best, 1e-10);  // condition of F times rounding
    RandomStream stream(kSeed, Purpose::test, 200 + n);
    for (double& v : a.values()) v += 1e-3 * stream.normal();
    EXPECT_GT(gaussian_linear_risk(b.view(), a.view()), best);
  }
}

TEST(GaussianLinearRisk, DoesNotDependOnTheNormsOfTheRows) {
  Matrix<double> b = gaussian_rows(6, 9, 1);
  const double before = gaussian_linear_risk(b.view());
  for (std::size_t i = 0; i < 6; ++i) {
    for (double& v : b.row(i)) v *= 1.0 + static_cast<double>(i);
  }
  EXPECT_NEAR(gaussian_linear_risk(b.view()), before, 1e-13);
}

/// ‖x − A sign(Bx)‖²/d over Gaussian draws, with its standard error.
struct Measured {
  double mean = 0;
  double error = 0;
};
Measured simulate(const Matrix<double>& b, const Matrix<double>& a, std::size_t samples, std::uint64_t index) {
  const Matrix<double> x = gaussian_rows(samples, b.cols(), index);
  Matrix<double> z(samples, b.rows());
  gemm(false, true, 1, x, b, 0, z.view());
  for (double& v : z.values()) v = v >= 0 ? 1 : -1;
  Matrix<double> residual = x.clone();
  gemm(false, true, -1, z, a, 1, residual.view());
  double mean = 0;
  double squares = 0;
  for (std::size_t s = 0; s < samples; ++s) {
    double risk = 0;
    for (const double v : residual.row(s)) risk += v * v / static_cast<double>(b.cols());
    mean += risk / static_cast<double>(samples);
    squares += risk * risk / static_cast<double>(samples);
  }
  return {mean, std::sqrt((squares - mean * mean) / static_cast<double>(samples))};
}

TEST(GaussianLinearRisk, IsTheErrorOfASimulation) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  const Matrix<double> b = gaussian_rows(14, 10, 2);
  const Matrix<double> a = gaussian_best_decoder(b.view());
  const Measured measured = simulate(b, a, 20000, 3);
  EXPECT_NEAR(measured.mean, gaussian_linear_risk(b.view()), 5 * measured.error);  // 5 sigma
}

TEST(GaussianLinearRisk, RefusesEncodersWithoutAnAnswer) {
  Matrix<double> b = gaussian_rows(3, 4, 4);
  for (std::size_t j = 0; j < 4; ++j) b(2, j) = -2 * b(0, j);
  EXPECT_THROW(gaussian_linear_risk(b.view()), Error);
  for (std::size_t j = 0; j < 4; ++j) b(2, j) = 0;
  EXPECT_THROW(gaussian_linear_risk(b.view()), Error);
  EXPECT_THROW(gaussian_best_decoder(b.view()), Error);
  EXPECT_THROW(gaussian_linear_risk(b.view(), b.view()), Error);
  EXPECT_THROW(gaussian_linear_risk(Matrix<double>(0, 4).view()), Error);
}

TEST(BestScalarDecoder, PredictsIndependentGaussianRows) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  const std::size_t d = 400;
  for (const double rate : {0.5, 1.5}) {
    const auto n = static_cast<std::size_t>(rate * static_cast<double>(d));
    Matrix<double> b = gaussian_rows(n, d, 10 + n);
    for (std::size_t i = 0; i < n; ++i) {
      double square = 0;
      for (const double v : b.row(i)) square += v * v;
      for (double& v : b.row(i)) v /= std::sqrt(square);
    }
    const ScalarDecoder best = best_scalar_decoder(rate, 1 + rate);
    Matrix<double> a(d, n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < d; ++j) a(j, i) = best.gain * b(i, j);
    }
    const Measured measured = simulate(b, a, 100, 11 + n);
    // The moments of one B, and the cubic term of the arcsine, deviate from their limits by order 1/d.
    EXPECT_NEAR(measured.mean, best.risk, 5 * measured.error + 1.0 / static_cast<double>(d));
  }
}

}  // namespace
}  // namespace signfold
