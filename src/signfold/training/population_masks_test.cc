#include "signfold/training/population_masks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <numeric>

#include "signfold/base/error.h"

namespace signfold {
namespace {

TEST(PopulationMasks, AllOfThemWithTheirProbabilities) {
  const SourceMasks masks = all_masks(5, 0.3);
  ASSERT_EQ(masks.kept.size(), 32U);
  std::vector<double> per_size(6);
  for (std::size_t s = 0; s < 32; ++s) per_size[masks.kept[s].size()] += masks.weights[s];
  const boost::math::binomial law(5, 0.3);
  // Sums of at most ten products of five factors: rounding errors only.
  for (std::size_t k = 0; k <= 5; ++k) EXPECT_NEAR(per_size[k], pdf(law, static_cast<double>(k)), 1e-15) << k;
}

TEST(PopulationMasks, GaussianSourceHasOneMaskThatKeepsEverything) {
  for (const SourceMasks& masks : {all_masks(40, 1), draw_masks(40, 1, 7, 1, 0)}) {
    ASSERT_EQ(masks.kept.size(), 1U);
    EXPECT_EQ(masks.weights, std::vector<double>{1});
    ASSERT_EQ(masks.kept[0].size(), 40U);
    EXPECT_EQ(masks.kept[0].back(), 39U);
  }
}

// Masks of one set depend on each other, but the third masks of different sets are independent samples of the law.
TEST(PopulationMasks, EveryDrawnMaskHasTheLawOfTheSource) {
  constexpr std::size_t kDim = 6;
  constexpr double kP = 0.6;
  constexpr std::size_t kSets = 20000;
  constexpr std::uint64_t kSeed = 31;
  std::vector<double> sizes(kDim + 1);
  std::vector<double> single(kDim);
  double pair = 0;
  for (std::size_t index = 0; index < kSets; ++index) {
    const std::vector<std::uint32_t> kept = draw_masks(kDim, kP, 5, kSeed, index).kept[2];
    ASSERT_TRUE(std::ranges::is_sorted(kept));
    ++sizes[kept.size()];
    for (const std::uint32_t j : kept) ++single[j];
    pair += std::ranges::binary_search(kept, 1U) && std::ranges::binary_search(kept, 4U) ? 1 : 0;
  }
  const auto expect_frequency = [&](double count, double probability, const char* what, std::size_t which) {
    const double deviation = std::sqrt(probability * (1 - probability) / kSets);
    EXPECT_NEAR(count / kSets, probability, 5 * deviation) << what << ' ' << which << ", seed " << kSeed;
  };
  const boost::math::binomial law(kDim, kP);
  for (std::size_t k = 0; k <= kDim; ++k) expect_frequency(sizes[k], pdf(law, static_cast<double>(k)), "size", k);
  for (std::size_t j = 0; j < kDim; ++j) expect_frequency(single[j], kP, "coordinate", j);
  expect_frequency(pair, kP * kP, "pair", 0);
}

TEST(PopulationMasks, DealsCoordinatesEvenlyAndSizesByStrata) {
  constexpr std::size_t kCount = 50;
  for (std::uint64_t index = 0; index < 20; ++index) {
    SCOPED_TRACE(testing::Message() << "seed 5, index " << index);
    const SourceMasks masks = draw_masks(200, 0.1, kCount, 5, index);
    std::vector<int> turns(200);
    std::vector<std::size_t> sizes;
    for (const auto& kept : masks.kept) {
      for (const std::uint32_t j : kept) ++turns[j];
      sizes.push_back(kept.size());
    }
    const auto [fewest, most] = std::ranges::minmax(turns);
    EXPECT_LE(most - fewest, 1);
    // The k-th smallest size lies in the k-th slice of the law.
    std::ranges::sort(sizes);
    const boost::math::binomial law(200, 0.1);
    for (std::size_t i = 0; i < kCount; ++i) {
      const auto size = static_cast<double>(sizes[i]);
      EXPECT_GE(cdf(law, size), static_cast<double>(i) / kCount - 1e-12);  // two ways of summing the law
      if (size > 0) {
        EXPECT_LE(cdf(law, size - 1), static_cast<double>(i + 1) / kCount + 1e-12);
      }
    }
  }
}

TEST(PopulationMasks, ArePureFunctionsOfSeedAndIndex) {
  const SourceMasks masks = draw_masks(50, 0.3, 10, 8, 4);
  EXPECT_EQ(masks.kept, draw_masks(50, 0.3, 10, 8, 4).kept);
  EXPECT_NE(masks.kept, draw_masks(50, 0.3, 10, 8, 5).kept);
  EXPECT_NE(masks.kept, draw_masks(50, 0.3, 10, 9, 4).kept);
}

TEST(PopulationMasks, RefusesWhatIsNoSource) {
  EXPECT_THROW(all_masks(13, 0.5), Error);
  EXPECT_THROW(all_masks(0, 0.5), Error);
  EXPECT_THROW(draw_masks(5, 0, 10, 1, 0), Error);
  EXPECT_THROW(draw_masks(5, 1.5, 10, 1, 0), Error);
  EXPECT_THROW(draw_masks(5, std::nan(""), 10, 1, 0), Error);
  EXPECT_THROW(draw_masks(5, 0.5, 0, 1, 0), Error);
}

TEST(PopulationMasks, MeanLengthOfFlatRows) {
  EXPECT_EQ(mean_flat_length(7, 1), 1);
  EXPECT_NEAR(mean_flat_length(1, 0.25), 0.25 / 0.5, 1e-15);                        // √1 with probability 1/4
  EXPECT_NEAR(mean_flat_length(2, 0.5), (0.5 * 1 + 0.25 * std::sqrt(2.0)), 1e-15);  // by hand
  EXPECT_NEAR(mean_flat_length(100000, 0.3), 1 - 0.7 / (8 * 0.3 * 100000), 1e-9);   // next term: 1/(p d)²
}

}  // namespace
}  // namespace signfold
