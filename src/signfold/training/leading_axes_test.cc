#include "signfold/training/leading_axes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/decoder/staged_for_test.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kDim = 40;

/// Coordinates of deviation 1, 0.8, 0.64, …, turned by a fixed mixing matrix.
Matrix<float> steep_rows(std::size_t rows, std::uint64_t index) {
  const Matrix<float> normal = testing::normal_rows(rows, kDim, index);
  Matrix<double> turn(kDim, kDim);
  const Matrix<float> start = testing::normal_rows(kDim, kDim, 5);
  std::ranges::copy(start.values(), turn.values().begin());
  orthonormalize_rows(turn);
  Matrix<float> x(rows, kDim);
  for (std::size_t i = 0; i < rows; ++i) {
    double deviation = 1;
    for (std::size_t k = 0; k < kDim; ++k, deviation *= 0.8) {
      for (std::size_t j = 0; j < kDim; ++j) x(i, j) += static_cast<float>(deviation * normal(i, k) * turn(k, j));
    }
  }
  return x;
}

struct Steep {
  Matrix<float> rows = steep_rows(4096, 1);  // 32768 vectors are eight passes: every vector counts the same
  std::unique_ptr<Batches> batches = data_batches(rows, 3);
  Team team{2};
};

SymmetricEigen moments_of(const Matrix<float>& x) {
  Matrix<double> wide(x.rows(), x.cols());
  std::ranges::copy(x.values(), wide.values().begin());
  Matrix<double> moments(x.cols(), x.cols());
  gemm(true, false, 1.0 / static_cast<double>(x.rows()), wide, wide, 0.0, moments);
  return symmetric_eigen(moments);
}

TEST(LeadingAxes, HoldAsMuchAsThePrincipalAxesOfTheSecondMoments) {
  Steep steep;
  const SymmetricEigen exact = moments_of(steep.rows);
  for (const std::size_t count : {1U, 6U, 20U, 40U}) {
    const LeadingAxes axes = leading_axes(*steep.batches, count, 1, steep.team);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        double product = 0;
        for (std::size_t k = 0; k < kDim; ++k) product += double{axes.rows(i, k)} * axes.rows(j, k);
        EXPECT_NEAR(product, i == j ? 1 : 0, 1e-6);
      }
    }
    Matrix<float> y(steep.rows.rows(), count);
    along(axes, steep.rows, y, steep.team);
    double held = 0;
    double most = 0;
    for (std::size_t k = 0; k < count; ++k) {
      double variance = 0;
      for (std::size_t i = 0; i < y.rows(); ++i) variance += double{y(i, k)} * y(i, k);
      variance *= double{axes.unit} * axes.unit / static_cast<double>(y.rows());
      // Variances fall by 0.64 an axis, and the nearest axis left out is the ninth behind: five rounds leave next to
      // nothing of it, (0.64^9)^10, so that what is left is rounding.
      EXPECT_NEAR(variance, exact.values[k], 1e-3 * exact.values[k]) << "axis " << k << " of " << count;
      held += variance;
      most += exact.values[k];
    }
    EXPECT_NEAR(held, most, 1e-5 * most);
    EXPECT_NEAR(held, axes.unit * axes.unit * static_cast<double>(count), 1e-5 * held);
  }
}

TEST(LeadingAxes, DoNotDependOnTheNumberOfThreads) {
  Steep steep;
  const LeadingAxes two = leading_axes(*steep.batches, 7, 1, steep.team);
  Team alone(1);
  const LeadingAxes one = leading_axes(*steep.batches, 7, 1, alone);
  EXPECT_TRUE(std::ranges::equal(one.rows.values(), two.rows.values()));
  EXPECT_EQ(one.unit, two.unit);
}

TEST(LeadingAxes, BatchesAlongThemAreTheBatchesTurned) {
  Steep steep;
  const LeadingAxes axes = leading_axes(*steep.batches, 5, 1, steep.team);
  const std::unique_ptr<Batches> batches = batches_along(*steep.batches, axes);
  EXPECT_EQ(batches->dim(), 5);
  for (const auto& [first, count] : {std::pair{0U, 64U}, std::pair{64U, 31U}}) {
    Matrix<float> x(count, kDim);
    Matrix<float> y(count, 5);
    steep.batches->fill(first, x, steep.team);
    batches->fill(first, y, steep.team);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < 5; ++k) {
        double expected = 0;
        for (std::size_t j = 0; j < kDim; ++j) expected += double{x(i, j)} * axes.rows(k, j);
        EXPECT_NEAR(y(i, k), expected / axes.unit, 1e-5);
      }
    }
  }
}

TEST(LeadingAxes, StagesInAllCoordinatesDoTheSame) {
  Steep steep;
  const LeadingAxes axes = leading_axes(*steep.batches, 12, 1, steep.team);
  std::vector<Stage> narrow = testing::random_stages({7, 9}, 5, 12);
  const TrainedStages wide(in_all_coordinates(narrow, axes));
  const TrainedStages code(std::move(narrow));
  const Matrix<float> x = steep_rows(300, 9);
  Matrix<float> y(x.rows(), 12);
  along(axes, x, y, steep.team);
  Matrix<std::uint8_t> codes(x.rows(), 2);
  Matrix<std::uint8_t> wide_codes(x.rows(), 2);
  code.encode(y, codes);
  wide.encode(x, wide_codes);
  std::size_t other = 0;
  for (std::size_t i = 0; i < x.rows(); ++i) other += !std::ranges::equal(codes.row(i), wide_codes.row(i));
  EXPECT_LE(other, 1U);  // a score that is 0 but for rounding: 4800 scores, each within 1e-6 of 0 by chance
  for (const std::size_t stages : {1U, 2U}) {
    Matrix<float> narrow_estimate(x.rows(), 12);
    Matrix<float> estimate(x.rows(), kDim);
    code.decode(codes, stages, narrow_estimate);
    wide.decode(codes, stages, estimate);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      for (std::size_t j = 0; j < kDim; ++j) {
        double expected = 0;
        for (std::size_t k = 0; k < 12; ++k) expected += double{narrow_estimate(i, k)} * axes.rows(k, j);
        ASSERT_NEAR(estimate(i, j), expected * axes.unit, 1e-4);
      }
    }
  }
}

TEST(LeadingAxes, RefusesWhatMakesNoSense) {
  Steep steep;
  EXPECT_THAT([&] { leading_axes(*steep.batches, 0, 1, steep.team); }, ThrowsMessage<Error>(HasSubstr("take 1 to 40")));
  EXPECT_THAT([&] { leading_axes(*steep.batches, 41, 1, steep.team); },
              ThrowsMessage<Error>(HasSubstr("41 axes of vectors of 40 coordinates")));
  Matrix<float> flat(100, 10);
  for (std::size_t i = 0; i < 100; ++i) flat(i, 3) = static_cast<float>(i % 7) - 3;
  const std::unique_ptr<Batches> batches = data_batches(flat, 1);
  EXPECT_THAT([&] { leading_axes(*batches, 4, 1, steep.team); },
              ThrowsMessage<Error>(HasSubstr("do not vary along 4 axes: take fewer")));
}

}  // namespace
}  // namespace signfold
