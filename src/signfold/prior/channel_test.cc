#include "signfold/prior/channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signfold/base/error.h"

namespace signfold {
namespace {

TEST(ChannelRule, IntegratesEveryFeature) {
  const std::vector<Feature> features{{0, 0}, {0, 3}, {-40, 1e-3}, {2, 0.5}};
  for (double precision : {1e-8, 1.0, 1e8}) {
    const QuadratureRule rule = channel_rule(features, precision);
    for (const Feature& f : features) {
      const double deviation = std::hypot(f.width, 1 / std::sqrt(precision));
      double sum = 0;
      for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
        const double ratio = (rule.nodes[i] - f.center) / deviation;
        sum += rule.weights[i] * std::exp(-0.5 * ratio * ratio) / (deviation * std::sqrt(2 * std::numbers::pi));
      }
      // A normal of every feature integrates to 1. Around 40, nodes are rounded to 1e-14: 1e-10 deviations at 1e8.
      EXPECT_NEAR(sum, 1, 1e-10) << "center = " << f.center << ", precision = " << precision;
    }
  }
}

TEST(ChannelRule, SharesPanelsBetweenLikeFeatures) {
  const std::size_t one = channel_rule(std::vector<Feature>{{0, 1}}, 1).nodes.size();
  EXPECT_EQ(one, 12 * 64U);  // 24 deviations in panels of two
  EXPECT_EQ(channel_rule(std::vector<Feature>(9, {0, 1}), 1).nodes.size(), one);
}

TEST(ChannelRule, SaysSoWhereADoubleIsTooCoarse) {
  EXPECT_THROW(channel_rule(std::vector<Feature>{{1e20, 1}}, 1), Error);
}

TEST(CheckSparsity, AcceptsTheUnitInterval) {
  check_sparsity("x", 1);
  check_sparsity("x", 1e-12);
  for (double p : {0.0, -1.0, 1.0000001, 1e-13}) EXPECT_THROW(check_sparsity("x", p), Error) << p;
  EXPECT_THROW(check_sparsity("x", NAN), Error);
}

}  // namespace
}  // namespace signfold
