#include "signfold/prior/quadrature.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "signfold/base/error.h"

namespace signfold {
namespace {

TEST(Quadrature, IsExactForPolynomialsOfDegree127) {
  for (int degree : {0, 1, 2, 63, 126, 127}) {
    const double sum = integrate({0, 1}, [degree](double x) { return std::pow(x, degree); });
    EXPECT_NEAR(sum * (degree + 1), 1, 1e-13) << degree;  // 64 roundings of positive terms
  }
  // It has 64 points, not more: far beyond that degree it is visibly wrong.
  const double sum = integrate({-1, 1}, [](double x) { return std::pow(x, 4000); });
  EXPECT_GT(std::abs(sum * 4001 / 2 - 1), 0.01);
}

TEST(Quadrature, AddsPanelsAndIgnoresEmptyOnes) {
  const auto f = [](double x) { return std::exp(-x * x / 2); };
  const double sum = integrate({-9, -9, -2, 0, 0, 3, 9}, f);
  EXPECT_NEAR(sum, std::sqrt(2 * std::numbers::pi), 1e-13);  // tails beyond 9 weigh 1e-18
  EXPECT_EQ(composite_rule({1, 1, 1}).nodes.size(), 0U);
  EXPECT_EQ(composite_rule({}).nodes.size(), 0U);
}

TEST(Quadrature, RuleGivesTheSameAsIntegrate) {
  const QuadratureRule rule = uniform_rule(-1, 5, 3);
  ASSERT_EQ(rule.nodes.size(), 3 * 64U);
  double sum = 0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) sum += rule.weights[i] * std::cos(rule.nodes[i]);
  EXPECT_DOUBLE_EQ(sum, integrate({-1, 1, 3, 5}, [](double x) { return std::cos(x); }));
  EXPECT_NEAR(sum, std::sin(5) - std::sin(-1), 1e-14);
}

TEST(Quadrature, RefusesUnsortedEdgesAndNoPanels) {
  EXPECT_THROW(composite_rule({0, 2, 1}), Error);
  EXPECT_THROW(composite_rule({0, NAN}), Error);
  EXPECT_THROW(uniform_rule(0, 1, 0), Error);
}

}  // namespace
}  // namespace signfold
