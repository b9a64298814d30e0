#include "signfold/training/retraction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/encoder/dense.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 7;

/// Gaussian entries of the given standard deviation, added to b.
void add_noise(double deviation, std::uint64_t index, MatrixView<float> b) {
  RandomStream stream(kSeed, Purpose::test, index);
  for (std::size_t i = 0; i < b.rows; ++i) {
    for (float& v : b.row(i)) v = static_cast<float>(v + deviation * stream.normal());
  }
}

/// Orthonormal rows, and what a training step of root mean square length `length` makes of each of them.
Matrix<float> after_a_step(std::size_t n, std::size_t d, double length) {
  Matrix<float> b = explicit_matrix(*make_haar({.dim = d, .bits = n}, kSeed));
  add_noise(length / std::sqrt(static_cast<double>(d)), n * d, b);
  return b;
}

/// The slow way in double precision: (b bᵀ)^(−1/2) b, from the eigenvectors of b bᵀ.
Matrix<double> polar_factor(MatrixView<const float> b) {
  Matrix<double> wide(b.rows, b.cols);
  for (std::size_t i = 0; i < b.rows; ++i) std::ranges::copy(b.row(i), wide.row(i).begin());
  Matrix<double> gram(b.rows, b.rows);
  gemm(false, true, 1.0, wide, wide, 0.0, gram);
  const SymmetricEigen eigen = symmetric_eigen(gram);
  Matrix<double> coordinates(b.rows, b.cols);  // of b in the eigenvectors, each divided by its singular value
  gemm(false, false, 1.0, eigen.vectors, wide, 0.0, coordinates);
  for (std::size_t k = 0; k < b.rows; ++k) {
    for (double& v : coordinates.row(k)) v /= std::sqrt(eigen.values[k]);
  }
  Matrix<double> polar(b.rows, b.cols);
  gemm(true, false, 1.0, eigen.vectors, coordinates, 0.0, polar);
  return polar;
}

double largest_difference(const Matrix<float>& a, const Matrix<double>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a.values()[i]) - b.values()[i]));
  }
  return worst;
}

/// Largest entry of b bᵀ − I.
double deviation(const Matrix<float>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < b.rows(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = i == j ? -1 : 0;
      for (std::size_t k = 0; k < b.cols(); ++k) sum += static_cast<double>(b(i, k)) * static_cast<double>(b(j, k));
      worst = std::max(worst, std::abs(sum));
    }
  }
  return worst;
}

void retract(Matrix<float>& b, int threads = 1) {
  Team team(threads);
  Retraction(b.rows(), b.cols())(b, team);
}

struct Shape {
  std::size_t n;
  std::size_t d;
};
class Retractions : public ::testing::TestWithParam<Shape> {};

// From singular values 1 + e one iteration leaves 1 − 3e²/2: the two matrices differ by at most that, the squared norm
// of what was added. The norm of an n × d Gaussian matrix of deviation s is s(√n + √d); 1.2 times that has no chance.
TEST_P(Retractions, OfASmallStepIsThePolarFactorUpToItsSquare) {
  const auto [n, d] = GetParam();
  constexpr double kLength = 0.005;
  Matrix<float> b = after_a_step(n, d, kLength);
  const Matrix<double> polar = polar_factor(b);
  const double before = largest_difference(b, polar);
  retract(b);
  const double norm = 1.2 * kLength * (1 + std::sqrt(static_cast<double>(n) / static_cast<double>(d)));
  EXPECT_LT(largest_difference(b, polar), 1.5 * norm * norm + 1e-6) << "seed " << kSeed;
  EXPECT_LT(largest_difference(b, polar), before / 5) << "and it is much closer than no retraction at all";
  EXPECT_LT(deviation(b), 1e-2);
}

// Far away, from rows that are not even of norm 1, and repeated: the limit is the polar factor to float32 precision.
TEST_P(Retractions, RepeatedIsThePolarFactor) {
  const auto [n, d] = GetParam();
  for (const double length : {0.3, 30.0}) {
    Matrix<float> b = after_a_step(n, d, length);
    const Matrix<double> polar = polar_factor(b);
    for (int k = 0; k < 3; ++k) {
      retract(b);
      EXPECT_LT(deviation(b), 1e-2) << "length " << length << ", time " << k;
    }
    // A product of float32 matrices has entries good to 2⁻²⁴ times a few; the many iterations from far away carry the
    // directions of the smallest singular values, which rounding knows worst: a hundredth of them at length 30.
    EXPECT_LT(largest_difference(b, polar), length < 1 ? 2e-6 : 2e-4) << "length " << length << ", seed " << kSeed;
    EXPECT_LT(deviation(b), 3e-6);
  }
}

TEST_P(Retractions, LeaveOrthonormalRowsAlone) {
  const auto [n, d] = GetParam();
  const Matrix<float> rows = explicit_matrix(*make_haar({.dim = d, .bits = n}, kSeed));
  Matrix<float> b = rows.clone();
  retract(b);
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_NEAR(b.values()[i], rows.values()[i], 1e-6F);  // a few roundings
}

TEST_P(Retractions, DoNotDependOnTheNumberOfThreads) {
  const auto [n, d] = GetParam();
  Matrix<float> expected = after_a_step(n, d, 0.5);
  retract(expected, 1);
  for (const int threads : {2, 3}) {
    Matrix<float> b = after_a_step(n, d, 0.5);
    retract(b, threads);
    EXPECT_TRUE(std::ranges::equal(b.values(), expected.values())) << threads << " threads";
  }
}

// One row, a square, and more rows than one thread takes at a time (128), not a multiple of it.
INSTANTIATE_TEST_SUITE_P(Shapes, Retractions, ::testing::Values(Shape{1, 5}, Shape{30, 30}, Shape{150, 190}),
                         [](const auto& test) { return fmt::format("{}x{}", test.param.n, test.param.d); });

TEST(Retraction, RefusesDependentRows) {
  Matrix<float> b = after_a_step(4, 9, 0.1);
  std::ranges::copy(b.row(1), b.row(3).begin());
  EXPECT_THAT([&] { retract(b); }, ThrowsMessage<Error>(HasSubstr("dependent rows; take a smaller step size")));
  Matrix<float> tall(5, 3);
  add_noise(1, 1, tall);
  EXPECT_THAT([&] { retract(tall); }, ThrowsMessage<Error>(HasSubstr("dependent rows")));
}

TEST(Retraction, RefusesNumbersThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30F}) {
    for (const std::size_t row : {0, 3}) {
      Matrix<float> b = after_a_step(4, 9, 0.1);
      b(row, 5) = bad;  // the square of 1e30 is infinite
      EXPECT_THAT([&] { retract(b); }, ThrowsMessage<Error>(HasSubstr("not finite"))) << bad << " in row " << row;
    }
  }
}

TEST(Retraction, RefusesOtherShapes) {
  Team team(1);
  Retraction retraction(4, 9);
  for (const auto& [n, d] : {Shape{4, 8}, Shape{3, 9}, Shape{5, 9}}) {
    Matrix<float> b = after_a_step(n, d, 0.1);
    EXPECT_THROW(retraction(b, team), Error) << n << " x " << d;
  }
}

}  // namespace
}  // namespace signfold
