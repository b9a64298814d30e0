#include "signfold/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace signfold {
namespace {

std::string nest(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

template <class Json>
class ParseJson : public ::testing::Test {};
using Kinds = ::testing::Types<nlohmann::json, nlohmann::ordered_json>;
TYPED_TEST_SUITE(ParseJson, Kinds);

TYPED_TEST(ParseJson, ReadsWhatIsNotTooDeep) {
  EXPECT_EQ(parse_json<TypeParam>(R"({"a": [1, {"b": 0.5}]})", "T").at("a").at(1).at("b"), 0.5);
  EXPECT_EQ(parse_json<TypeParam>(nest(kDeepestJson), "T").dump(), nest(kDeepestJson));
}

TYPED_TEST(ParseJson, RefusesDeeperNesting) {
  for (const std::size_t levels : {std::size_t{kDeepestJson} + 1, std::size_t{1'000'000}}) {
    for (const std::string& text : {nest(levels), R"({"a": )" + nest(levels) + "}", std::string(levels, '[')}) {
      try {
        parse_json<TypeParam>(text, "file F");
        ADD_FAILURE() << levels;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("file F is nested deeper than 16 levels"));
      }
    }
  }
}

TYPED_TEST(ParseJson, LeavesTheErrorsOfTheLibrary) {
  EXPECT_THROW(parse_json<TypeParam>("{", "T"), nlohmann::json::exception);
  EXPECT_THROW(parse_json<TypeParam>("", "T"), nlohmann::json::exception);
}

}  // namespace
}  // namespace signfold
