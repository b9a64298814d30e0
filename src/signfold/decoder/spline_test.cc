#include "signfold/decoder/spline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

/// β of the knots 0, 1, 2, 3, 4 by its recursion (de Boor 1978).
double recursive(double x, int order) {
  if (order == 1) return x >= 0 && x < 1 ? 1 : 0;
  return (x * recursive(x, order - 1) + (order - x) * recursive(x - 1, order - 1)) / (order - 1);
}

Spline example() {
  Spline spline = make_spline(-2, 3, 7);
  RandomStream stream(1, Purpose::test);
  for (double& w : spline.weights) w = stream.normal();
  return spline;
}

double slow_value(const Spline& spline, double x) {
  double sum = 0;
  for (std::size_t k = 0; k < spline.weights.size(); ++k) {
    sum += spline.weights[k] * recursive((x - spline.low) / spline.step - static_cast<double>(k), 4);
  }
  return sum;
}

// Values up to 2, float32 tables of pieces half as wide as 1: 1e-6 is a few roundings.
TEST(Spline, TableIsTheSumOfBSplines) {
  const Spline spline = example();
  std::vector<float> x;
  for (int k = -40; k <= 60; ++k) x.push_back(static_cast<float>(k) / 12.5F);
  std::vector<float> y(x.size());
  simd::table(spline_table(spline), x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(y[i], slow_value(spline, static_cast<double>(x[i])), 2e-6) << x[i];
  }
  EXPECT_EQ(y.front(), 0.0F);
  EXPECT_EQ(y.back(), 0.0F);
}

TEST(Spline, BasisIsTheDerivativeInTheWeights) {
  const Spline spline = example();
  for (double x = -3; x < 4; x += 0.071) {
    const SplineBasis basis = spline_basis(spline, static_cast<float>(x));
    double sum = 0;
    for (std::ptrdiff_t k = 0; k < 4; ++k) {
      const std::ptrdiff_t index = basis.first + k;
      if (index >= 0 && index < 7)
        sum += spline.weights[static_cast<std::size_t>(index)] * static_cast<double>(basis.value[k]);
    }
    EXPECT_NEAR(sum, slow_value(spline, x), 2e-6) << x;
  }
}

TEST(Spline, WithoutWeightsIsNothing) {
  EXPECT_TRUE(spline_table({}).coefficients.empty());
  EXPECT_TRUE(Spline().empty());
}

TEST(Spline, RefusesWhatMakesNoSense) {
  EXPECT_THROW(make_spline(1, 1, 4), Error);
  EXPECT_THROW(make_spline(0, 1, 0), Error);
  Spline bad = example();
  bad.weights[2] = std::nan("");
  EXPECT_THROW(check_spline(bad, "x"), Error);
  bad = example();
  bad.step = 0;
  EXPECT_THROW(check_spline(bad, "x"), Error);
}

}  // namespace
}  // namespace signfold
