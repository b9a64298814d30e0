#include "signfold/simd/kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/simd/kernels_for_test.h"
#include "signfold/simd/plain.h"

namespace signfold {
namespace {

using testing::bytes;
using testing::Guarded;
using ::testing::HasSubstr;
using testing::kSeed;
using testing::lengths;
using testing::numbers;
using testing::same_bits;
using ::testing::ThrowsMessage;

std::vector<std::uint8_t> bits(std::size_t n) { return bytes((n + 7) / 8); }

/// Runs `kernel` and `twin` on copies of `start` at several alignments and expects the same bits.
template <class T, class Kernel, class Twin>
void expect_same(std::span<const T> start, const Kernel& kernel, const Twin& twin) {
  std::vector<T> expected(start.begin(), start.end());
  twin(std::span<T>(expected));
  for (const std::size_t offset : {0, 1, 3}) {
    Guarded<T> actual(start, offset);
    kernel(actual.values());
    ASSERT_TRUE(same_bits<T>(actual.values(), expected)) << "length " << start.size() << ", offset " << offset;
    ASSERT_TRUE(actual.guards_intact()) << "length " << start.size() << ", offset " << offset;
  }
}

simd::Cubic cubic(std::size_t intervals) {
  RandomStream stream(kSeed, Purpose::test, intervals);
  simd::Cubic f{.origin = -1.3F,
                .inverse_step = static_cast<float>(intervals) / 2.7F,
                .left_slope = 0.25F,
                .right_slope = -1.75F,
                .coefficients = std::vector<float>(4 * intervals),
                .right_value = 0.4F};
  for (float& c : f.coefficients) c = static_cast<float>(stream.normal());
  return f;
}

class Kernels : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { simd::force_target(GetParam()); }
  void TearDown() override { simd::force_target(""); }
};

TEST_P(Kernels, TheForcedTargetIsTheOneThatRuns) { EXPECT_EQ(simd::active_target(), GetParam()); }

TEST_P(Kernels, FlipSigns) {
  for (const std::size_t n : lengths()) {
    const std::vector<std::uint8_t> signs = bits(n);
    expect_same<float>(
        numbers(n), [&](std::span<float> x) { simd::flip_signs(x, signs); },
        [&](std::span<float> x) { plain::flip_signs(x, signs); });
  }
}

TEST_P(Kernels, Scale) {
  for (const std::size_t n : lengths()) {
    expect_same<float>(
        numbers(n), [](std::span<float> x) { simd::scale(x, 0.3F); },
        [](std::span<float> x) { plain::scale(x, 0.3F); });
  }
}

TEST_P(Kernels, PackSigns) {
  for (const std::size_t n : lengths()) {
    const std::vector<float> u = numbers(n);
    const std::vector<std::uint8_t> old((n + 7) / 8, 0xff);  // what was there before must not shine through
    expect_same<std::uint8_t>(
        old, [&](std::span<std::uint8_t> codes) { simd::pack_signs(u, codes); },
        [&](std::span<std::uint8_t> codes) { plain::pack_signs(u, codes); });
  }
}

TEST_P(Kernels, UnpackSigns) {
  for (const std::size_t n : lengths()) {
    const std::vector<std::uint8_t> codes = bits(n);
    expect_same<float>(
        numbers(n), [&](std::span<float> z) { simd::unpack_signs(codes, 0.7F, z); },
        [&](std::span<float> z) { plain::unpack_signs(codes, 0.7F, z); });
  }
}

TEST_P(Kernels, TableInPlace) {
  for (const std::size_t intervals : {1, 2, 16, 1000}) {
    const simd::Cubic f = cubic(intervals);
    for (const std::size_t n : lengths()) {
      expect_same<float>(
          numbers(n), [&](std::span<float> y) { simd::table(f, y, y); },
          [&](std::span<float> y) { plain::table(f, y, y); });
    }
  }
}

TEST_P(Kernels, TableAtKnotsAndAtTheEndsOfTheNumberLine) {
  const float huge = std::numeric_limits<float>::max();
  const float tiny = std::numeric_limits<float>::denorm_min();
  simd::Cubic f = cubic(27);  // 27 / 2.7: knots every 0.1
  f.left_slope = 0;           // with it 0·∞ would show as NaN
  std::vector<float> x = {-huge, huge, -1e30F, 1e30F, -2e9F, 3e9F, tiny, -tiny, 0.0F, -0.0F, f.origin};
  for (int k = -2; k <= 29; ++k) {
    const float knot = f.origin + 0.1F * static_cast<float>(k);
    for (const float v : {std::nextafter(knot, -huge), knot, std::nextafter(knot, huge)}) x.push_back(v);
  }
  expect_same<float>(
      x, [&](std::span<float> y) { simd::table(f, y, y); }, [&](std::span<float> y) { plain::table(f, y, y); });
  std::vector<float> y(x.size());
  simd::table(f, x, y);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_FALSE(std::isnan(y[i])) << "at x = " << x[i];
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, Kernels, ::testing::ValuesIn(simd::supported_targets()),
                         [](const auto& test) { return test.param; });

TEST(Targets, TheBestOneIsTheDefault) {
  simd::force_target("");
  EXPECT_EQ(simd::active_target(), simd::supported_targets().front());
}

TEST(Targets, UnknownOnesAreRefusedByName) {
  EXPECT_THAT([] { simd::force_target("MMX"); }, ThrowsMessage<Error>(HasSubstr("'MMX' is not available")));
}

TEST(KernelErrors, WrongSizesAreRefused) {
  std::vector<float> x(12);
  std::vector<std::uint8_t> one_byte(1);
  const simd::Cubic empty;
  EXPECT_THAT([&] { simd::flip_signs(x, one_byte); }, ThrowsMessage<Error>(HasSubstr("12 elements")));
  EXPECT_THAT([&] { simd::pack_signs(x, one_byte); }, ThrowsMessage<Error>(HasSubstr("12 elements")));
  EXPECT_THAT([&] { simd::unpack_signs(one_byte, 1, x); }, ThrowsMessage<Error>(HasSubstr("12 elements")));
  EXPECT_THAT([&] { simd::table(empty, x, x); }, ThrowsMessage<Error>(HasSubstr("0 coefficients")));
  EXPECT_THAT([&] { simd::table(cubic(1), x, std::span(x).first(3)); }, ThrowsMessage<Error>(HasSubstr("room for 3")));
}

// The twins themselves, against the definitions.

TEST(Plain, HadamardIsTheMatrixOfParities) {
  const std::size_t n = 64;
  const std::vector<float> x = numbers(n);
  std::vector<float> fast = x;
  plain::hadamard(fast);
  double size = 0;
  for (const float v : x) size += std::abs(v);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += __builtin_parityll(i & j) != 0 ? -x[j] : x[j];
    EXPECT_NEAR(fast[i], sum, 6 * 0x1p-24 * size) << "i = " << i;  // six stages, each rounds once: u·Σ|x| per stage
  }
}

TEST(Plain, TheSignOfMinusZeroIsPositive) {
  const std::vector<float> u = {-0.0F, 0.0F, -1e-45F, 1e-45F, std::numeric_limits<float>::quiet_NaN(), -1, 2, 3, -4};
  std::vector<std::uint8_t> codes(2);
  plain::pack_signs(u, codes);
  EXPECT_EQ(codes[0], 0b11001011);
  EXPECT_EQ(codes[1], 0);
}

TEST(Plain, TableIsTheCubicOfTheInterval) {
  const simd::Cubic f{.origin = 1,
                      .inverse_step = 2,
                      .left_slope = 3,
                      .right_slope = -5,
                      .coefficients = {1, 2, 4, 8, 15, 0, 0, -1},
                      .right_value = 14};
  const std::vector<float> x = {1, 1.25F, 1.5F, 1.75F, 2, 3, 0};
  std::vector<float> y(x.size());
  plain::table(f, x, y);
  // Exact in binary: t = 0, ½ in the first interval; 0, ½ in the second; then the last knot, one beyond, one before.
  EXPECT_THAT(y, ::testing::ElementsAre(1, 1 + 1 + 1 + 1, 15, 15 - 0.125F, 14, 14 - 5, 1 - 3));
}

}  // namespace
}  // namespace signfold
