#include <gtest/gtest.h>

#include <cmath>

#include "signfold/transform/random_for_test.h"
#include "signfold/transform/transform.h"

namespace signfold {
namespace {

/// Two passes over the data in long double.
Matrix<double> two_pass_covariance(const Matrix<float>& x, bool centred) {
  const std::size_t dim = x.cols();
  std::vector<long double> mean(dim);
  const auto n = static_cast<long double>(x.rows());
  for (std::size_t i = 0; centred && i < x.rows(); ++i) {
    for (std::size_t j = 0; j < dim; ++j) mean[j] += x(i, j) / n;
  }
  Matrix<double> out(dim, dim);
  for (std::size_t j = 0; j < dim; ++j) {
    for (std::size_t k = 0; k < dim; ++k) {
      long double sum = 0;
      for (std::size_t i = 0; i < x.rows(); ++i) sum += (x(i, j) - mean[j]) * (x(i, k) - mean[k]);
      out(j, k) = static_cast<double>(sum / n);
    }
  }
  return out;
}

/// Feeds the rows in blocks of uneven sizes.
CovarianceAccumulator accumulate(const Matrix<float>& x, std::size_t block) {
  CovarianceAccumulator accumulator(x.cols());
  for (std::size_t i = 0; i < x.rows(); i += block) {
    accumulator.add(x.view().row_range(i, std::min(block, x.rows() - i)));
  }
  return accumulator;
}

TEST(Covariance, EqualsTwoPassesForAnyBlocksAndAcrossPanels) {
  for (const std::size_t dim : {1, 7, 300}) {
    const Matrix<float> x = dim < 300 ? correlated_rows(1100, dim, 20) : gaussian_rows(1100, dim, 21);
    for (const std::size_t block : {1, 100, 5000}) {
      if (dim == 300 && block == 1) continue;
      const CovarianceAccumulator accumulator = accumulate(x, block);
      EXPECT_EQ(accumulator.count(), 1100U);
      for (const bool centred : {false, true}) {
        const Matrix<double> expected = two_pass_covariance(x, centred);
        const Matrix<double> found = accumulator.covariance(centred);
        // Double sums of 1100 terms of size up to 150: 1e-12 leaves a factor of 10.
        for (std::size_t i = 0; i < found.size(); ++i) {
          ASSERT_NEAR(found.data()[i], expected.data()[i], 1e-12 * 150) << "dim " << dim << ", block " << block;
        }
      }
    }
  }
}

TEST(Covariance, KeepsTheDigitsOfASmallSpreadAroundALargeMean) {
  Matrix<float> x = gaussian_rows(1000, 4, 22);
  for (float& v : x.values()) v += 1e4F;
  const Matrix<double> expected = two_pass_covariance(x, true);
  const Matrix<double> found = accumulate(x, 64).covariance(true);
  // Σx² − n·mean² in double would lose 1e8·2^-52 ≈ 2e-8; differences from the first block's mean lose 1e-15.
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found.data()[i], expected.data()[i], 1e-12);
}

TEST(Covariance, IsTheSameForAnyThreadCount) {
  const Matrix<float> x = gaussian_rows(200, 600, 23);
  Matrix<double> first;
  for (const int threads : {1, 4}) {
    const BlasThreads setting(threads);
    Matrix<double> found = accumulate(x, 50).covariance(true);
    if (threads == 1) first = found.clone();
    EXPECT_TRUE(same_bytes<double>(found.values(), first.values()));
  }
}

TEST(Covariance, RefusesNothingAndWrongDimensions) {
  CovarianceAccumulator accumulator(3);
  EXPECT_THROW(accumulator.mean(), Error);
  EXPECT_THROW(accumulator.covariance(true), Error);
  EXPECT_THROW(accumulator.add(Matrix<float>(2, 4)), Error);
  EXPECT_NO_THROW(accumulator.add(Matrix<float>(0, 3)));
}

}  // namespace
}  // namespace signfold
