#include "signfold/experiment/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"

namespace signfold::experiment {
namespace {

StoredPoint example() {
  StoredPoint point{"figure", {{"p", 0.1}, {"prior", "sparse-gaussian"}}, 7, "0.1.0 (abc)", 1.5, {}};
  point.result.measurements = {{"risk", {{"layer", 2}}, 0.1 + 0.2, 1e-17}, {"path", Settings::object(), -1e300, 0}};
  point.result.pictures = {{"B", 2, {0.1F, 0.25F, 1, 0}}};
  return point;
}

TEST(Store, GivesBackWhatItKeeps) {
  const TemporaryFolder folder;
  const Store store(folder.path());
  const StoredPoint point = example();
  EXPECT_FALSE(store.find(point.figure, point.settings, point.seed));
  store.keep(point);
  const auto found = store.find(point.figure, point.settings, point.seed);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->settings, point.settings);
  EXPECT_EQ(found->version, point.version);
  EXPECT_EQ(found->seconds, point.seconds);
  ASSERT_EQ(found->result.measurements.size(), 2U);
  EXPECT_EQ(found->result.measurements[0].quantity, "risk");
  EXPECT_EQ(found->result.measurements[0].where, point.result.measurements[0].where);
  EXPECT_EQ(found->result.measurements[0].value, 0.1 + 0.2);  // to the last bit
  EXPECT_EQ(found->result.measurements[0].standard_error, 1e-17);
  EXPECT_EQ(found->result.measurements[1].value, -1e300);
  ASSERT_EQ(found->result.pictures.size(), 1U);
  EXPECT_EQ(found->result.pictures[0].values, point.result.pictures[0].values);
}

TEST(Store, TellsPointsApart) {
  const TemporaryFolder folder;
  const Store store(folder.path());
  const StoredPoint point = example();
  store.keep(point);
  EXPECT_FALSE(store.find("other", point.settings, point.seed));
  EXPECT_FALSE(store.find(point.figure, point.settings, point.seed + 1));
  Settings other = point.settings;
  other["p"] = 0.2;
  EXPECT_FALSE(store.find(point.figure, other, point.seed));
}

TEST(Store, RefusesDamage) {
  const TemporaryFolder folder;
  const Store store(folder.path());
  const StoredPoint point = example();
  const std::string path = store.path(point.figure, point.settings, point.seed);
  store.keep(point);
  std::ifstream in(path);
  std::stringstream whole;
  whole << in.rdbuf();
  const std::string text = whole.str();
  for (std::size_t at = 0; at < text.size(); at += 3) {
    for (const std::string& damaged : {text.substr(0, at), text.substr(0, at) + "7" + text.substr(at + 1)}) {
      if (damaged == text) continue;
      std::ofstream(path) << damaged;
      try {
        store.find(point.figure, point.settings, point.seed);
        ADD_FAILURE() << "accepted: " << damaged;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(path));
      }
    }
  }
}

TEST(Store, RefusesAnAbyss) {
  const TemporaryFolder folder;
  const Store store(folder.path());
  const StoredPoint point = example();
  store.keep(point);
  constexpr std::size_t kLevels = 1'000'000;  // more than a stack holds
  std::ofstream(store.path(point.figure, point.settings, point.seed))
      << R"({"checksum": "", "point": )" << std::string(kLevels, '[') << std::string(kLevels, ']') << "}";
  EXPECT_THROW(store.find(point.figure, point.settings, point.seed), Error);
}

TEST(Store, RefusesAPointUnderAnothersName) {
  const TemporaryFolder folder;
  const Store store(folder.path());
  const StoredPoint point = example();
  store.keep(point);
  const std::string other = store.path(point.figure, point.settings, point.seed + 1);
  std::filesystem::copy(store.path(point.figure, point.settings, point.seed), other);
  EXPECT_THROW(store.find(point.figure, point.settings, point.seed + 1), Error);
}

TEST(Store, RefusesNumbersThatAreNone) {
  const TemporaryFolder folder;
  StoredPoint point = example();
  point.result.measurements[0].value = std::nan("");
  EXPECT_THROW(Store(folder.path()).keep(point), Error);
}

}  // namespace
}  // namespace signfold::experiment
