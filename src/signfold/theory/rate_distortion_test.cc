#include "signfold/theory/rate_distortion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/blahut_arimoto.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {

constexpr double kPromise = 1e-3;  // of the header: absolute, for E x² = 1

double binary_entropy(double p) { return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p); }

TEST(ShannonLimit, OfTheGaussianIsItsClosedForm) {
  for (const double r : {0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 20.0}) {
    EXPECT_NEAR(shannon_limit(*make_gaussian(), r) * std::exp2(2 * r), 1, 1e-9) << r;  // quadrature of its entropy
  }
}

TEST(ShannonLimit, OfTheGaussianByTheAlgorithm) {
  // A spike of weight 1e-9 changes nothing that matters, but there is no closed form any more.
  const PriorPtr almost = make_mixture("almost", {{1e-9, 0, 0}, {1 - 1e-9, 0, 1}}, true);
  for (const double r : {0.1, 0.5, 1.0, 2.0, 3.0}) {
    EXPECT_NEAR(shannon_limit(*almost, r), std::exp2(-2 * r), 0.5 * kPromise) << r;
  }
}

TEST(ShannonLimit, OfASignIsTheBinaryOne) {
  // x = ±1 and R = 1 − h(e) with e the flip probability of y/|y|, |y| = 1 − 2e: D = 4e(1 − e).
  for (const double e : {0.02, 0.11, 0.3, 0.45}) {
    const double rate = 1 - binary_entropy(e);
    EXPECT_NEAR(shannon_limit(*make_sparse_rademacher(1), rate), 4 * e * (1 - e), kPromise) << rate;
  }
}

TEST(ShannonLimit, OfAtomsIsZeroFromTheirEntropyOn) {
  for (const double p : {0.01, 0.2, 0.5, 0.9}) {
    const double entropy = binary_entropy(p) + p;
    EXPECT_EQ(shannon_limit(*make_sparse_rademacher(p), entropy * (1 + 1e-12)), 0);
    EXPECT_LT(shannon_limit(*make_sparse_rademacher(p), entropy * 0.999), 0.02);
    EXPECT_GT(shannon_limit(*make_sparse_rademacher(p), entropy * 0.9), 0);
  }
}

TEST(ShannonLimit, LiesBetweenItsBounds) {
  for (const double p : {0.01, 0.3}) {
    double before = 1;
    for (const double r : {0.01, 0.1, 0.6, 2.0}) {
      const double d = shannon_limit(*make_sparse_gaussian(p), r);
      SCOPED_TRACE(testing::Message() << "p = " << p << " r = " << r);
      EXPECT_LE(d, std::exp2(-2 * r) + kPromise);        // the Gaussian is the hardest law of its variance
      EXPECT_GE(d, std::exp2(-2 * r / p) * (1 - 1e-9));  // where x is nonzero told for free
      const double name = binary_entropy(p);
      if (r >= name) {
        EXPECT_LE(d, std::exp2(-2 * (r - name) / p) * (1 + 1e-9));  // told first
      }
      EXPECT_LE(d, before);
      before = d;
    }
  }
  for (const double r : {0.1, 3.0, 10.0}) {  // Laplace: Shannon's lower bound has the entropy power 2e/π b²
    const double lower = std::numbers::e / std::numbers::pi * std::exp2(-2 * r);
    EXPECT_GE(shannon_limit(*make_sparse_laplace(1), r), lower * (1 - 1e-9));
    EXPECT_LE(shannon_limit(*make_sparse_laplace(1), r), lower / 0.86 + kPromise);
  }
}

TEST(ShannonLimit, IsConvexAndStartsAtTheVariance) {
  for (const PriorPtr& prior : {make_sparse_gaussian(0.2), make_sparse_rademacher(0.4)}) {
    EXPECT_DOUBLE_EQ(shannon_limit(*prior, 0), 1);
    double two = 1;
    double one = shannon_limit(*prior, 0.2);
    for (int k = 2; k < 8; ++k) {
      const double r = 0.2 * k;
      const double d = shannon_limit(*prior, r);
      EXPECT_LE(one, 0.5 * (two + d) + kPromise) << prior->name() << ' ' << r;
      two = one;
      one = d;
    }
  }
}

TEST(ShannonLimit, IsBelowTheBayesLimitOfSigns) {
  for (const PriorPtr& prior :
       {make_gaussian(), make_sparse_rademacher(0.5), make_sparse_laplace(0.3), make_sparse_gaussian(1e-4)}) {
    for (const double r : {0.01, 1.0}) {
      EXPECT_LE(shannon_limit(*prior, r), fixed_point_risk(iid_prior(prior), r) + kPromise)
          << prior->name() << ' ' << r;
    }
  }
}

TEST(ShannonLimit, HandlesOddLaws) {
  EXPECT_EQ(shannon_limit(*make_mixture("constant", {{1, 2, 0}}, false), 0.5), 0);
  const PriorPtr shifted = make_mixture("shifted", {{0.5, 5, 0.01}, {0.5, 6, 0.01}}, false);
  const double d = shannon_limit(*shifted, 1);
  EXPECT_GT(d, 0);
  EXPECT_LT(d, 0.0625 + 0.01);
  for (const double bad : {-1.0, std::nan(""), HUGE_VAL}) EXPECT_THROW(shannon_limit(*make_gaussian(), bad), Error);
}

TEST(DiscreteDistortion, OfAFairCoinWithTwoAnswers) {
  // Answers 0 and 1 only: Hamming distortion, D = h⁻¹(1 − R).
  for (const double e : {0.05, 0.11, 0.25, 0.4}) {
    const double rate = std::numbers::ln2 * (1 - binary_entropy(e));
    EXPECT_NEAR(discrete_distortion({{0, 1}, {0.5, 0.5}}, {}, rate, 1e-6), e, 2e-6);
  }
  EXPECT_EQ(discrete_distortion({{0, 1}, {0.5, 0.5}}, {}, 0.7, 1e-6), 0);
  EXPECT_DOUBLE_EQ(discrete_distortion({{0, 1}, {0.5, 0.5}}, {}, 0, 1e-6), 0.5);
  EXPECT_DOUBLE_EQ(discrete_distortion({{0, 1}, {0.5, 0.5}}, {0.5}, 0, 1e-6), 0.25);
}

}  // namespace
}  // namespace signfold
