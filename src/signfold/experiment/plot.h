// What a plot shows, as plain data, and how it becomes an SVG and a PNG through gnuplot.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "signfold/experiment/result.h"

namespace signfold::experiment {

/// Colours by what a curve means, the same in every figure (Okabe and Ito's palette: safe for colour-blind readers).
namespace colour {
inline constexpr const char* kRotation = "#000000";  ///< linear decoder of a rotation: the Gaussian value
inline constexpr const char* kIdentity = "#888888";
inline constexpr const char* kMixed = "#D55E00";
inline constexpr const char* kDenoiser = "#E69F00";
inline constexpr const char* kLayers = "#0072B2";
inline constexpr const char* kBayes = "#009E73";
inline constexpr const char* kShannon = "#CC79A7";
inline constexpr const char* kTrained = "#D55E00";
/// For families of curves: by size, sparsity, …
inline constexpr const char* kFamily[] = {"#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"};
}  // namespace colour

enum class Mark {
  line,    ///< theory
  dashed,  ///< limits
  dotted,
  points,  ///< measured, with error bars of one standard error
  hollow,  ///< measured, another way
  trace,   ///< a measured trajectory
};

struct PlotPoint {
  double x = 0;
  double y = 0;
  double error = 0;
};

struct Curve {
  std::string name;  ///< in the legend; empty = not there
  Mark mark = Mark::line;
  std::string colour = colour::kRotation;
  std::vector<PlotPoint> points;
};

/// One pair of axes, or one picture.
struct Panel {
  std::string title = {};
  std::string x_label = {};  ///< with the unit
  std::string y_label = {};
  std::vector<Curve> curves = {};
  bool whole_x = false;  ///< x counts something
  bool log_x = false;
  bool log_y = false;
  std::optional<double> y_low = {}, y_high = {}, x_low = {}, x_high = {};
  std::optional<Picture> picture =
      {};  ///< shown instead of curves: 0 = white, the largest size = black; red and blue if signed
};

/// y(x) at `count` evenly spaced x (evenly in the logarithm with log_x of the panel).
Curve curve_of(std::string name, Mark mark, std::string colour, double from, double to, int count,
               const std::function<double(double)>& y);
/// The rows as points, x from a setting.
Curve curve_of(std::string name, Mark mark, std::string colour, const std::vector<Row>& rows, const std::string& x);

/// Panels, each as an SVG document, and all of them as one SVG and one PNG document.
struct Drawing {
  std::vector<std::string> panels;
  std::string svg;
  std::string png;
};
/// Draws with gnuplot. Returns nothing when gnuplot is not installed. Throws Error{io} when it fails.
std::optional<Drawing> draw(const std::vector<Panel>& panels);

/// The commands for gnuplot that draw one panel; for tests.
std::string gnuplot_commands(const Panel& panel);

}  // namespace signfold::experiment
