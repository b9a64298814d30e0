#include "signfold/encoder/fast_rotation.h"

#include <gtest/gtest.h>

#include <bit>

#include "signfold/encoder/testing.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

using testing::distance;
using testing::kRounding;
using testing::product;
using testing::scaled_identity;

constexpr std::uint64_t kSeed = 11;
constexpr std::uint64_t kFirst = 40;

/// One step by its definition: H·D with D the signs and H the orthonormal Hadamard matrix on the 2^k coordinates from
/// `offset` on, the identity elsewhere.
Matrix<double> step_matrix(std::size_t n, std::size_t step, std::size_t offset) {
  const std::size_t power = std::bit_floor(n);
  RandomStream stream(kSeed, Purpose::test, kFirst + step);
  std::vector<double> sign(power);
  std::uint32_t word = 0;
  for (std::size_t j = 0; j < power; ++j) {
    if (j % 32 == 0) word = stream.bits32();
    sign[j] = (word >> (j % 32) & 1) == 0 ? 1 : -1;
  }
  Matrix<double> h = scaled_identity(n, 1);
  for (std::size_t i = 0; i < power; ++i) {
    for (std::size_t j = 0; j < power; ++j) {
      const double entry = std::popcount(i & j) % 2 == 0 ? 1 : -1;
      h(offset + i, offset + j) = entry * sign[j] / std::sqrt(static_cast<double>(power));
    }
  }
  return h;
}

Matrix<double> rotation_by_definition(std::size_t n) {
  const std::size_t last = n - std::bit_floor(n);
  std::vector<std::size_t> offsets = {0, 0, 0};
  if (last != 0) offsets = {0, last, last / 2, 0, last};
  Matrix<double> r = scaled_identity(n, 1);
  for (std::size_t k = 0; k < offsets.size(); ++k) r = product(false, false, step_matrix(n, k, offsets[k]), r);
  return r;
}

class Sizes : public ::testing::TestWithParam<std::size_t> {
 protected:
  FastRotation rotation_{GetParam(), kSeed, Purpose::test, kFirst};
};

TEST_P(Sizes, IsTheProductOfItsSteps) {
  const std::size_t n = GetParam();
  Matrix<double> columns(n, n);
  Matrix<double> rows(n, n);
  for (std::size_t j = 0; j < n; ++j) {
    std::vector<float> forward(n);
    forward[j] = 1;
    std::vector<float> backward = forward;
    rotation_.forward(forward, 1, forward);
    rotation_.backward(backward, 1, backward);
    for (std::size_t i = 0; i < n; ++i) {
      columns(i, j) = rotation_.scale() * forward[i];
      rows(j, i) = rotation_.scale() * backward[i];
    }
  }
  const Matrix<double> expected = rotation_by_definition(n);
  EXPECT_LT(distance(columns, expected), kRounding);
  EXPECT_LT(distance(rows, expected), kRounding);
  EXPECT_LT(distance(product(false, true, expected, expected), scaled_identity(n, 1)), 1e-13);  // double precision
}

INSTANTIATE_TEST_SUITE_P(FastRotation, Sizes, ::testing::Values(1, 2, 3, 4, 5, 7, 8, 12, 33, 64, 100, 129));

TEST(FastRotation, BackwardUndoesForward) {
  for (const std::size_t n : {1, 2, 3, 784, 1000, 1024, 3072}) {
    const FastRotation rotation(n, kSeed, Purpose::test, kFirst);
    const Matrix<float> x = testing::random_matrix(1, n, n);
    Matrix<float> y(1, n);
    rotation.forward(x.row(0), 1, y.row(0));
    rotation.backward(y.row(0), static_cast<float>(rotation.scale() * rotation.scale()), y.row(0));
    EXPECT_LT(distance(testing::to_double(x), testing::to_double(y)), kRounding) << "n = " << n;
  }
}

TEST(FastRotation, OutOfPlaceIsInPlaceAndBitsAreItsSigns) {
  for (const std::size_t n : {1, 2, 3, 784, 1000, 1024, 8192}) {
    const FastRotation rotation(n, kSeed, Purpose::test, kFirst);
    const Matrix<float> x = testing::random_matrix(1, n, n);
    Matrix<float> apart(1, n);
    Matrix<float> in_place = x.clone();
    rotation.forward(x.row(0), 0.3F, apart.row(0));
    rotation.forward(in_place.row(0), 1, in_place.row(0));
    simd::scale(in_place.row(0), 0.3F);
    EXPECT_TRUE(testing::same_bytes(apart.values(), in_place.values())) << "n = " << n;

    std::vector<std::uint8_t> expected((n + 7) / 8);
    std::vector<std::uint8_t> codes((n + 7) / 8, 0xff);
    simd::pack_signs(apart.row(0), expected);
    rotation.encode(x.row(0), apart.row(0), codes);
    EXPECT_EQ(codes, expected) << "n = " << n;

    rotation.backward(x.row(0), 0.3F, apart.row(0));
    in_place = x.clone();
    rotation.backward(in_place.row(0), 0.3F, in_place.row(0));
    EXPECT_TRUE(testing::same_bytes(apart.values(), in_place.values())) << "n = " << n;
  }
}

}  // namespace
}  // namespace signfold
