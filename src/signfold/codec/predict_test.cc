#include "signfold/codec/predict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/base/error.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// The numbers themselves are a contract of the command: tests/cli_theory_test.cc.
TEST(Predict, PutsTheoryTogether) {
  const Prediction p = predict({.prior = "sparse-gaussian:0.1", .rate = 1, .decoder = "rigamp:3"});
  EXPECT_EQ(p.encoder, "hadamard");
  EXPECT_EQ(p.linear, linear_risk_limit(1));
  EXPECT_EQ(p.rotation, p.linear);
  ASSERT_EQ(p.layers.size(), 3U);
  const Schedule schedule = state_evolution(iid_prior(parse_prior("sparse-gaussian:0.1")), 1, 3, 0);
  for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(p.layers[t], schedule.layers[t].risk);
  EXPECT_LT(p.limit, p.fixed_point);
  EXPECT_LT(p.fixed_point, p.layers.back());
  EXPECT_EQ(p.note, "");
}

TEST(Predict, AlignedEncodersHaveTheirLinearDecoderOnly) {
  const Prediction p = predict({.prior = "sparse-rademacher:0.8", .rate = 1, .encoder = "mixed"});
  EXPECT_THAT(p.encoder, HasSubstr("mixed:"));
  EXPECT_TRUE(p.layers.empty());
  EXPECT_NEAR(p.linear, p.mixed.risk, 1e-9);  // the name of the encoder has m in decimals
  EXPECT_EQ(p.fixed_point, p.linear);
  EXPECT_THAT(p.note, HasSubstr("linear decoder only"));
}

TEST(Predict, ComplainsAboutNamesAndRates) {
  const auto with = [](const PredictOptions& options) { return [options] { predict(options); }; };
  EXPECT_THAT(with({.prior = "gausian"}), ThrowsMessage<Error>(HasSubstr("did you mean 'gaussian'?")));
  EXPECT_THAT(with({.prior = "gaussian", .encoder = "har"}), ThrowsMessage<Error>(HasSubstr("did you mean 'haar'?")));
  EXPECT_THAT(with({.prior = "gaussian", .decoder = "lineer"}), ThrowsMessage<Error>(HasSubstr("'linear'?")));
  EXPECT_THAT(with({.prior = "gaussian", .decoder = "network:4"}), ThrowsMessage<Error>(HasSubstr("predict rigamp:4")));
  EXPECT_THAT(with({.prior = "gaussian", .rate = 0}), ThrowsMessage<Error>(HasSubstr("rate")));
}

}  // namespace
}  // namespace signfold
