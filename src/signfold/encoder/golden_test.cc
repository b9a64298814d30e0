// Codes that must never change: files written today are decoded tomorrow, on any machine.
#include <gtest/gtest.h>

#include "signfold/base/hash.h"
#include "signfold/encoder/encoder.h"
#include "signfold/encoder/testing.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

struct Golden {
  const char* name = nullptr;
  EncoderShape shape;
  std::uint64_t hash = 0;
};

// hash64 of the codes of three vectors of testing::random_matrix with seed 1; encoder seed 2^40 + 17.
constexpr Golden kGolden[] = {
    {"hadamard", {1, 1}, 0x5bc79bbda1853c97},         {"hadamard", {2, 3}, 0xd82bfe0c3f272ed0},
    {"hadamard", {3, 2}, 0xe1b7fab808cdb6f3},         {"hadamard", {5, 5}, 0x55e9898cc9bf2ed5},
    {"hadamard", {100, 250}, 0xea5c8cba9971583e},     {"hadamard", {784, 98}, 0xcc1e81ed7912af26},
    {"hadamard", {784, 784}, 0x1386b52810384821},     {"hadamard", {1000, 1000}, 0x92cb035261f157a9},
    {"hadamard", {1024, 1024}, 0x922fc62425ca2601},   {"hadamard", {1024, 512}, 0x4adb09cd42adf250},
    {"hadamard", {1024, 1536}, 0x86d10bd5b3890cef},   {"hadamard", {4096, 4096}, 0x6f71c333fdbfb586},
    {"identity", {1, 1}, 0x5bc79bbda1853c97},         {"identity", {2, 3}, 0xb9f83a7779269de7},
    {"identity", {3, 2}, 0x8d751a7bb74920d2},         {"identity", {5, 5}, 0xff3260f4eba07c78},
    {"identity", {100, 250}, 0x5e69ccdf8613a962},     {"identity", {784, 98}, 0x1e434ca4c393cc56},
    {"identity", {784, 784}, 0x25624b923c84caae},     {"identity", {1000, 1000}, 0xf4a110b12c29747d},
    {"identity", {1024, 1024}, 0xfa21effee0e84ef8},   {"identity", {1024, 512}, 0xc33019ed3cfe0de3},
    {"identity", {1024, 1536}, 0xd1c52dc40c1cb446},   {"identity", {4096, 4096}, 0x0f67435316edc17f},
    {"mixed:0.85", {1, 1}, 0x5bc79bbda1853c97},       {"mixed:0.85", {2, 3}, 0x84030bcaab5aaadb},
    {"mixed:0.85", {3, 2}, 0x743e13ee0c4ee5a5},       {"mixed:0.85", {5, 5}, 0xd7122b26b8614a62},
    {"mixed:0.85", {100, 250}, 0xfdf7d047b4bbccf1},   {"mixed:0.85", {784, 98}, 0x40d603a26020e38a},
    {"mixed:0.85", {784, 784}, 0x50e9528ac0c0b19f},   {"mixed:0.85", {1000, 1000}, 0x582d9c47c560e4cd},
    {"mixed:0.85", {1024, 1024}, 0x80d3939af32ff83b}, {"mixed:0.85", {1024, 512}, 0xc6ea45a80a58f5fe},
    {"mixed:0.85", {1024, 1536}, 0xd8485c5feb9a6eac}, {"mixed:0.85", {4096, 4096}, 0x1ceb98f85077927b},
};

std::uint64_t hash_of_codes(const Golden& golden) {
  const EncoderPtr encoder = make_encoder(golden.name, golden.shape, (std::uint64_t{1} << 40) + 17);
  EXPECT_TRUE(encoder->portable());
  const Matrix<float> x = testing::random_matrix(3, encoder->dim(), 1);
  Matrix<std::uint8_t> codes(3, code_bytes(encoder->bits()));
  encoder->encode(x, codes);
  return hash64(std::as_bytes(codes.values()));
}

class GoldenCodes : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { simd::force_target(GetParam()); }
  void TearDown() override { simd::force_target(""); }
};

TEST_P(GoldenCodes, AreTheSameOnEveryInstructionSet) {
  ASSERT_EQ(simd::active_target(), GetParam());
  for (const Golden& golden : kGolden) {
    const std::uint64_t hash = hash_of_codes(golden);
    EXPECT_EQ(hash, golden.hash) << fmt::format("{{\"{}\", {{{}, {}}}, 0x{:016x}}},", golden.name, golden.shape.dim,
                                                golden.shape.bits, hash);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, GoldenCodes, ::testing::ValuesIn(simd::supported_targets()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace signfold
