#include "signfold/decoder/curve.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "signfold/base/error.h"

namespace signfold {
namespace {

float at(const Curve& curve, double x) {
  const auto v = static_cast<float>(x);
  float y = 0;
  curve.apply({&v, 1}, {&y, 1});
  return y;
}

const Differentiable kTanh{[](double x) { return std::tanh(x); },
                           [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); }};

TEST(Curve, SmoothFunctionsAreCoarseAndWithinTheTolerance) {
  const Curve curve({.f = kTanh, .low = -6, .high = 6});
  EXPECT_TRUE(curve.coarse());
  // Promised at three points of every piece, and a cubic's error hardly varies between them; float32 adds 1e-7.
  for (double x = -9; x <= 9; x += 0.00137) EXPECT_NEAR(at(curve, x), std::tanh(x), 1.1 * kCoarseTolerance) << x;
}

TEST(Curve, OddFunctionsHaveTwiceThePieces) {
  const CurveShape odd{.f = kTanh, .low = -6, .high = 6};
  const simd::SmallCubic table = tabulate_coarsely(odd);
  EXPECT_TRUE(table.odd);
  const CurveShape lopsided{.f = kTanh, .low = -6, .high = 6.5};
  EXPECT_FALSE(tabulate_coarsely(lopsided).odd);
  // The error of a Hermite cubic falls with the fourth power of the width of a piece.
  EXPECT_LT(coarse_error(odd, table), coarse_error(lopsided, tabulate_coarsely(lopsided)) / 8);
}

TEST(Curve, OddFunctionsVanishAtZeroWhateverTheWidthOfAPiece) {
  for (double high = 0.5; high < 8; high *= 1.003) {
    const Curve curve({.f = kTanh, .low = -high, .high = high});
    std::vector<float> y(64);  // whole vectors of every instruction set, which take another way than single numbers
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(i % 4) * 1e-30F - 1.5e-30F;
    curve.apply(y, y);
    // Rounding the origin to float32 moves 0 by half of its last bit.
    for (const float value : y) ASSERT_NEAR(value, 0, 1e-7) << high;
  }
}

TEST(Curve, SharpFunctionsAreFine) {
  const Differentiable step{[](double x) { return std::tanh(300 * x); },
                            [](double x) { return 300 / std::pow(std::cosh(std::min(std::abs(300 * x), 300.0)), 2); }};
  const Curve curve({.f = step, .low = -6, .high = 6});
  EXPECT_FALSE(curve.coarse());
  for (double x = -0.1; x <= 0.1; x += 0.000137) EXPECT_NEAR(at(curve, x), std::tanh(300 * x), 2e-4) << x;
}

TEST(Curve, ContinuesAsATangentOrFlat) {
  const Differentiable square{[](double x) { return x * x / 8; }, [](double x) { return x / 4; }};
  const Curve tangent({.f = square, .low = -1, .high = 2});
  EXPECT_NEAR(at(tangent, 12), 0.5 + 10 * 0.5, 1e-5);  // rounding of numbers near 10, here and below
  EXPECT_NEAR(at(tangent, -11), 0.125 + 10 * 0.25, 1e-5);
  const Curve flat({.f = square, .low = -1, .high = 2, .flat = true});
  EXPECT_NEAR(at(flat, 12), 0.5, 1e-6);
  EXPECT_NEAR(at(flat, -11), 0.125, 1e-6);
  for (const double x : {-1e38, 1e38}) EXPECT_TRUE(std::isfinite(at(flat, x)) && std::isfinite(at(tangent, x)));
}

TEST(Curve, SignsGoInAndOut) {
  const Differentiable cubic{[](double x) { return x * x * x + x * x; }, [](double x) { return 3 * x * x + 2 * x; }};
  const Differentiable sharp{
      [](double x) { return std::tanh(300 * (x - 0.2)); },
      [](double x) { return 300 / std::pow(std::cosh(std::min(300 * std::abs(x - 0.2), 300.0)), 2); }};
  for (const Differentiable& f : {cubic, sharp}) {
    const Curve curve({.f = f, .low = -2, .high = 2});
    const std::vector<std::uint8_t> z = {0b01100101, 0b1};
    std::vector<float> x(9);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.3F * static_cast<float>(i) - 1.1F;
    std::vector<float> y(x.size());
    curve.apply_signed(z, x, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float sign = (z[i / 8] >> i % 8 & 1) != 0 ? 1.0F : -1.0F;
      EXPECT_EQ(y[i], sign * at(curve, sign * x[i])) << i;
    }
  }
}

TEST(Curve, RefusesAnEmptyInterval) { EXPECT_THROW(Curve({.f = kTanh, .low = 1, .high = 1}), Error); }

}  // namespace
}  // namespace signfold
