#include "signfold/decoder/spline.h"

#include <cmath>

#include "signfold/base/error.h"

namespace signfold {
namespace {

/// The pieces of β on its four intervals, from the last to the first, as polynomials of t = position in the interval.
constexpr double kPieces[4][4] = {
    {1.0 / 6, -0.5, 0.5, -1.0 / 6},
    {4.0 / 6, 0, -1, 0.5},
    {1.0 / 6, 0.5, 0.5, -0.5},
    {0, 0, 0, 1.0 / 6},
};

}  // namespace

Spline make_spline(double low, double high, std::size_t count) {
  if (!(low < high) || count == 0)
    fail("a spline needs an interval and at least one weight, not {} on [{}, {}]", count, low, high);
  return {low, (high - low) / static_cast<double>(count + 3), std::vector<double>(count)};
}

void check_spline(const Spline& spline, const char* name) {
  bool good = std::isfinite(spline.low) && std::isfinite(spline.step) && spline.step > 0;
  for (const double w : spline.weights) good = good && std::isfinite(w);
  if (!good) fail("decoder: the spline of {} holds a number that makes no sense", name);
}

SplineBasis spline_basis(const Spline& spline, float x) {
  SplineBasis out;
  const auto intervals = static_cast<double>(spline.weights.size() + 3);
  const double position = (static_cast<double>(x) - spline.low) / spline.step;
  if (!(position >= 0 && position < intervals)) return out;
  const double whole = std::floor(position);
  const double t = position - whole;
  out.first = static_cast<std::ptrdiff_t>(whole) - 3;
  for (std::size_t k = 0; k < 4; ++k) {
    const auto& c = kPieces[k];
    out.value[k] = static_cast<float>(c[0] + t * (c[1] + t * (c[2] + t * c[3])));
  }
  return out;
}

simd::Cubic spline_table(const Spline& spline) {
  simd::Cubic table;
  if (spline.empty()) return table;
  const auto count = static_cast<std::ptrdiff_t>(spline.weights.size());
  table.origin = static_cast<float>(spline.low);
  table.inverse_step = static_cast<float>(1 / spline.step);
  for (std::ptrdiff_t interval = 0; interval < count + 3; ++interval) {
    double sum[4] = {};
    for (std::ptrdiff_t k = 0; k < 4; ++k) {
      const std::ptrdiff_t index = interval - 3 + k;
      if (index < 0 || index >= count) continue;
      for (std::size_t power = 0; power < 4; ++power) {
        sum[power] += spline.weights[static_cast<std::size_t>(index)] * kPieces[k][power];
      }
    }
    for (const double c : sum) table.coefficients.push_back(static_cast<float>(c));
  }
  return table;
}

}  // namespace signfold
