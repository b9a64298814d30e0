#include "signfold/encoder/mixed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/encoder/dense.h"
#include "signfold/encoder/fast_rotation.h"
#include "signfold/encoder/testing.h"

namespace signfold {
namespace {

using testing::distance;
using ::testing::HasSubstr;
using testing::kRounding;
using testing::product;
using testing::scaled_identity;
using ::testing::ThrowsMessage;
using testing::to_double;

constexpr std::uint64_t kSeed = 9;
constexpr double kM = 0.85;

/// Block b by its definition: Rᵀ C R, C = [[m, s], [−s, m]] on neighbours and 1 on the coordinate left over.
Matrix<double> block_by_definition(std::size_t d, std::uint64_t b) {
  const FastRotation rotation(d, kSeed, Purpose::mixed, 8 * b);
  Matrix<double> r(d, d);
  for (std::size_t j = 0; j < d; ++j) {
    std::vector<float> column(d);
    column[j] = 1;
    rotation.forward(column, 1, column);
    for (std::size_t i = 0; i < d; ++i) r(i, j) = rotation.scale() * column[i];
  }
  const double s = std::sqrt(1 - kM * kM);
  Matrix<double> c = scaled_identity(d, kM);
  for (std::size_t i = 0; i + 1 < d; i += 2) {
    c(i, i + 1) = s;
    c(i + 1, i) = -s;
  }
  if (d % 2 != 0) c(d - 1, d - 1) = 1;
  return product(true, false, r, product(false, false, c, r));
}

/// Row i of an encoder against row `row` of block b.
double row_distance(const Matrix<float>& b, std::size_t i, const Matrix<double>& block, std::size_t row) {
  double largest = 0;
  for (std::size_t j = 0; j < b.cols(); ++j) largest = std::max(largest, std::abs(b(i, j) - block(row, j)));
  return largest;
}

TEST(Mixed, IsItsDefinition) {
  for (const std::size_t d : {1, 2, 3, 5, 8, 100, 101}) {
    const Matrix<double> b = to_double(explicit_matrix(*make_mixed({d, d}, kM, kSeed)));
    EXPECT_LT(distance(b, block_by_definition(d, 0)), kRounding) << "d = " << d;
  }
}

TEST(Mixed, KeepsRandomRowsAndStacksIndependentBlocks) {
  const std::size_t d = 30;
  const std::size_t n = 2 * d + 7;
  const Matrix<float> b = explicit_matrix(*make_mixed({d, n}, kM, kSeed));
  RandomStream stream(kSeed, Purpose::hadamard_keep, 2);
  const std::vector<std::uint32_t> keep = random_subset(stream, d, 7);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t block = i / d;
    const std::size_t row = block < 2 ? i % d : keep[i % d];
    EXPECT_LT(row_distance(b, i, block_by_definition(d, block), row), kRounding) << "row " << i;
  }
  EXPECT_GT(distance(block_by_definition(d, 0), block_by_definition(d, 1)), 0.1);
}

TEST(Mixed, WithTheWholeWeightIsTheIdentity) {
  for (const EncoderShape shape : {EncoderShape{20, 20}, {21, 21}, {20, 7}, {20, 40}}) {
    const Matrix<double> mixed = to_double(explicit_matrix(*make_mixed(shape, 1, kSeed)));
    EXPECT_EQ(distance(mixed, to_double(explicit_matrix(*make_identity(shape, kSeed)))), 0);
  }
}

TEST(Mixed, RefusesWeightsThatAreNone) {
  for (const double m : {-0.1, 1.5, std::nan(""), double{INFINITY}}) {
    EXPECT_THAT([m] { make_mixed({4, 4}, m, 1); }, ThrowsMessage<Error>(HasSubstr("between 0 and 1")));
  }
}

TEST(Identity, RepeatsCyclically) {
  const Matrix<float> b = explicit_matrix(*make_identity({3, 8}, 1));
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(b(i, j), i % 3 == j ? 1 : 0);
  }
}

TEST(Identity, KeepsDistinctCoordinatesInOrder) {
  const Matrix<float> b = explicit_matrix(*make_identity({50, 20}, 1));
  std::size_t next = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    while (next < 50 && b(i, next) == 0) ++next;
    ASSERT_LT(next, 50U) << "row " << i;
    EXPECT_EQ(b(i, next++), 1);
  }
}

}  // namespace
}  // namespace signfold
