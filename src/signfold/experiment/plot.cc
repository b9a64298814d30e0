#include "signfold/experiment/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace signfold::experiment {
namespace {

/// A string for gnuplot, taken literally.
std::string literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c == '\n' ? ' ' : c);
  return out + "'";
}

std::string style(const Curve& curve) {
  const std::string c = literal(curve.colour);
  switch (curve.mark) {
    case Mark::line:
      return fmt::format("with lines lw 2 lc rgb {}", c);
    case Mark::dashed:
      return fmt::format("with lines lw 2 dt (10,5) lc rgb {}", c);
    case Mark::dotted:
      return fmt::format("with lines lw 2 dt (2,4) lc rgb {}", c);
    case Mark::trace:
      return fmt::format("with lines lw 1.3 lc rgb {}", c);
    case Mark::points:
      return fmt::format("with yerrorbars pt 7 ps 0.5 lw 1.3 lc rgb {}", c);
    case Mark::hollow:
      return fmt::format("with yerrorbars pt 4 ps 0.65 lw 1.3 lc rgb {}", c);
  }
  return {};
}

std::string range(const std::optional<double>& low, const std::optional<double>& high) {
  const auto end = [](const std::optional<double>& v) { return v ? fmt::format("{}", *v) : std::string("*"); };
  return fmt::format("[{}:{}]", end(low), end(high));
}

std::string picture_commands(const Picture& picture) {
  std::string out = "$picture << END\n";
  for (std::size_t i = 0; i < picture.values.size(); ++i) {
    out += fmt::format("{:.4g}{}", picture.values[i], (i + 1) % picture.cols == 0 ? '\n' : ' ');
  }
  const auto [low, high] = picture.values.empty() ? std::pair(0.0F, 1.0F) : [&] {
    const auto ends = std::ranges::minmax(picture.values);
    return std::pair(ends.min, ends.max);
  }();
  const float largest = std::max({-low, high, 1e-6F});
  return out + fmt::format(
                   "END\nset yrange [*:*] reverse\nset size ratio -1\nset palette defined {}\nset cbrange [{}:{}]\n"
                   "set border 15\nunset grid\nunset key\nset autoscale xfix\nset autoscale yfix\n"
                   "plot $picture matrix with image\n",
                   low < 0 ? "(-1 '#2166ac', 0 'white', 1 '#b2182b')" : "(0 'white', 1 'black')",
                   low < 0 ? -largest : 0, largest);
}

std::string curve_data(const Curve& curve, const Panel& panel) {
  std::string out;
  for (const PlotPoint& p : curve.points) {
    if ((panel.log_y && p.y <= 0) || (panel.log_x && p.x <= 0)) continue;
    out += fmt::format("{} {} {}\n", p.x, p.y, p.error);
  }
  return out;
}

std::string curves_commands(const Panel& panel) {
  std::string data;
  std::string plots;
  for (std::size_t k = 0; k < panel.curves.size(); ++k) {
    const Curve& curve = panel.curves[k];
    const std::string points = curve_data(curve, panel);
    if (points.empty()) continue;
    data += fmt::format("$curve{} << END\n{}END\n", k, points);
    plots += fmt::format("{}$curve{} {} {}", plots.empty() ? "plot " : ", \\\n  ", k, style(curve),
                         curve.name.empty() ? "notitle" : "title " + literal(curve.name));
  }
  return data + plots + "\n";
}

}  // namespace

std::string gnuplot_commands(const Panel& panel) {
  std::string out = fmt::format(
      "reset\nset title {} offset 0,-0.4\nset xlabel {} offset 0,0.3\nset ylabel {} offset 0.6,0\n"
      "set border 3 lc rgb '#444444'\nset tics nomirror out\nset grid lc rgb '#e4e4e4' lt 1 lw 1\n"
      "set key outside below center horizontal Left reverse samplen 1.6 maxcols 2 spacing 1.1 width -1 font ',12' "
      "title ' '\n",
      literal(panel.title), literal(panel.x_label), literal(panel.y_label));
  if (panel.picture) return out + picture_commands(*panel.picture);
  if (panel.whole_x) out += "set xtics 1\n";
  if (panel.log_x) out += "set logscale x\nset xtics (50, 100, 200, 400, 800, 1600, 3200)\n";
  if (panel.log_y) {
    constexpr double kNarrow = 12;  // largest over smallest: more ticks fit
    const bool narrow = panel.y_low && panel.y_high && *panel.y_high < kNarrow * *panel.y_low;
    out += fmt::format("set logscale y\nset ytics (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, {}0.1, 0.2, 0.5, 1)\n",
                       narrow ? "0.07, 0.15, 0.3, 0.7, " : "");
  }
  out +=
      fmt::format("set xrange {}\nset yrange {}\n", range(panel.x_low, panel.x_high), range(panel.y_low, panel.y_high));
  return out + curves_commands(panel);
}

Curve curve_of(std::string name, Mark mark, std::string colour, double from, double to, int count,
               const std::function<double(double)>& y) {
  Curve curve{std::move(name), mark, std::move(colour), {}};
  for (int k = 0; k < count; ++k) {
    const double x = from + (to - from) * k / (count - 1);
    curve.points.push_back({x, y(x), 0});
  }
  return curve;
}

Curve curve_of(std::string name, Mark mark, std::string colour, const std::vector<Row>& rows, const std::string& x) {
  Curve curve{std::move(name), mark, std::move(colour), {}};
  for (const Row& row : rows) curve.points.push_back({row.settings.at(x), row.value, row.standard_error});
  std::ranges::sort(curve.points, {}, &PlotPoint::x);
  return curve;
}

}  // namespace signfold::experiment
