#include "signfold/base/linalg_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "signfold/base/linalg.h"
#include "signfold/base/parallel.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

Matrix<float> gaussian(std::size_t rows, std::size_t cols, std::uint64_t index) {
  RandomStream stream(12, Purpose::test, index);
  Matrix<float> m(rows, cols);
  for (float& v : m.values()) v = static_cast<float>(stream.normal());
  return m;
}

struct Shape {
  std::size_t inner, cols;
};

class GemmRows : public testing::TestWithParam<Shape> {};

TEST_P(GemmRows, EqualsTheSumWrittenOut) {
  const auto [inner, cols] = GetParam();
  for (const bool transpose : {false, true}) {
    const Matrix<float> a = gaussian(37, inner, 1);
    const Matrix<float> b = transpose ? gaussian(cols, inner, 2) : gaussian(inner, cols, 2);
    Matrix<float> c(37, cols);
    gemm_rows(transpose, a, b, c);
    for (std::size_t i = 0; i < 37; ++i) {
      for (std::size_t j = 0; j < cols; ++j) {
        double sum = 0, magnitude = 0;
        for (std::size_t l = 0; l < inner; ++l) {
          const double term = double{a(i, l)} * (transpose ? b(j, l) : b(l, j));
          sum += term;
          magnitude += std::abs(term);
        }
        // A float sum errs by at most (number of terms)·2^-24 of the sum of magnitudes.
        ASSERT_NEAR(c(i, j), sum, static_cast<double>(inner) * 0x1p-24 * magnitude + 1e-30);
      }
    }
  }
}

TEST_P(GemmRows, BytesOfARowDoNotDependOnNeighboursPlaceOrThreads) {
  const auto [inner, cols] = GetParam();
  for (const bool transpose : {false, true}) {
    const Matrix<float> b = transpose ? gaussian(cols, inner, 3) : gaussian(inner, cols, 3);
    const Matrix<float> x = gaussian(1, inner, 4);
    Matrix<float> alone(1, cols);
    gemm_rows(transpose, x, b, alone);
    for (const int threads : {1, 4}) {
      const BlasThreads setting(threads);
      Matrix<float> batch = gaussian(37, inner, 5);
      Matrix<float> out(37, cols);
      for (std::size_t place = 0; place < 37; ++place) {
        const Matrix<float> other = gaussian(1, inner, 6 + place);
        std::ranges::copy(x.row(0), batch.row(place).begin());
        gemm_rows(transpose, batch, b, out);
        ASSERT_EQ(std::memcmp(out.row(place).data(), alone.data(), cols * sizeof(float)), 0)
            << "place " << place << ", threads " << threads;
        std::ranges::copy(other.row(0), batch.row(place).begin());
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, GemmRows,
                         testing::Values(Shape{1, 1}, Shape{5, 3}, Shape{64, 64}, Shape{100, 37}, Shape{129, 255},
                                         Shape{784, 98}, Shape{1000, 500}));

TEST(GemmRowsOnce, WorksInsideAParallelLoop) {
  const Matrix<float> a = gaussian(64, 20, 50);
  const Matrix<float> b = gaussian(20, 20, 51);
  Matrix<float> serial(64, 20), parallel(64, 20);
  gemm_rows(false, a, b, serial);
  parallel_for(64, 8, 4, [&](std::size_t begin, std::size_t end) {
    gemm_rows(false, a.view().row_range(begin, end - begin), b, parallel.view().row_range(begin, end - begin));
  });
  EXPECT_EQ(std::memcmp(serial.data(), parallel.data(), serial.size() * sizeof(float)), 0);
}

TEST(GemmRowsOnce, RefusesShapesThatDoNotMatch) {
  const Matrix<float> a(3, 4), b(4, 5);
  Matrix<float> wrong_rows(2, 5), wrong_cols(3, 4), empty(0, 5);
  EXPECT_THROW(gemm_rows(false, a, b, wrong_rows), Error);
  EXPECT_THROW(gemm_rows(false, a, b, wrong_cols), Error);
  EXPECT_THROW(gemm_rows(true, a, b, wrong_cols), Error);
  EXPECT_NO_THROW(gemm_rows(false, Matrix<float>(0, 4), b, empty));
}

}  // namespace
}  // namespace signfold
