#include "signfold/source/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "signfold/base/error.h"

namespace signfold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Matrix<float> counting(std::size_t rows, std::size_t dim) {
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i + 1);
  return x;
}

TEST(Mask, KeepsTheRightShareAndRescalesIt) {
  for (const double keep : {0.1, 0.5, 0.9}) {
    SCOPED_TRACE(keep);
    const Matrix<float> x = counting(200, 500);
    Matrix<float> masked = x.clone();
    mask_rows(keep, 20240608, 0, masked);
    double kept = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (masked.data()[i] == 0) continue;
      ++kept;
      EXPECT_FLOAT_EQ(masked.data()[i], x.data()[i] / static_cast<float>(std::sqrt(keep)));
    }
    const auto n = static_cast<double>(x.size());
    EXPECT_NEAR(kept / n, keep, 5 * std::sqrt(keep * (1 - keep) / n)) << "seed 20240608";
  }
}

TEST(Mask, CoordinatesAndRowsAreIndependent) {
  const std::size_t rows = 4000, dim = 6;
  Matrix<float> x(rows, dim);
  std::ranges::fill(x.values(), 1.0F);
  mask_rows(0.5, 7, 0, x);
  // ±1 by kept or not: products of two places have mean 0 and variance 1.
  const auto sign = [&](std::size_t i, std::size_t j) { return x(i, j) > 0 ? 1.0 : -1.0; };
  const double bound = 5 / std::sqrt(static_cast<double>(rows));
  for (std::size_t j = 0; j < dim; ++j) {
    double next_row = 0, other = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      next_row += sign(i, j) * sign((i + 1) % rows, j);
      other += sign(i, j) * sign(i, (j + 1) % dim);
    }
    EXPECT_NEAR(next_row / rows, 0, bound) << "seed 7";
    EXPECT_NEAR(other / rows, 0, bound) << "seed 7";
  }
}

TEST(Mask, OneKeepsTheBytes) {
  Matrix<float> x = counting(3, 4);
  mask_rows(1, 1, 0, x);
  EXPECT_TRUE(std::ranges::equal(x.values(), counting(3, 4).values()));
}

TEST(Mask, IsAFunctionOfSeedAndVisit) {
  const auto masked = [](std::uint64_t seed, std::uint64_t first) {
    Matrix<float> x = counting(4, 64);
    mask_rows(0.5, seed, first, x);
    return x;
  };
  const Matrix<float> x = masked(1, 10);
  EXPECT_TRUE(std::ranges::equal(x.values(), masked(1, 10).values()));
  EXPECT_FALSE(std::ranges::equal(x.values(), masked(2, 10).values()));
  EXPECT_FALSE(std::ranges::equal(x.values(), masked(1, 14).values()));
  // Visit 12 has one mask, wherever it stands in a batch.
  const Matrix<float> later = masked(1, 12);
  for (std::size_t j = 0; j < 64; ++j) EXPECT_EQ(x(2, j) == 0, later(0, j) == 0);
}

TEST(MaskedSource, IsTheSameForEveryReadingAndBlockSize) {
  const Matrix<float> x = counting(50, 12);
  const auto source = masked_source(matrix_source(x, "counting"), 0.3, 5);
  EXPECT_EQ(source->rows(), 50U);
  EXPECT_EQ(source->dim(), 12U);
  EXPECT_EQ(source->description(), "counting, masked (keep 0.3, seed 5)");
  Matrix<float> expected = x.clone();
  mask_rows(0.3, 5, 0, expected);
  for (const std::size_t rows : {1, 7, 100}) {
    source->rewind();
    Matrix<float> block(rows, 12);
    std::size_t begin = 0;
    while (const std::size_t count = source->read(block)) {
      for (std::size_t i = 0; i < count; ++i, ++begin) {
        EXPECT_TRUE(std::ranges::equal(block.row(i), expected.row(begin))) << "row " << begin;
      }
    }
    EXPECT_EQ(begin, 50U);
  }
  EXPECT_TRUE(std::ranges::equal(read_all(*source).values(), expected.values()));
}

TEST(Mask, RefusesImpossibleProbabilities) {
  Matrix<float> x = counting(1, 1);
  for (const double keep : {0.0, -0.5, 1.5, std::nan("")}) {
    EXPECT_THAT([&] { mask_rows(keep, 1, 0, x); }, ThrowsMessage<Error>(HasSubstr("(0, 1]")));
    EXPECT_THROW(masked_source(matrix_source(x, "x"), keep, 1), Error);
  }
}

}  // namespace
}  // namespace signfold
