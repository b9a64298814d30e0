#include "signfold/decoder/table.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"

namespace signfold {
namespace {

constexpr int kFirstIntervals = 16;

struct Knot {
  double value;
  double slope;
};

std::vector<Knot> knots_of(const Differentiable& f, double low, double step, int intervals) {
  std::vector<Knot> knots;
  knots.reserve(static_cast<std::size_t>(intervals) + 1);
  for (int k = 0; k <= intervals; ++k) {
    const double x = low + step * k;
    knots.push_back({f.value(x), f.derivative(x)});
  }
  return knots;
}

/// Half-way between two knots, the Hermite cubic is the mean of the values plus step/8 times the drop of the slopes.
double midpoint(const Knot& a, const Knot& b, double step) {
  return 0.5 * (a.value + b.value) + step / 8 * (a.slope - b.slope);
}

/// The Hermite cubic of the interval that x lies in.
double interpolated(const std::vector<Knot>& knots, double low, double step, double x) {
  const double position = (x - low) / step;
  const double whole = std::floor(std::clamp(position, 0.0, static_cast<double>(knots.size() - 2)));
  const Knot& a = knots[static_cast<std::size_t>(whole)];
  const Knot& b = knots[static_cast<std::size_t>(whole) + 1];
  const double t = position - whole;
  const double s = 1 - t;
  return a.value * s * s * (1 + 2 * t) + b.value * t * t * (1 + 2 * s) + step * s * t * (a.slope * s - b.slope * t);
}

bool fine_enough(const Differentiable& f, const std::vector<Knot>& knots, double low, double step, double tolerance,
                 std::span<const double> probes) {
  const double high = low + step * static_cast<double>(knots.size() - 1);
  for (const double x : probes) {
    if (x > low && x < high && std::abs(interpolated(knots, low, step, x) - f.value(x)) > tolerance) return false;
  }
  for (std::size_t k = 0; k + 1 < knots.size(); ++k) {
    const double x = low + step * (static_cast<double>(k) + 0.5);
    if (std::abs(midpoint(knots[k], knots[k + 1], step) - f.value(x)) > tolerance) return false;
  }
  return true;
}

}  // namespace

simd::Cubic tabulate(const Differentiable& f, double low, double high, double tolerance, std::span<const double> probes,
                     int most_intervals) {
  if (!(low < high)) fail("tabulate: the interval [{}, {}] is empty", low, high);
  int intervals = kFirstIntervals;
  double step = (high - low) / intervals;
  std::vector<Knot> knots = knots_of(f, low, step, intervals);
  while (intervals < most_intervals && !fine_enough(f, knots, low, step, tolerance, probes)) {
    intervals *= 2;
    step = (high - low) / intervals;
    knots = knots_of(f, low, step, intervals);
  }

  simd::Cubic table;
  table.origin = static_cast<float>(low);
  table.inverse_step = static_cast<float>(1 / step);
  table.left_slope = static_cast<float>(knots.front().slope);
  table.right_slope = static_cast<float>(knots.back().slope);
  table.right_value = static_cast<float>(knots.back().value);
  table.coefficients.reserve(4 * static_cast<std::size_t>(intervals));
  for (std::size_t k = 0; k + 1 < knots.size(); ++k) {
    const Knot a{knots[k].value, knots[k].slope * step};  // slopes per interval: t runs from 0 to 1
    const Knot b{knots[k + 1].value, knots[k + 1].slope * step};
    const double rise = b.value - a.value;
    for (const double c : {a.value, a.slope, 3 * rise - 2 * a.slope - b.slope, a.slope + b.slope - 2 * rise}) {
      table.coefficients.push_back(static_cast<float>(c));
    }
  }
  return table;
}

}  // namespace signfold
