#include "signfold/experiment/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace signfold::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Panel example() {
  Panel panel{"A title", "rate r (bits per dimension)", "risk (1 = knowing nothing)"};
  panel.curves = {curve_of("theory", Mark::line, "#000000", 0, 1, 3, [](double x) { return x * x; }),
                  {"measured", Mark::points, "#0072B2", {{0.5, 0.26, 0.01}}}};
  return panel;
}

TEST(Plot, HasAxesLegendTheoryAndErrorBars) {
  const std::string commands = gnuplot_commands(example());
  for (const char* part :
       {"set title 'A title'", "set xlabel 'rate r (bits per dimension)'", "set ylabel 'risk (1 = knowing nothing)'",
        "title 'theory'", "title 'measured'", "0.5 0.25 0\n", "0.5 0.26 0.01\n", "with lines", "with yerrorbars"}) {
    EXPECT_THAT(commands, HasSubstr(part));
  }
}

TEST(Plot, TakesTextLiterally) {
  Panel panel = example();
  panel.title = "it's '`rm`' \n";
  EXPECT_THAT(gnuplot_commands(panel), HasSubstr("set title 'it''s ''`rm`''  '"));
}

TEST(Plot, LeavesOutWhatALogarithmCannotShow) {
  Panel panel = example();
  panel.log_y = true;
  EXPECT_THAT(gnuplot_commands(panel), Not(HasSubstr("0 0 0\n")));
  EXPECT_THAT(gnuplot_commands(panel), HasSubstr("0.5 0.25 0\n"));
}

TEST(Plot, SortsRowsByTheirSetting) {
  const std::vector<Row> rows = {{{{"p", 0.5}}, "risk", 3, 0.1, std::nullopt},
                                 {{{"p", 0.1}}, "risk", 2, 0.2, std::nullopt}};
  const Curve curve = curve_of("", Mark::points, "#000000", rows, "p");
  ASSERT_EQ(curve.points.size(), 2U);
  EXPECT_EQ(curve.points[0].x, 0.1);
  EXPECT_EQ(curve.points[0].y, 2);
  EXPECT_EQ(curve.points[0].error, 0.2);
  EXPECT_EQ(curve.points[1].x, 0.5);
}

TEST(Draw, MakesSvgAndPng) {
  if (std::system("gnuplot --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";  // NOLINT
  Panel picture{"|B|", "column", "row"};
  picture.picture = Picture{"B", 2, {0, 0.5, 1, 0.25}};
  Panel with_sign = picture;
  with_sign.picture->values[0] = -1;
  const auto drawing = draw({example(), picture, with_sign});
  ASSERT_TRUE(drawing);
  ASSERT_EQ(drawing->panels.size(), 3U);
  for (const std::string& svg : drawing->panels) EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(drawing->panels[0], HasSubstr("bits per dimension"));
  EXPECT_THAT(drawing->panels[1], HasSubstr("data:image/png;base64"));
  EXPECT_THAT(drawing->svg, HasSubstr("A title"));
  EXPECT_THAT(drawing->svg, HasSubstr("|B|"));
  EXPECT_EQ(drawing->png.substr(0, 8), "\x89PNG\r\n\x1a\n");
}

TEST(Draw, DoesWithoutGnuplot) {
  const char* before = std::getenv("PATH");  // NOLINT: one thread here
  const std::string path = before == nullptr ? "" : before;
  setenv("PATH", "/nowhere", 1);  // NOLINT
  const auto drawing = draw({example()});
  setenv("PATH", path.c_str(), 1);  // NOLINT
  EXPECT_FALSE(drawing);
}

}  // namespace
}  // namespace signfold::experiment
