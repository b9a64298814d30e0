#include "signfold/theory/free_cumulants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"

namespace signfold {
namespace {

/// Catalan(k), exact in double precision up to k = 30.
double catalan(int k) {
  double value = 1;
  for (int i = 0; i < k; ++i) value = value * 2 * (2 * i + 1) / (i + 2);
  return value;
}

TEST(FreeCumulants, OfOrthonormalMatricesAreCatalanNumbers) {
  for (const double rate : {0.25, 0.5, 1.0, 2.0, 4.0}) {
    // r > 1: of four eigenvalues n − d are zero, the others r.
    std::vector<double> eigenvalues(4, 0.0);
    std::fill_n(eigenvalues.begin(), static_cast<int>(4 / std::max(1.0, rate)), std::max(1.0, rate));
    const std::vector<double> kappa = free_cumulants(eigenvalues, rate, 52);
    ASSERT_EQ(kappa.size(), 52U);
    for (int k = 1; k <= 52; ++k) {
      const double expected = std::pow(-std::min(rate, 1.0), k - 1) * catalan(k - 1);
      // Rounding of the expected value itself; in double precision the recursion would be off by 1 near k = 20.
      EXPECT_NEAR(kappa[static_cast<std::size_t>(k - 1)] / expected, 1, 1e-13) << "r = " << rate << ", k = " << k;
    }
  }
}

TEST(FreeCumulants, OfGaussianMatricesAreOneAndZeros) {
  // The Marchenko–Pastur moments tr((BBᵀ)^k)/n, k ≤ 10: Σ_i N(k, i) rⁱ, i < k, with Narayana numbers N.
  for (const double rate : {0.5, 1.0, 3.0}) {
    std::vector<double> moments;
    for (int k = 1; k <= 10; ++k) {
      double sum = 0;
      double narayana = 1;  // N(k, 1)
      for (int i = 0; i < k; ++i) {
        sum += narayana * std::pow(rate, i);
        narayana = narayana * (k - i) * (k - i - 1) / ((i + 1) * (i + 2));
      }
      moments.push_back(sum);
    }
    const std::vector<double> kappa = free_cumulants_of_moments(moments, rate);
    ASSERT_EQ(kappa.size(), 10U);
    EXPECT_EQ(kappa[0], 1);
    // All moments are dyadic fractions below 2^53, hence exact.
    for (std::size_t k = 1; k < 10; ++k) EXPECT_EQ(kappa[k], 0) << "r = " << rate << ", k = " << k + 1;
  }
}

TEST(FreeCumulants, OfTwoAtomsAreThoseOfTheDocument) {  // docs/rigamp.md section 4.6
  const double expected[] = {1, -.75, 1.25, -2.6875, 6.5, -16.828125, 45.59375, -127.66796875};
  const std::vector<double> kappa = free_cumulants(std::vector<double>{1.5, 0.5}, 1, 8);
  for (std::size_t k = 0; k < 8; ++k) EXPECT_DOUBLE_EQ(kappa[k], expected[k]) << k;
}

TEST(FreeCumulants, DoNotDependOnTheScaleOfB) {
  const std::vector<double> one = free_cumulants(std::vector<double>{1.5, 0.5}, 0.7, 12);
  const std::vector<double> scaled = free_cumulants(std::vector<double>{3.75, 1.25}, 0.7, 12);
  for (std::size_t k = 0; k < 12; ++k) EXPECT_DOUBLE_EQ(one[k], scaled[k]) << k;
}

TEST(FreeCumulants, RefuseWhatIsNoSpectrum) {
  EXPECT_THROW(free_cumulants({}, 1, 4), Error);
  EXPECT_THROW(free_cumulants(std::vector<double>{1, -0.1}, 1, 4), Error);
  EXPECT_THROW(free_cumulants(std::vector<double>{0, 0}, 1, 4), Error);
  EXPECT_THROW(free_cumulants(std::vector<double>{1, 1}, 0, 4), Error);
  EXPECT_THROW(free_cumulants(std::vector<double>{1, 1}, 1, 0), Error);
}

}  // namespace
}  // namespace signfold
