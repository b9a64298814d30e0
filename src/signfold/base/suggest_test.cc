#include "signfold/base/suggest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/base/error.h"

namespace signfold {
namespace {
const std::vector<std::string> kWords = {"predict", "phase", "fit", "encode", "decode"};

TEST(Suggest, FindsOneAndTwoEdits) {
  EXPECT_EQ(suggest("predcit", kWords), "predict");  // neighbours swapped
  EXPECT_EQ(suggest("enode", kWords), "encode");     // a letter missing
  EXPECT_EQ(suggest("phasess", kWords), "phase");    // two too many
  EXPECT_EQ(suggest("decode", kWords), "decode");
}

TEST(Suggest, PrefersTheNearest) { EXPECT_EQ(suggest("dencode", {"decode", "encode", "dencode1"}), "decode"); }

TEST(Suggest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(suggest("train", kWords), "");
  EXPECT_EQ(suggest("", kWords), "");
  EXPECT_EQ(suggest("ab", {"cd"}), "");  // two edits replace the whole word
  EXPECT_EQ(suggest(std::string(1000, 'x'), kWords), "");
  EXPECT_EQ(did_you_mean("train", kWords), "");
}

TEST(Suggest, ReadsNamesFromHelp) {
  EXPECT_THAT(names_in_help("  gaussian   N(0, 1)\n\n  sparse-laplace:P  Laplace\n      with a tail\n"),
              testing::ElementsAre("gaussian", "sparse-laplace"));
}

TEST(Suggest, CheckSpellingComplainsAboutNearMissesOnly) {
  const std::string help = "gaussian\nsparse-laplace:P\n";
  EXPECT_NO_THROW(check_spelling("prior", "sparse-laplace:0.1", help));
  EXPECT_NO_THROW(check_spelling("prior", "something else", help));
  try {
    check_spelling("prior", "sparse-lapalce:0.1", help);
    FAIL() << "a near miss was accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "unknown prior 'sparse-lapalce'; did you mean 'sparse-laplace'?");
  }
}
}  // namespace
}  // namespace signfold
