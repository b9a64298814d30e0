// signfold demo: all of it, once, as JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using Json = nlohmann::json;

/// Measured within max(5 %, 5 standard errors) of predicted: the demo's vectors are few.
void expect_as_predicted(const Json& risk) {
  const double predicted = risk["predicted"];
  EXPECT_NEAR(risk["measured"], predicted, std::max(0.05 * predicted, 5 * double(risk["stderr"])));
}

TEST(Demo, ShowsTheMainJob) {
  const Workplace work;
  const Outcome outcome = work.run({"demo", "--out", work.path("deep/er"), "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const Json demo = outcome.json();
  expect_as_predicted(demo["synthetic"]["linear"]);
  for (const Json& layer : demo["synthetic"]["layers"]) expect_as_predicted(layer);
  EXPECT_LT(demo["synthetic"]["limit"], demo["synthetic"]["fixed_point"]);

  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    EXPECT_TRUE(demo["fashion_mnist"].is_null());
    EXPECT_THAT(std::string(demo["note"]), ::testing::HasSubstr("dataset-fashion-mnist"));
    return;
  }
  const Json& budgets = demo["fashion_mnist"]["budgets"];
  ASSERT_EQ(budgets.size(), 2U);
  const std::vector<double> promised = {0.105, 0.29};  // best layer at 784 and at 98 bits
  for (std::size_t b = 0; b < 2; ++b) {
    EXPECT_EQ(budgets[b]["vectors"], 10000);
    double best = 1;
    for (const Json& layer : budgets[b]["layers"]) best = std::min(best, double(layer["measured"]));
    EXPECT_LE(best, promised[b]);
  }
  for (const char* name :
       {"fashion-1bpp.sfm", "fashion-1bpp.sfc", "fashion-eighth-bpp.sfm", "fashion-eighth-bpp.sfc"}) {
    EXPECT_EQ(work.run({"info", work.path("deep/er/") + name}).code, 0) << name;
  }
  EXPECT_EQ(work.read("deep/er/fashion.png").substr(0, 8), "\x89PNG\r\n\x1a\n");
}
}  // namespace
}  // namespace signfold::testing
