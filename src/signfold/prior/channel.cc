#include "signfold/prior/channel.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "signfold/base/error.h"

namespace signfold {
namespace {

constexpr double kSmallestSparsity = 1e-12;
constexpr double kReach = 12;           // standard deviations; what is beyond weighs exp(−72)
constexpr double kWidestPanel = 2.001;  // standard deviations; 12 then cover one feature, rounding or not

/// A feature blurred by the noise.
struct Window {
  double low;
  double high;
  double deviation;
};

/// The end of the panel that starts at y: at most two of the narrowest deviations here, and not past the start of
/// another window, which may be narrower.
double panel_end(const std::vector<Window>& windows, double y) {
  double width = std::numeric_limits<double>::infinity();
  double next_start = std::numeric_limits<double>::infinity();
  double high = y;
  for (const Window& w : windows) {
    if (w.low > y) {
      next_start = std::min(next_start, w.low);
    } else if (w.high > y) {
      width = std::min(width, kWidestPanel * w.deviation);
      high = std::max(high, w.high);
    }
  }
  if (high == y) return next_start;  // between windows there is nothing to resolve
  return std::min({y + width, next_start, high});
}

}  // namespace

void check_sparsity(const std::string& name, double p) {
  if (!(p > 0 && p <= 1)) fail("{}: p must be in (0, 1]", name);
  if (p < kSmallestSparsity) fail("{}: p below {} is not supported", name, kSmallestSparsity);
}

void check_precision(double precision) {
  if (!(precision >= 0) || std::isinf(precision)) fail("precision must be finite and at least 0, not {}", precision);
}

QuadratureRule channel_rule(std::span<const Feature> features, double precision) {
  std::vector<Window> windows;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const Feature& feature : features) {
    const double deviation = std::hypot(feature.width, 1 / std::sqrt(precision));
    windows.push_back({feature.center - kReach * deviation, feature.center + kReach * deviation, deviation});
    if (!(windows.back().low < feature.center && feature.center < windows.back().high)) {
      fail("mmse at precision {}: the law has detail at {} that is finer than a double there", precision,
           feature.center);
    }
    low = std::min(low, windows.back().low);
    high = std::max(high, windows.back().high);
  }
  std::vector<double> edges{low};
  while (edges.back() < high) {
    // A panel too narrow for a double still ends at the next double.
    edges.push_back(std::max(panel_end(windows, edges.back()), std::nextafter(edges.back(), high)));
  }
  return composite_rule(edges);
}

}  // namespace signfold
