#include "signfold/base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "signfold/base/error.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 20240607;
constexpr double kSigmas = 5;

/// Philox4x32-10 as its paper writes it (Salmon et al., SC 2011), one round per line of the loop.
std::array<std::uint32_t, 4> plain_philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
  }
  return c;
}

TEST(Random, PlainPhiloxGivesTheKnownAnswersOfRandom123) {
  using testing::ElementsAre;
  EXPECT_THAT(plain_philox({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(plain_philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Random, StreamIsPhiloxOfSeedPurposeIndexAndPosition) {
  RandomStream zero(0, static_cast<Purpose>(0), 0);
  for (const std::uint32_t expected : {0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}) {
    EXPECT_EQ(zero.bits32(), expected);
  }
  const std::uint64_t seed = 0x0123456789abcdef;
  const std::uint64_t index = 0xfedcba9876543210;
  RandomStream stream(seed, Purpose::haar, index);
  for (std::uint32_t block = 0; block < 5; ++block) {
    const auto expected = plain_philox({block, 5, 0x76543210, 0xfedcba98}, {0x89abcdef, 0x01234567});
    for (const std::uint32_t e : expected) EXPECT_EQ(stream.bits32(), e) << "block " << block;
  }
}

TEST(Random, OpenUnitNeverReachesZeroOrOne) {
  EXPECT_GT(open_unit(0), 0.0);
  EXPECT_LT(open_unit(UINT64_MAX), 1.0);
  EXPECT_EQ(open_unit(0) + open_unit(UINT64_MAX), 1.0);  // symmetric; both are exact in double
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  const int n = 200000;
  RandomStream stream(kSeed, Purpose::test);
  SCOPED_TRACE(kSeed);
  double u1 = 0, g1 = 0, g2 = 0, g4 = 0;
  for (int i = 0; i < n; ++i) {
    const double u = stream.uniform();
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    const double g = stream.normal();
    u1 += u / n, g1 += g / n, g2 += g * g / n, g4 += g * g * g * g / n;
  }
  // Standard deviations of one term: 1/√12, 1, √2, √96 (E g⁸ − 9 = 105 − 9).
  const double root = kSigmas / std::sqrt(n);
  EXPECT_NEAR(u1, 0.5, root / std::sqrt(12));
  EXPECT_NEAR(g1, 0, root);
  EXPECT_NEAR(g2, 1, root * std::sqrt(2));
  EXPECT_NEAR(g4, 3, root * std::sqrt(96));
}

TEST(Random, StreamsOfDifferentSeedPurposeOrIndexDiffer) {
  const std::uint64_t reference = RandomStream(1, Purpose::sample, 1).bits64();
  EXPECT_NE(reference, RandomStream(2, Purpose::sample, 1).bits64());
  EXPECT_NE(reference, RandomStream(1, Purpose::haar, 1).bits64());
  EXPECT_NE(reference, RandomStream(1, Purpose::sample, 2).bits64());
  EXPECT_EQ(reference, RandomStream(1, Purpose::sample, 1).bits64());
}

TEST(Random, BelowIsUniformAndRejectsZero) {
  const int n = 60000;
  const std::uint64_t bound = 6;
  RandomStream stream(kSeed, Purpose::test, 1);
  std::array<int, bound> counts{};
  for (int i = 0; i < n; ++i) ++counts.at(stream.below(bound));
  const double p = 1.0 / bound;
  for (const int count : counts) EXPECT_NEAR(count, n * p, kSigmas * std::sqrt(n * p * (1 - p))) << "seed " << kSeed;
  EXPECT_EQ(stream.below(1), 0U);
  EXPECT_THROW(stream.below(0), Error);
}

TEST(Random, EveryPermutationIsEquallyLikely) {
  const int n = 48000;
  std::map<std::vector<std::uint32_t>, int> counts;
  RandomStream stream(kSeed, Purpose::test, 2);
  for (int i = 0; i < n; ++i) ++counts[random_permutation(stream, 4)];
  ASSERT_EQ(counts.size(), 24U);
  const double p = 1.0 / 24;
  for (const auto& [order, count] : counts) {
    EXPECT_NEAR(count, n * p, kSigmas * std::sqrt(n * p * (1 - p))) << "seed " << kSeed;
  }
}

TEST(Random, EverySubsetIsEquallyLikelyAndSorted) {
  const int n = 30000;
  std::map<std::vector<std::uint32_t>, int> counts;
  RandomStream stream(kSeed, Purpose::test, 3);
  for (int i = 0; i < n; ++i) {
    const auto subset = random_subset(stream, 5, 2);
    ASSERT_LT(subset[0], subset[1]);
    ++counts[subset];
  }
  ASSERT_EQ(counts.size(), 10U);
  for (const auto& [subset, count] : counts) {
    EXPECT_NEAR(count, n * 0.1, kSigmas * std::sqrt(n * 0.09)) << "seed " << kSeed;
  }
  EXPECT_THAT(random_subset(stream, 3, 3), testing::ElementsAre(0, 1, 2));
  EXPECT_THROW(random_subset(stream, 3, 4), Error);
}

}  // namespace
}  // namespace signfold
