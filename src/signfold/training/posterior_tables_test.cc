#include "signfold/training/posterior_tables.h"

#include <gtest/gtest.h>

#include <cmath>

#include "signfold/decoder/pointwise.h"

namespace signfold {
namespace {

TEST(TableSample, IsTheTableAndItsSlope) {
  const simd::Cubic table = posterior_table(*parse_prior("sparse-gaussian:0.2"), 2.5);
  for (float x = -30; x < 30; x += 0.137F) {
    float y = 0;
    simd::table(table, {&x, 1}, {&y, 1});
    const TableSample s = sample(table, x);
    EXPECT_NEAR(s.value, y, 1e-5F);
    const Posterior p = parse_prior("sparse-gaussian:0.2")->posterior(static_cast<double>(x), 2.5);
    EXPECT_NEAR(s.slope, 2.5 * p.variance, 2e-3) << x;
  }
}

// Linear between logarithms 0.05 apart: an eighth of 0.05² times the curvature in ln γ, which is below the size of y.
TEST(PosteriorTables, FollowThePosteriorMeanBetweenGridPoints) {
  VectorPrior prior = iid_prior(parse_prior("sparse-rademacher:0.4"));
  for (std::size_t j = 0; j < 5; ++j) {
    prior.offset.push_back(0.1F * static_cast<float>(j));
    prior.scale.push_back(0.3F * static_cast<float>(j));
  }
  PosteriorTables tables(prior, 5);
  for (const double precision : {0.3, 2.0, 11.0}) {
    const auto pairs = tables.at(std::log(precision));
    for (std::size_t j = 1; j < 5; ++j) {
      const PosteriorTables::Pair& pair = pairs[tables.group_of(j)];
      const auto sigma = static_cast<double>(tables.scale(j));
      for (double w = -3; w < 3; w += 0.31) {
        const auto x = static_cast<float>(w);
        const double low = static_cast<double>(sample(*pair.low, x).value);
        const double high = static_cast<double>(sample(*pair.high, x).value);
        const double value = low + static_cast<double>(pair.mix) * (high - low);
        const double exact = prior.shapes[0]->posterior(w, precision * sigma * sigma).mean;
        EXPECT_NEAR(value, exact, 0.02 * 0.5 * (1 + std::abs(w))) << "sigma is rounded to 1 %";
      }
    }
  }
  EXPECT_EQ(tables.scale(0), 0.0F);
}

TEST(PosteriorTables, ShareTablesOfEqualCoordinates) {
  PosteriorTables tables(iid_prior(parse_prior("gaussian")), 100);
  const auto first = tables.at(0.31);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].low, tables.at(0.34)[0].low);
  EXPECT_EQ(tables.group_of(99), 0U);
  EXPECT_EQ(tables.scale(99), 1.0F);
}

}  // namespace
}  // namespace signfold
