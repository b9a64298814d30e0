#include "signfold/simd/small_cubic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/kernels_for_test.h"
#include "signfold/simd/plain.h"

namespace signfold {
namespace {

using testing::bytes;
using ::testing::HasSubstr;
using testing::kSeed;
using testing::lengths;
using testing::numbers;
using testing::same_bits;
using ::testing::ThrowsMessage;

simd::SmallCubic random_cubic(bool odd) {
  simd::SmallCubic f;
  f.inverse_step = 11;
  f.origin = odd ? 0.5F / f.inverse_step : -1.3F;
  f.odd = odd;
  RandomStream stream(kSeed, Purpose::test, odd ? 1 : 0);
  for (auto* c : {&f.c0, &f.c1, &f.c2, &f.c3}) {
    for (float& v : *c) v = static_cast<float>(stream.normal());
  }
  return f;
}

std::vector<float> extremes() {
  const float huge = std::numeric_limits<float>::max();
  std::vector<float> x = {-huge, huge, -1e30F, 1e30F, -2e9F, 3e9F, 1e-45F, -1e-45F, 0.0F, -0.0F, -1.3F};
  for (int k = -2; k <= 68; ++k) x.push_back(-1.3F + static_cast<float>(k) / 22);
  x.resize(x.size() + 16, 0.5F);  // so that all of the above go through whole vectors
  return x;
}

class SmallCubicKernel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { simd::force_target(GetParam()); }
  void TearDown() override { simd::force_target(""); }
};

TEST_P(SmallCubicKernel, HasTheBitsOfThePlainTwin) {
  for (const bool odd : {false, true}) {
    const simd::SmallCubic f = random_cubic(odd);
    std::vector<std::vector<float>> inputs = {extremes()};
    for (const std::size_t n : lengths()) inputs.push_back(numbers(n));
    for (const std::vector<float>& x : inputs) {
      std::vector<float> expected(x.size());
      std::vector<float> actual = x;
      plain::small_cubic(f, x, expected);
      simd::small_cubic(f, actual, actual);
      ASSERT_TRUE(same_bits<float>(actual, expected)) << "length " << x.size();

      const std::vector<std::uint8_t> z = bytes((x.size() + 7) / 8);
      plain::signed_small_cubic(f, z, x, expected);
      simd::signed_small_cubic(f, z, x, actual);
      ASSERT_TRUE(same_bits<float>(actual, expected)) << "length " << x.size();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, SmallCubicKernel, ::testing::ValuesIn(simd::supported_targets()),
                         [](const auto& test) { return test.param; });

TEST(PlainSmallCubic, IsTheCubicOfTheIntervalAndGoesOnOutside) {
  simd::SmallCubic f;
  f.origin = 1;
  f.inverse_step = 2;
  f.c0[0] = 3, f.c1[0] = 4;
  f.c0[5] = 1, f.c1[5] = 2, f.c2[5] = 3, f.c3[5] = 4;
  f.c0[31] = -1, f.c1[31] = 0.5F;
  const std::vector<float> x = {3.375F, -1, 17, 1e30F};  // t = −¼ in interval 5; −4 in 0; 1 in 31; the reach
  std::vector<float> y(x.size());
  plain::small_cubic(f, x, y);
  EXPECT_EQ(y[0], 1 - 0.25F * (2 - 0.25F * (3 - 0.25F * 4)));
  EXPECT_EQ(y[1], 3 + -4 * 4.0F);
  EXPECT_EQ(y[2], -1 + 0.5F);
  EXPECT_EQ(y[3], -1 + 0.5F * (simd::SmallCubic::kReach - 31));
}

TEST(PlainSmallCubic, OddFunctionsAreMirrored) {
  const simd::SmallCubic f = random_cubic(true);
  const std::vector<float> x = numbers(50);
  std::vector<float> minus_x = x;
  for (float& v : minus_x) v = -v;
  std::vector<float> y(x.size());
  std::vector<float> mirrored(x.size());
  plain::small_cubic(f, x, y);
  plain::small_cubic(f, minus_x, mirrored);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], -mirrored[i]) << x[i];
}

TEST(SmallCubicErrors, WrongSizesAreRefused) {
  std::vector<float> x(12);
  std::vector<float> y(11);
  const std::vector<std::uint8_t> byte(1);
  EXPECT_THAT([&] { simd::small_cubic({}, x, y); }, ThrowsMessage<Error>(HasSubstr("room for 11")));
  EXPECT_THAT([&] { simd::signed_small_cubic({}, byte, x, x); }, ThrowsMessage<Error>(HasSubstr("1 bytes of bits")));
}

}  // namespace
}  // namespace signfold
