#include "signfold/training/decay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/base/error.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Decay, ConstantStaysWhereItStarts) {
  for (const std::size_t step : {0, 1, 7, 10, 99}) EXPECT_EQ(decayed(Decay::constant, 0.3, 0.1, step, 10), 0.3);
}

TEST(Decay, CosineFollowsHalfAWave) {
  // cos(π/3) = ½: a third of the way three quarters are left. 1e-15: a few roundings of numbers near 1.
  EXPECT_EQ(decayed(Decay::cosine, 0.9, 0.1, 0, 12), 0.9);
  EXPECT_NEAR(decayed(Decay::cosine, 0.9, 0.1, 4, 12), 0.1 + 0.8 * 0.75, 1e-15);
  EXPECT_NEAR(decayed(Decay::cosine, 0.9, 0.1, 6, 12), 0.5, 1e-15);
  EXPECT_NEAR(decayed(Decay::cosine, 0.9, 0.1, 8, 12), 0.1 + 0.8 * 0.25, 1e-15);
  EXPECT_EQ(decayed(Decay::cosine, 0.9, 0.1, 12, 12), 0.1);
  EXPECT_NEAR(decayed(Decay::cosine, 1, 2, 6, 12), 1.5, 1e-15) << "it may also grow";
  for (std::size_t step = 0; step < 12; ++step) {
    EXPECT_GT(decayed(Decay::cosine, 0.9, 0.1, step, 12), decayed(Decay::cosine, 0.9, 0.1, step + 1, 12));
  }
}

TEST(Decay, OfNoStepsIsWhereItStarts) { EXPECT_EQ(decayed(Decay::cosine, 0.3, 0.1, 0, 0), 0.3); }

TEST(Decay, NamesGoBothWays) {
  for (const Decay decay : {Decay::constant, Decay::cosine}) EXPECT_EQ(parse_decay(to_string(decay)), decay);
  EXPECT_THAT([] { parse_decay("linear"); }, ThrowsMessage<Error>(HasSubstr("unknown decay 'linear'")));
}

}  // namespace
}  // namespace signfold
