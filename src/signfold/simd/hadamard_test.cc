#include "signfold/simd/hadamard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/kernels_for_test.h"
#include "signfold/simd/plain.h"

namespace signfold {
namespace {

using testing::bytes;
using testing::Guarded;
using ::testing::HasSubstr;
using testing::numbers;
using testing::same_bits;
using ::testing::ThrowsMessage;

std::vector<std::uint8_t> bits(std::size_t n, std::uint64_t seed) { return bytes((n + 7) / 8, seed); }

/// The definition, one plain kernel after the other.
std::vector<float> oracle(const simd::SignedHadamard& step, std::vector<float> x) {
  if (!step.before.empty()) plain::flip_signs(x, step.before);
  plain::hadamard(x);
  plain::scale(x, step.factor);
  if (!step.after.empty()) plain::flip_signs(x, step.after);
  return x;
}

/// Apart and in place, at several alignments, against the definition.
void expect_oracle(const simd::SignedHadamard& step, std::span<const float> x) {
  const std::vector<float> expected = oracle(step, {x.begin(), x.end()});
  for (const std::size_t offset : {0, 1, 3}) {
    Guarded<float> in_place(x, offset);
    simd::signed_hadamard(step, in_place.values(), in_place.values());
    ASSERT_TRUE(same_bits<float>(in_place.values(), expected)) << "length " << x.size() << ", offset " << offset;
    ASSERT_TRUE(in_place.guards_intact()) << "length " << x.size() << ", offset " << offset;
    std::vector<float> apart(x.size(), 77.0F);
    simd::signed_hadamard(step, x, apart);
    ASSERT_TRUE(same_bits<float>(apart, expected)) << "length " << x.size() << ", offset " << offset;
  }
}

class HadamardKernels : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { simd::force_target(GetParam()); }
  void TearDown() override { simd::force_target(""); }
};

TEST_P(HadamardKernels, Alone) {
  for (std::size_t n = 1; n <= 1 << 15; n *= 2) {
    const std::vector<float> x = numbers(n);
    expect_oracle({}, x);
    std::vector<float> actual = x;
    simd::hadamard(actual);
    ASSERT_TRUE(same_bits<float>(actual, oracle({}, x))) << "length " << n;
  }
}

TEST_P(HadamardKernels, WithSignsAndAFactor) {
  for (std::size_t n = 1; n <= 1 << 14; n *= 2) {
    const std::vector<float> x = numbers(n);
    const std::vector<std::uint8_t> before = bits(n, 1);
    const std::vector<std::uint8_t> after = bits(n, 2);
    expect_oracle({.before = before}, x);
    expect_oracle({.after = after}, x);
    expect_oracle({.factor = 0.3F}, x);
    expect_oracle({.before = before, .after = after, .factor = 0.3F}, x);
  }
}

TEST_P(HadamardKernels, Bits) {
  for (std::size_t n = 1; n <= 1 << 14; n *= 2) {
    const std::vector<float> x = numbers(n);
    for (const std::vector<std::uint8_t>& before : {std::vector<std::uint8_t>(), bits(n, 1)}) {
      std::vector<std::uint8_t> expected((n + 7) / 8);
      plain::pack_signs(oracle({.before = before}, x), expected);
      std::vector<float> work(n);
      std::vector<std::uint8_t> codes(expected.size() + 1, 0xff);  // the last byte is not to be touched
      simd::signed_hadamard_bits(before, x, work, std::span(codes).first(expected.size()));
      ASSERT_EQ(codes.back(), 0xff) << "length " << n;
      codes.pop_back();
      ASSERT_EQ(codes, expected) << "length " << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, HadamardKernels, ::testing::ValuesIn(simd::supported_targets()),
                         [](const auto& test) { return test.param; });

TEST(HadamardErrors, WrongSizesAreRefused) {
  std::vector<float> twelve(12);
  std::vector<float> sixteen(16);
  std::vector<std::uint8_t> byte(1);
  EXPECT_THAT([&] { simd::hadamard(twelve); }, ThrowsMessage<Error>(HasSubstr("length 12 is not a power of two")));
  EXPECT_THAT([&] { simd::hadamard({}); }, ThrowsMessage<Error>(HasSubstr("length 0")));
  EXPECT_THAT([&] { simd::signed_hadamard({}, sixteen, twelve); }, ThrowsMessage<Error>(HasSubstr("room for 12")));
  EXPECT_THAT([&] { simd::signed_hadamard({.before = byte}, sixteen, sixteen); },
              ThrowsMessage<Error>(HasSubstr("1 bytes of bits")));
  EXPECT_THAT([&] { simd::signed_hadamard({.after = byte}, sixteen, sixteen); },
              ThrowsMessage<Error>(HasSubstr("1 bytes of bits")));
  EXPECT_THAT([&] { simd::signed_hadamard_bits({}, sixteen, sixteen, byte); },
              ThrowsMessage<Error>(HasSubstr("16 elements")));
}

}  // namespace
}  // namespace signfold
