#include "signfold/prior/normal_tail.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "signfold/prior/quadrature.h"

namespace signfold {
namespace {

/// The moments by integrating exp(a x − x²/2) over x > 0, on the scale on which it lives.
PositiveNormal integrate_positive_normal(double a) {
  const double peak = std::max(a, 0.0);
  const double scale = a < 0 ? 1 / (1 - a) : 1;
  std::vector<double> edges;
  for (int k = -60; k <= 90; ++k) edges.push_back(std::max(0.0, peak + 0.5 * k * scale));
  const auto weight = [&](double x) { return std::exp(a * (x - peak) - 0.5 * (x * x - peak * peak)); };
  const double total = integrate(edges, weight);
  const double mean = integrate(edges, [&](double x) { return x * weight(x); }) / total;
  const double variance = integrate(edges, [&](double x) { return (x - mean) * (x - mean) * weight(x); }) / total;
  return {weight(0) / total, mean, variance};  // φ(a)/Φ(a) is the density of x at 0
}

TEST(PositiveNormal, AgreesWithIntegration) {
  for (double a : {-1e6, -1e4, -300.0, -37.0, -12.0, -4.0001, -4.0, -3.9999, -1.0, -1e-9, 0.0, 0.5, 3.0, 8.0, 30.0}) {
    const PositiveNormal fast = positive_normal(a);
    const PositiveNormal slow = integrate_positive_normal(a);
    const double tolerance = 1e-12;  // relative: what positive_normal promises; the sums are good to 1e-14
    EXPECT_NEAR(fast.hazard / slow.hazard, 1, tolerance + 1e-15 * a * a * (a > 0)) << a;  // φ itself feels ε a²
    EXPECT_NEAR(fast.mean / slow.mean, 1, tolerance) << a;
    EXPECT_NEAR(fast.variance / slow.variance, 1, tolerance) << a;
  }
}

TEST(PositiveNormal, IsFiniteEverywhere) {
  for (double a : {-1e300, -1e154, -1e100, -1e16, 1e2, 1e16, 1e300}) {
    const PositiveNormal p = positive_normal(a);
    EXPECT_TRUE(std::isfinite(p.hazard) && std::isfinite(p.mean) && std::isfinite(p.variance)) << a;
    EXPECT_EQ(p.hazard, a < 0 ? -a : 0) << a;
    EXPECT_DOUBLE_EQ(p.mean, a < 0 ? -1 / a : a) << a;
  }
}

TEST(Erfcx, AgreesWithLongDouble) {
  for (double x = -26; x < 60; x += 0.37) {
    const long double y = x;
    const auto slow = static_cast<double>(std::exp(y * y) * std::erfc(y));
    EXPECT_NEAR(erfcx(x) / slow, 1, 1e-14) << x;  // a few roundings; the product in long double is good to 1e-16
  }
  EXPECT_EQ(erfcx(0), 1);
  EXPECT_EQ(erfcx(-30), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(erfcx(1e200) * 1e200 * std::sqrt(M_PI), 1, 1e-15);
}

TEST(LogNormalCdf, AgreesWithLongDouble) {
  for (double a = -100; a < 9; a += 0.53) {
    const long double t = a / std::sqrt(2.0L);
    const long double slow = a < 0 ? std::log(0.5L * std::erfc(-t)) : std::log1p(-0.5L * std::erfc(t));
    EXPECT_NEAR(log_normal_cdf(a) / static_cast<double>(slow), 1, 1e-13) << a;  // erfc feels ε a²
  }
  EXPECT_EQ(log_normal_cdf(1e300), 0);
  EXPECT_TRUE(std::isfinite(log_normal_cdf(-1e150)));
}

}  // namespace
}  // namespace signfold
