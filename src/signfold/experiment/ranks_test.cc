// Points that several ranks share out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/ranks_for_test.h"
#include "signfold/experiment/reproduce.h"
#include "signfold/experiment/store.h"

namespace signfold::experiment {
namespace {

using ::testing::HasSubstr;

std::atomic<int> measured = 0;  // how many points were computed, by any rank

/// Six points; the first one is as long as the five others together.
Figure example() {
  Figure figure{};
  figure.name = "example";
  figure.title = "An example";
  figure.paper = "It says so.";
  figure.points = [](Effort) {
    std::vector<Point> points;
    points.reserve(6);
    for (int k = 0; k < 6; ++k) points.push_back({{{"k", k}}, k == 0 ? 5.0 : 1.0});
    return points;
  };
  figure.measure = [](const Settings& settings, const Context&) {
    ++measured;
    return PointResult{{{"risk", Settings::object(), 0.1 * settings.at("k").get<int>(), 0.001}}, {}};
  };
  figure.predict = [](Table&, const Laws&) {};
  figure.findings = [](const Table& table, const Laws&) {
    Findings out;
    out.panels = {{"Risk", "k", "risk"}};
    out.panels[0].curves = {curve_of("measured", Mark::points, "#000000", table.rows, "k")};
    return out;
  };
  return figure;
}

class RanksReproduce : public ::testing::Test {
 protected:
  RanksReproduce() { measured = 0; }
  ReproduceRequest request(const std::string& out, Ranks* ranks = nullptr) {
    ReproduceRequest request;
    request.figures = {&figure_};
    request.out = folder_.path(out);
    request.ranks = ranks;
    return request;
  }
  std::string table(const std::string& out) const {
    std::ifstream in(folder_.path(out + "/example.csv"));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  TemporaryFolder folder_;
  Figure figure_ = example();
};

TEST_F(RanksReproduce, EveryPointOnceAndTheSameTable) {
  reproduce(request("alone"));
  ASSERT_EQ(measured, 6);
  for (const int size : {1, 2, 4, 9}) {
    SCOPED_TRACE(size);
    measured = 0;
    const std::string out = "ranks" + std::to_string(size);
    ThreadRanks(size).run([&](Ranks& ranks) {
      const ReproduceOutcome outcome = reproduce(request(out, &ranks));
      ASSERT_EQ(outcome.figures.size(), ranks.rank() == 0 ? 1U : 0U);
      if (ranks.rank() != 0) return;
      EXPECT_EQ(outcome.figures[0].points, 6U);
      EXPECT_EQ(outcome.figures[0].computed, 6U);
    });
    EXPECT_EQ(measured, 6);
    EXPECT_EQ(table(out), table("alone"));
    EXPECT_TRUE(std::filesystem::exists(folder_.path(out + "/report.html")));
  }
}

TEST_F(RanksReproduce, DividesByTheTimePointsTake) {
  std::vector<RunStep> last(2);
  ThreadRanks(2).run([&](Ranks& ranks) {
    ReproduceRequest own = request("out", &ranks);
    own.progress = [&](const RunStep& step) { last[static_cast<std::size_t>(ranks.rank())] = step; };
    reproduce(own);
  });
  EXPECT_EQ(last[0].points, 1U);
  EXPECT_EQ(last[1].points, 5U);
  EXPECT_EQ(last[0].seconds, last[1].seconds);
}

TEST_F(RanksReproduce, ComputesOnlyWhatIsNotThere) {
  const Store store(folder_.path("out"));
  store.keep({"example", {{"k", 3}}, 1, "before", 1, figure_.measure({{"k", 3}}, {})});
  measured = 0;
  ThreadRanks(2).run([&](Ranks& ranks) {
    const ReproduceOutcome outcome = reproduce(request("out", &ranks));
    if (ranks.rank() == 0) {
      EXPECT_EQ(outcome.figures[0].computed, 5U);
    }
  });
  EXPECT_EQ(measured, 5);
}

TEST_F(RanksReproduce, SaysThatTheDirectoryMustBeOneForAll) {
  std::string message;
  ThreadRanks(2).run([&](Ranks& ranks) {
    try {
      reproduce(request(ranks.rank() == 0 ? "here" : "there", &ranks));
    } catch (const Error& error) {
      EXPECT_EQ(ranks.rank(), 0);
      message = error.what();
    }
  });
  EXPECT_THAT(message, HasSubstr("ranks need one directory that all of them see"));
}

TEST_F(RanksReproduce, AFigureNamedTwiceIsComputedOnce) {
  ReproduceRequest twice = request("out");
  twice.figures.push_back(&figure_);
  const ReproduceOutcome outcome = reproduce(twice);
  EXPECT_EQ(measured, 6);
  EXPECT_EQ(outcome.figures.size(), 2U);
  EXPECT_EQ(outcome.figures[1].points, 6U);
}

}  // namespace
}  // namespace signfold::experiment
