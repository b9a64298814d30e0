#include "signfold/experiment/reproduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/interrupt.h"
#include "signfold/theory/linear_risk.h"

namespace signfold::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

int measured = 0;         // how often the figure below was run
int interrupt_after = 0;  // ask to stop while measuring this one; 0 = never

/// A figure that "measures" the linear risk at three rates.
Figure example() {
  Figure figure{};
  figure.name = "example";
  figure.title = "An <example>";
  figure.paper = "Says & shows.";
  figure.points = [](Effort effort) {
    std::vector<Point> points = {{{{"rate", 0.5}}, 1}, {{{"rate", 1.0}}, 2}, {{{"rate", 2.0}}, 3}};
    if (effort == Effort::quick) points.pop_back();
    return points;
  };
  figure.measure = [](const Settings& settings, const Context& context) {
    ++measured;
    if (measured == interrupt_after) request_interrupt();
    const double noise = context.seed == 1 ? 0 : 0.1;
    return PointResult{{{"risk", Settings::object(), linear_risk_limit(settings.at("rate")) + noise, 0.001}}, {}};
  };
  figure.predict = [](Table& table, const Laws& laws) {
    for (Row& row : table.rows) row.prediction = laws.linear(row.settings.at("rate"));
  };
  figure.findings = [](const Table& table, const Laws& laws) {
    Findings out;
    out.paragraphs = {"A < B."};
    Panel panel{"Risk", "rate r (bits per dimension)", "risk (1 = knowing nothing)"};
    panel.curves = {curve_of("theory", Mark::line, "#000000", 0.1, 2, 10, laws.linear),
                    curve_of("measured", Mark::points, "#000000", table.rows, "rate")};
    out.panels = {panel, panel};
    out.verdicts = {compare("It is the <linear> risk", "somebody", comparisons(table.rows, {"rate"}))};
    return out;
  };
  return figure;
}

class Reproduce : public ::testing::Test {
 protected:
  void SetUp() override {
    measured = 0;
    interrupt_after = 0;
    clear_interrupt();
  }
  void TearDown() override { clear_interrupt(); }

  ReproduceRequest request(Effort effort) {
    ReproduceRequest out;
    out.figures = {&figure_};
    out.effort = effort;
    out.out = folder_.path("deep/er");
    return out;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(folder_.path("deep/er/" + name));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  TemporaryFolder folder_;
  Figure figure_ = example();
};

TEST_F(Reproduce, NeverRunsAFinishedPointTwice) {
  EXPECT_EQ(reproduce(request(Effort::quick)).figures[0].computed, 2U);
  EXPECT_EQ(reproduce(request(Effort::quick)).figures[0].computed, 0U);
  EXPECT_EQ(reproduce(request(Effort::full)).figures[0].computed, 1U);  // two of three are there
  EXPECT_EQ(measured, 3);
  ReproduceRequest other = request(Effort::full);
  other.context.seed = 2;
  EXPECT_EQ(reproduce(other).figures[0].computed, 3U);
}

TEST_F(Reproduce, LosesNoFinishedPointWhenInterrupted) {
  interrupt_after = 2;
  try {
    reproduce(request(Effort::full));
    FAIL() << "it did not stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    EXPECT_THAT(error.what(), HasSubstr("stopped after 2 of 3 points"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path("deep/er/report.html")));
  clear_interrupt();
  EXPECT_EQ(reproduce(request(Effort::full)).figures[0].computed, 1U);
}

TEST_F(Reproduce, TellsHowFarItIs) {
  ReproduceRequest it = request(Effort::full);
  std::vector<double> seconds;
  it.progress = [&](const RunStep& step) {
    EXPECT_EQ(step.points, 3U);
    EXPECT_EQ(step.seconds, 6);
    seconds.push_back(step.seconds_done);
  };
  reproduce(it);
  EXPECT_THAT(seconds, ::testing::ElementsAre(0, 1, 3, 6));
}

TEST_F(Reproduce, WritesATidyTable) {
  reproduce(request(Effort::quick));
  EXPECT_THAT(read("example.csv"), HasSubstr("seed,version,rate,quantity,value,stderr,prediction\n1,"));
  EXPECT_THAT(read("example.csv"), HasSubstr(",0.5,risk,"));
}

TEST_F(Reproduce, WritesAReportThatNeedsNothingElse) {
  reproduce(request(Effort::quick));
  const std::string html = read("report.html");
  EXPECT_THAT(html, HasSubstr("An &lt;example&gt;"));
  EXPECT_THAT(html, HasSubstr("Says &amp; shows."));
  EXPECT_THAT(html, HasSubstr("✔ agrees"));
  EXPECT_THAT(html, HasSubstr("width=device-width"));
  for (const char* foreign : {"src=\"http", "<script", "<link", "@import", "url("}) {
    EXPECT_THAT(html, Not(HasSubstr(foreign)));
  }
  const std::regex link("href=[\"']([^\"']*)");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), link); it != std::sregex_iterator(); ++it) {
    const std::string target = (*it)[1];
    EXPECT_TRUE(target.starts_with("#") || target.starts_with("data:")) << target;
  }
  const std::regex id(" id=[\"']([^\"']*)");
  std::set<std::string> ids;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), id); it != std::sregex_iterator(); ++it) {
    EXPECT_TRUE(ids.insert((*it)[1]).second) << "twice: " << (*it)[1];
  }
}

TEST_F(Reproduce, SaysWhenAClaimDiffers) {
  FigureOutcome outcome = reproduce(request(Effort::full)).figures[0];
  ASSERT_TRUE(outcome.findings.verdicts[0].agrees);
  Laws wrong = library_laws();
  wrong.linear = [](double rate) { return 1.05 * linear_risk_limit(rate); };
  interpret(outcome, wrong);
  EXPECT_FALSE(outcome.findings.verdicts[0].agrees);

  ReproduceRequest theory = request(Effort::full);
  theory.laws = wrong;
  EXPECT_EQ(reproduce(theory).figures[0].computed, 0U);
  EXPECT_THAT(read("report.html"), HasSubstr("✘ differs"));

  ReproduceRequest other = request(Effort::full);
  other.context.seed = 2;
  EXPECT_FALSE(reproduce(other).figures[0].findings.verdicts[0].agrees);
  EXPECT_THAT(read("report.html"), HasSubstr("✘ differs"));
}

TEST_F(Reproduce, SkipsAFigureWhoseDataAreMissing) {
  figure_.missing = [](const Context&) { return std::string("get it <there>"); };
  const ReproduceOutcome outcome = reproduce(request(Effort::quick));
  EXPECT_EQ(measured, 0);
  EXPECT_EQ(outcome.figures[0].missing, "get it <there>");
  EXPECT_THAT(read("report.html"), HasSubstr("get it &lt;there&gt;"));
}

TEST(Figures, HaveNamesSettingsAndEstimatesInOrder) {
  std::set<std::string> names;
  double quick = 0;
  double full = 0;
  for (const Figure& figure : figures()) {
    EXPECT_TRUE(names.insert(figure.name).second) << figure.name;
    EXPECT_EQ(&figure_named(figure.name), &figure);
    for (const Effort effort : {Effort::quick, Effort::full}) {
      std::set<std::string> points;
      for (const Point& point : figure.points(effort)) {
        EXPECT_TRUE(points.insert(point.settings.dump()).second) << figure.name << ": twice " << point.settings;
        for (const auto& [key, value] : point.settings.items()) EXPECT_TRUE(value.is_primitive()) << key;
        EXPECT_GT(point.seconds, 0);
        (effort == Effort::quick ? quick : full) += point.seconds;
      }
    }
  }
  EXPECT_LT(quick, 150);       // promised: 3 minutes on two cores
  EXPECT_LT(full, 50.0 * 60);  // promised: 60 minutes
  EXPECT_THROW(figure_named("nothing"), Error);
}

}  // namespace
}  // namespace signfold::experiment
