#include "signfold/experiment/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/base/error.h"

namespace signfold::experiment {
namespace {

using ::testing::HasSubstr;

TEST(Compare, AgreesWithinTheLargerOfBothTolerances) {
  const Tolerance tolerance{.relative = 0.02, .sigmas = 5};
  EXPECT_TRUE(compare("c", "s", {{"", 1.019, 0, 1}}, tolerance).agrees);
  EXPECT_FALSE(compare("c", "s", {{"", 1.021, 0, 1}}, tolerance).agrees);
  EXPECT_FALSE(compare("c", "s", {{"", 0.979, 0, 1}}, tolerance).agrees);
  EXPECT_TRUE(compare("c", "s", {{"", 1.049, 0.01, 1}}, tolerance).agrees);
  EXPECT_FALSE(compare("c", "s", {{"", 1.051, 0.01, 1}}, tolerance).agrees);
  EXPECT_TRUE(compare("c", "s", {{"", 0, 0, 0}}, tolerance).agrees);
  EXPECT_FALSE(compare("c", "s", {{"", 1e-9, 0, 0}}, tolerance).agrees);
}

TEST(Compare, ShowsTheWorst) {
  const Verdict verdict =
      compare("the claim", "the source", {{"p = 1", 1.01, 0.001, 1}, {"p = 2", 2.5, 0.1, 2}, {"p = 3", 3, 0, 3}});
  EXPECT_TRUE(verdict.agrees);
  EXPECT_EQ(verdict.claim, "the claim");
  EXPECT_EQ(verdict.source, "the source");
  EXPECT_EQ(verdict.measured, "2.5 ± 0.1");
  EXPECT_EQ(verdict.claimed, "2");
  EXPECT_THAT(verdict.reason, HasSubstr("25 % (5.0 standard errors) off at p = 2, the worst of 3"));
}

TEST(Compare, CountsWhatDiffers) {
  const Verdict verdict = compare("c", "s", {{"p = 1", 1.1, 0, 1}, {"p = 2", 2.6, 0, 2}, {"p = 3", 3, 0, 3}});
  EXPECT_FALSE(verdict.agrees);
  EXPECT_THAT(verdict.reason, HasSubstr("30 % off at p = 2; 2 of 3 differ"));
}

TEST(Below, WantsEveryValueBelowByItsErrors) {
  EXPECT_TRUE(below("c", "s", {{"", 0.9, 0.019, 1}}).agrees);
  EXPECT_FALSE(below("c", "s", {{"", 0.9, 0.021, 1}}).agrees);
  EXPECT_FALSE(below("c", "s", {{"", 1, 0, 1}}, 0).agrees);
  const Verdict verdict = below("c", "s", {{"p = 1", 0.5, 0, 1}, {"p = 2", 1.1, 0, 1}});
  EXPECT_FALSE(verdict.agrees);
  EXPECT_EQ(verdict.claimed, "below 1");
  EXPECT_THAT(verdict.reason, HasSubstr("at p = 2; 1 of 2 fail"));
}

TEST(Verdicts, AboutNothingAreRefused) {
  EXPECT_THROW(compare("c", "s", {}), Error);
  EXPECT_THROW(below("c", "s", {}), Error);
}

TEST(Comparisons, TakeRowsWithAPredictionAndNameThem) {
  const Settings first = {{"prior", "sparse-gaussian"}, {"p", 0.5}, {"dim", 200}};
  const std::vector<Row> rows = {{first, "risk", 0.3, 0.01, 0.25}, {{{"p", 1.0}}, "risk", 0.4, 0.01, std::nullopt}};
  const auto found = comparisons(rows, {"prior", "p", "rate", "dim"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label, "sparse-gaussian, p = 0.5, d = 200");
  EXPECT_EQ(found[0].value, 0.3);
  EXPECT_EQ(found[0].standard_error, 0.01);
  EXPECT_EQ(found[0].claimed, 0.25);
}

}  // namespace
}  // namespace signfold::experiment
