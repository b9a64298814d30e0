#include "signfold/decoder/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "signfold/base/error.h"

namespace signfold {
namespace {

const Differentiable kSine{[](double x) { return std::sin(x); }, [](double x) { return std::cos(x); }};

float at(const simd::Cubic& f, float x) {
  float y = 0;
  simd::table(f, {&x, 1}, {&y, 1});
  return y;
}

TEST(Table, FollowsTheFunctionBetweenTheKnots) {
  const simd::Cubic table = tabulate(kSine, -3, 5, 1e-6);
  for (double x = -3; x <= 5; x += 0.00137) {
    // 1e-6 promised at the midpoints, where the cubic is worst; float32 arithmetic adds a few 1e-7.
    EXPECT_NEAR(at(table, static_cast<float>(x)), std::sin(x), 2e-6) << x;
  }
}

TEST(Table, ContinuesLinearlyOutside) {
  const simd::Cubic table = tabulate(kSine, -3, 5, 1e-6);
  // Exact up to float32 rounding of values near 10.
  EXPECT_NEAR(at(table, 15), std::sin(5) + 10 * std::cos(5), 1e-5);
  EXPECT_NEAR(at(table, -13), std::sin(-3) - 10 * std::cos(-3), 1e-5);
  EXPECT_TRUE(std::isfinite(at(table, 1e30F)));
  EXPECT_TRUE(std::isfinite(at(table, -1e30F)));
}

TEST(Table, RefinesOnlyAsFarAsNeeded) {
  const Differentiable line{[](double x) { return 2 * x; }, [](double) { return 2.0; }};
  EXPECT_EQ(tabulate(line, 0, 1, 1e-9).coefficients.size(), 4 * 16U);
  EXPECT_GT(tabulate(kSine, 0, 100, 1e-6).coefficients.size(), 4 * 256U);
}

TEST(Table, LooksWhereItIsToldTo) {
  constexpr double kCenter = 0.336;  // between the first knots and their midpoints
  constexpr double kWidth = 0.002;
  const Differentiable bump{[](double x) { return std::exp(-std::pow((x - kCenter) / kWidth, 2)); },
                            [](double x) {
                              const double t = (x - kCenter) / kWidth;
                              return -2 * t / kWidth * std::exp(-t * t);
                            }};
  EXPECT_NEAR(at(tabulate(bump, 0, 1, 1e-4), kCenter), 0, 1e-4) << "stepped over: the test would show nothing";
  const double probes[] = {kCenter};
  const simd::Cubic table = tabulate(bump, 0, 1, 1e-4, probes);
  for (double x = kCenter - 3 * kWidth; x < kCenter + 3 * kWidth; x += kWidth / 7) {
    EXPECT_NEAR(at(table, static_cast<float>(x)), bump.value(x), 2e-4) << x;  // x is rounded to float32
  }
}

TEST(Table, RefusesAnEmptyInterval) { EXPECT_THROW(tabulate(kSine, 1, 1, 1e-6), Error); }

}  // namespace
}  // namespace signfold
