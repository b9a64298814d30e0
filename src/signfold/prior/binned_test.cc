#include "signfold/prior/binned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "signfold/base/random.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 9;

/// Normal values over twelve orders of magnitude, as deep tails and needle-sharp centres need them.
std::vector<float> values_of_many_scales(std::size_t count) {
  RandomStream stream(kSeed, Purpose::test);
  std::vector<float> x(count);
  for (float& v : x) v = static_cast<float>(stream.normal() * std::pow(10, 12 * stream.uniform() - 6));
  return x;
}

TEST(BinValues, KeepsWeightMeanAndVariance) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  const std::vector<float> x = values_of_many_scales(100000);
  const Binned data = bin_values(x, {}, std::nullopt, 0);
  double mean = 0;
  for (const double v : x) mean += (v - data.center) / 1e5;
  double variance = 0;
  for (const double v : x) variance += (v - data.center - mean) * (v - data.center - mean) / 1e5;
  EXPECT_EQ(data.weight, 1e5);
  EXPECT_EQ(data.weight_count, 1e5);
  EXPECT_NEAR(data.mean / mean, 1, 1e-10);  // sums of 10^5 numbers in another order
  EXPECT_NEAR(data.variance / variance, 1, 1e-10);
}

TEST(BinValues, BinsAreNarrowSortedAndFew) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  const Binned data = bin_values(values_of_many_scales(100000), {}, Spike{0, 0}, 0);
  EXPECT_LT(data.bins.size(), 20000U);
  for (std::size_t i = 0; i < data.bins.size(); ++i) {
    EXPECT_LE(std::sqrt(data.bins[i].variance), std::abs(data.bins[i].mean) / 128);
    if (i > 0) {
      EXPECT_LT(data.bins[i - 1].mean, data.bins[i].mean);
    }
  }
}

TEST(BinValues, LeavesOutTheSpikeAndCentresOnIt) {
  const std::vector<float> x{5, 5, 5, 6, 4.5F};
  const Binned data = bin_values(x, {}, Spike{5, 3}, 0);
  EXPECT_EQ(data.center, 5);
  EXPECT_EQ(data.weight, 2);
  ASSERT_EQ(data.bins.size(), 2U);
  EXPECT_EQ(data.bins[0].mean, -0.5);
  EXPECT_EQ(data.bins[1].mean, 1);
}

TEST(FindSpike, CountsExactly) {
  RandomStream stream(kSeed, Purpose::test);
  std::vector<float> x(300000);  // more than the sample of candidates
  for (float& v : x) v = static_cast<float>(stream.normal());
  for (std::size_t i = 0; i < x.size(); i += 10) x[i] = 0.75F;
  const auto spike = find_spike(x, {}, 0.02, 1);
  ASSERT_TRUE(spike.has_value());
  EXPECT_EQ(spike->value, 0.75);
  EXPECT_EQ(spike->weight, 30000);
  EXPECT_FALSE(find_spike(x, {}, 0.11, 1).has_value());
}

TEST(FindSpike, TwoOfAKindAreChance) {
  EXPECT_FALSE(find_spike(std::vector<float>{1, 2, 2, 3}, {}, 0.02, 0).has_value());
  EXPECT_TRUE(find_spike(std::vector<float>{1, 2, 2, 2, 3}, {}, 0.02, 0).has_value());
}

TEST(Quantile, IsThatOfTheSortedValues) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  std::vector<float> x = values_of_many_scales(10001);
  const Binned data = bin_values(x, {}, Spike{0, 0}, 0);
  std::sort(x.begin(), x.end());
  for (double level : {0.01, 0.3, 0.5, 0.77, 0.99}) {
    const double exact = x[static_cast<std::size_t>(level * 10001)];
    EXPECT_NEAR(quantile(data, level), exact, std::abs(exact) / 64) << level;  // two bins
  }
}

}  // namespace
}  // namespace signfold
