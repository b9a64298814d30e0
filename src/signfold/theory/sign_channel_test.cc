#include "signfold/theory/sign_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/prior/quadrature.h"

namespace signfold {
namespace {

using Real = boost::multiprecision::cpp_bin_float_50;

/// φ/Φ as it is written, with 50 digits.
Real exact_hazard(double a) {
  const Real x(a);
  const Real root2 = sqrt(Real(2));
  return sqrt(2 / boost::math::constants::pi<Real>()) * exp(-x * x / 2) / boost::math::erfc(-x / root2);
}

std::vector<double> arguments() {
  std::vector<double> out;
  for (int k = 0; k <= 360; ++k) out.push_back(-12 + 0.137 * k);
  for (const double a : {-4.0, -4.0000001, -3.9999999, -30.0, -100.0, -1e3, -1e4, 0.0, 1e-300, -1e-9}) out.push_back(a);
  return out;
}

TEST(Hazard, EqualsTheDefinitionInFiftyDigits) {
  for (const double a : arguments()) {
    const Real exact = exact_hazard(a);
    // A few roundings of erfc and exp (2e-15), and for a > 0 that of a/√2, which a Gaussian magnifies by a².
    EXPECT_LT(abs(hazard(a) / exact - 1), Real(5e-15 + 3e-16 * std::max(0.0, a) * std::max(0.0, a))) << "a = " << a;
  }
}

TEST(Hazard, HasTheRightTails) {
  EXPECT_EQ(hazard(1e300), 0);
  EXPECT_EQ(hazard(-1e300), 1e300);
  EXPECT_NEAR(hazard(-1e8), 1e8 + 1e-8, 1e-7);  // one unit in the last place of 1e8 is 1.5e-8
  EXPECT_GT(hazard(37), 0);
  EXPECT_THROW(hazard(std::numeric_limits<double>::quiet_NaN()), Error);
  EXPECT_THROW(hazard(std::numeric_limits<double>::infinity()), Error);
}

TEST(TruncatedVariance, EqualsTheDefinitionInFiftyDigits) {
  for (const double a : arguments()) {
    if (a < -2e3) continue;  // the definition loses a⁴ units of its 50 digits; 1e-50·(2e3)⁴ is still far below 1e-13
    const Real h = exact_hazard(a);
    const Real exact = 1 - h * (Real(a) + h);
    // Near −4 the direct form multiplies the error of h, up to 1e-14, by (a + 2h) h/k = 400; the worst found is 9e-13.
    EXPECT_LT(abs(truncated_variance(a) / exact - 1), Real(4e-12)) << "a = " << a;
    EXPECT_GT(truncated_variance(a), 0);
    EXPECT_LE(truncated_variance(a), 1);
  }
  EXPECT_GT(truncated_variance(-1e100), 0);
  EXPECT_NEAR(truncated_variance(-1e6) * 1e12, 1, 1e-10);  // k ≈ 1/a² (1 − 6/a²)
}

/// The quadrature of docs/rigamp.md section 1: 48 panels of 64 points on ±12 min(√V, √(1−V)).
double information_by_panels(double variance) {
  const double width = 12 * std::sqrt(std::min(variance, 1 - variance));
  const QuadratureRule rule = uniform_rule(-width, width, 48);
  double sum = 0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    const double u = rule.nodes[i];
    const double a = u / std::sqrt(variance);
    const double phi = std::exp(-a * a / 2) / std::sqrt(2 * std::numbers::pi);
    const double law = std::exp(-u * u / (2 * (1 - variance))) / std::sqrt(2 * std::numbers::pi * (1 - variance));
    sum += rule.weights[i] * 2 * phi * hazard(a) * law;
  }
  return sum;
}

TEST(SignInformation, EqualsTheCompositeRule) {
  for (const double v : {1e-12, 1e-6, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999999}) {
    // Both are exact to rounding; 3072 terms of either sign-free sum add a few 1e-15.
    EXPECT_NEAR(sign_information(v) / information_by_panels(v), 1, 1e-13) << "V = " << v;
  }
}

TEST(SignInformation, IsWhatASimulationOfTheChannelGives) {
  const std::uint64_t seed = 20240701;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  const double variance = 0.3;
  const int n = 200000;
  RandomStream stream(seed, Purpose::test, 0);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    const double mean = std::sqrt(1 - variance) * stream.normal();
    const double u = mean + std::sqrt(variance) * stream.normal();
    const double h = hazard((u >= 0 ? mean : -mean) / std::sqrt(variance));
    sum += h * h;
    squares += h * h * h * h;
  }
  const double average = sum / n;
  const double error = std::sqrt((squares / n - average * average) / n);
  EXPECT_NEAR(average, sign_information(variance), 5 * error);  // 5 sigma
}

TEST(SignInformation, EndsAtTwoOverPiAndFallsToZero) {
  EXPECT_DOUBLE_EQ(sign_information(1), 2 / std::numbers::pi);
  EXPECT_NEAR(sign_information(1 - 1e-9), 2 / std::numbers::pi, 1e-9);
  double before = 0;
  for (int k = 0; k < 120; ++k) {
    const double c = sign_information(1e-14 * std::pow(1.3, k));
    EXPECT_GT(c, before);
    before = c;
  }
  // The figures of docs/rigamp.md section 7, printed to 10 digits.
  EXPECT_NEAR(sign_information(0.8627802912), 0.6023985580, 1e-9);
  EXPECT_NEAR(sign_information(0.0992840804), 0.2245579869, 1e-9);
  for (const double bad : {0.0, -1.0, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(sign_information(bad), Error);
  }
}

}  // namespace
}  // namespace signfold
