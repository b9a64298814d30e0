#include "signfold/decoder/mlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/encoder/encoder.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 4711;

void fill(std::span<float> values, std::uint64_t index) {
  RandomStream stream(kSeed, Purpose::test, index);
  for (float& v : values) v = static_cast<float>(stream.normal());
}

MlpDecoder example(std::size_t bits, std::size_t hidden, std::size_t dim) {
  MlpDecoder mlp{Matrix<float>(bits, dim), Matrix<float>(bits, hidden), std::vector<float>(hidden),
                 Matrix<float>(hidden, dim), std::vector<float>(dim)};
  fill(mlp.linear.values(), 1);
  fill(mlp.in.values(), 2);
  fill(mlp.bias, 3);
  fill(mlp.out.values(), 4);
  fill(mlp.offset, 5);
  return mlp;
}

Matrix<std::uint8_t> random_codes(std::size_t rows, std::size_t bits) {
  Matrix<float> u(rows, bits);
  fill(u.values(), 6);
  Matrix<std::uint8_t> codes(rows, code_bytes(bits));
  for (std::size_t i = 0; i < rows; ++i) simd::pack_signs(u.row(i), codes.row(i));
  return codes;
}

/// The formula of mlp.h in double precision.
std::vector<double> plain(const MlpDecoder& mlp, std::span<const std::uint8_t> code) {
  const auto sign = [&](std::size_t i) { return (code[i / 8] >> (i % 8) & 1) != 0 ? 1.0 : -1.0; };
  std::vector<double> x(mlp.offset.begin(), mlp.offset.end());
  for (std::size_t j = 0; j < x.size(); ++j) {
    for (std::size_t i = 0; i < mlp.linear.rows(); ++i) x[j] += sign(i) * static_cast<double>(mlp.linear(i, j));
  }
  for (std::size_t h = 0; h < mlp.hidden(); ++h) {
    double unit = static_cast<double>(mlp.bias[h]);
    for (std::size_t i = 0; i < mlp.in.rows(); ++i) unit += sign(i) * static_cast<double>(mlp.in(i, h));
    for (std::size_t j = 0; j < x.size(); ++j) x[j] += std::max(0.0, unit) * static_cast<double>(mlp.out(h, j));
  }
  return x;
}

TEST(Mlp, DecodesAsItsFormulaSays) {
  for (const auto& [bits, hidden, dim] : {std::array<std::size_t, 3>{1, 1, 1}, {13, 21, 9}, {98, 64, 50}}) {
    const MlpDecoder mlp = example(bits, hidden, dim);
    const Matrix<std::uint8_t> codes = random_codes(37, bits);
    Matrix<float> x(37, dim);
    decode_mlp(mlp, codes, x);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      const std::vector<double> expected = plain(mlp, codes.row(i));
      // float32 sums of a few thousand products of size 1 to 10: rounding of 1e-7 each, at random
      for (std::size_t j = 0; j < dim; ++j) EXPECT_NEAR(x(i, j), expected[j], 2e-3) << bits << " bits, row " << i;
    }
  }
}

TEST(Mlp, ARowDependsOnItsOwnCodeOnly) {
  const MlpDecoder mlp = example(98, 64, 50);
  const Matrix<std::uint8_t> codes = random_codes(45, 98);
  Matrix<float> together(45, 50);
  decode_mlp(mlp, codes, together);
  for (std::size_t i = 0; i < codes.rows(); ++i) {
    Matrix<float> alone(1, 50);
    decode_mlp(mlp, codes.view().row_range(i, 1), alone);
    EXPECT_TRUE(std::ranges::equal(alone.row(0), together.row(i))) << "row " << i;
  }
}

TEST(Mlp, RefusesPartsThatDoNotFit) {
  EXPECT_NO_THROW(check_mlp({}, 3, 4));
  EXPECT_NO_THROW(check_mlp(example(3, 2, 4), 3, 4));
  const auto fits = [](MlpDecoder mlp) {
    return [mlp = std::make_shared<MlpDecoder>(std::move(mlp))] { check_mlp(*mlp, 3, 4); };
  };
  EXPECT_THAT(fits(example(4, 2, 4)), ThrowsMessage<Error>(HasSubstr("2 hidden units do not fit 3 bits")));
  EXPECT_THAT(fits(example(3, 2, 5)), ThrowsMessage<Error>(HasSubstr("do not fit")));
  MlpDecoder short_bias = example(3, 2, 4);
  short_bias.bias.pop_back();
  EXPECT_THAT(fits(std::move(short_bias)), ThrowsMessage<Error>(HasSubstr("do not fit")));
  MlpDecoder broken = example(3, 2, 4);
  broken.out(1, 2) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(fits(std::move(broken)), ThrowsMessage<Error>(HasSubstr("not finite")));
}

}  // namespace
}  // namespace signfold
