// Codes of the fast encoders are the same bytes for any number of threads and any instruction set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "signfold/base/hash.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

constexpr std::size_t kRows = 300;

/// Vectors made of integers only, so that not even libm can change them between machines.
Matrix<float> integer_vectors(std::size_t dim) {
  Matrix<float> x(kRows, dim);
  for (std::size_t i = 0; i < kRows; ++i) {
    RandomStream stream(91, Purpose::test, i);
    for (float& v : x.row(i)) v = static_cast<float>(stream.below(2001)) - 1000.0F;
  }
  return x;
}

struct Golden {
  const char* encoder;
  double rate;
  std::uint64_t hash;
};

void PrintTo(const Golden& g, std::ostream* os) { *os << g.encoder << " r=" << g.rate; }

class PortableCodes : public testing::TestWithParam<Golden> {
 protected:
  static constexpr std::size_t kDim = 200;

  static std::uint64_t hash_of_codes(int threads) {
    FitOptions options;
    options.encoder = GetParam().encoder;
    options.rate = GetParam().rate;
    options.decoder = "linear";
    options.scale = ScaleKind::none;
    options.seed = 5;
    const Model model = model_for_prior(parse_prior("gaussian"), kDim, options);
    const Matrix<float> x = integer_vectors(kDim);
    Matrix<std::uint8_t> codes(kRows, code_bytes(model.bits()));
    RunOptions run;
    run.threads = threads;
    encode_rows(model, x, codes, {}, run);
    return hash64(std::as_bytes(codes.values()));
  }
};

TEST_P(PortableCodes, AreTheGoldenBytesForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 8}) EXPECT_EQ(hash_of_codes(threads), GetParam().hash) << threads << " threads";
}

TEST_P(PortableCodes, AreTheGoldenBytesOnEveryInstructionSet) {
  ASSERT_FALSE(simd::supported_targets().empty());
  for (const std::string& target : simd::supported_targets()) {
    simd::force_target(target);
    ASSERT_EQ(simd::active_target(), target) << "the forced instruction set did not run";
    EXPECT_EQ(hash_of_codes(2), GetParam().hash) << target;
  }
  simd::force_target("");
}

// Written by the first version of the format; they never change.
constexpr Golden kGolden[] = {
    {"hadamard", 1, 0xbf570722495c262d},    {"hadamard", 0.37, 0xc7023b397306be32},
    {"hadamard", 2.5, 0x1197576068032231},  {"identity", 1, 0xda6fff97f69ac2ff},
    {"identity", 0.5, 0xc976126a44de6706},  {"mixed:0.85", 1, 0xc9ea3da286e53af1},
    {"mixed:0.5", 1.5, 0x274f24bd17205977},
};
INSTANTIATE_TEST_SUITE_P(Encoders, PortableCodes, testing::ValuesIn(kGolden));

}  // namespace
}  // namespace signfold
