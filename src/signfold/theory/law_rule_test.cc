#include "signfold/theory/law_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"

namespace signfold {
namespace {

template <class F>
double expect(const Prior& prior, const F& f) {
  double sum = 0;
  for (const Atom& atom : prior.atoms()) sum += atom.weight * f(atom.value);
  const QuadratureRule rule = continuous_rule(prior);
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) sum += rule.weights[i] * f(rule.nodes[i]);
  return sum;
}

std::vector<PriorPtr> laws() {
  return {make_gaussian(),
          make_sparse_gaussian(1e-4),
          make_sparse_gaussian(0.3),
          make_sparse_laplace(1),
          make_sparse_laplace(0.05),
          make_sparse_rademacher(0.3),
          make_mixture("narrow", {{0.2, 0, 0}, {0.5, -1, 1e-6}, {0.3, 2, 3}}, true)};
}

TEST(ContinuousRule, GivesTheMomentsOfTheLaw) {
  for (const PriorPtr& prior : laws()) {
    SCOPED_TRACE(prior->name());
    const Moments m = prior->moments();
    // 64 points per panel are exact for smooth densities; the tails left out hold less than exp(-36)·36⁴.
    EXPECT_NEAR(expect(*prior, [](double) { return 1.0; }), 1, 1e-14);
    EXPECT_NEAR(expect(*prior, [](double x) { return x; }), m.mean, 1e-10);
    EXPECT_NEAR(expect(*prior, [](double x) { return std::abs(x); }), m.mean_abs, 1e-10);
    EXPECT_NEAR(expect(*prior, [](double x) { return x * x; }), m.second, 1e-10);
    EXPECT_NEAR(expect(*prior, [](double x) { return x * x * x * x; }) / m.fourth, 1, 1e-8);
  }
}

TEST(ContinuousRule, ResolvesASharpBendAtZero) {
  // E exp(-(x/w)²) of a standard normal is 1/√(1 + 2/w²).
  for (const double w : {1.0, 1e-2, 1e-3, 2e-4}) {
    const double found = expect(*make_gaussian(), [w](double x) { return std::exp(-(x / w) * (x / w)); });
    EXPECT_NEAR(found * std::sqrt(1 + 2 / (w * w)), 1, 1e-10) << w;
  }
}

TEST(ContinuousRule, IsEmptyForAtomsOnly) { EXPECT_TRUE(continuous_rule(*make_sparse_rademacher(0.5)).nodes.empty()); }

}  // namespace
}  // namespace signfold
