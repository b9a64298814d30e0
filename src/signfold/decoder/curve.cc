#include "signfold/decoder/curve.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "signfold/base/error.h"

namespace signfold {
namespace {

constexpr std::size_t kLast = simd::SmallCubic::kIntervals - 1;

/// Sets piece k, around its centre, to the Hermite cubic of its two ends.
void set_piece(simd::SmallCubic& table, std::size_t k, const Differentiable& f, double center, double step) {
  const double low = f.value(center - step / 2);
  const double high = f.value(center + step / 2);
  const double low_slope = f.derivative(center - step / 2) * step;  // per interval: t runs from −½ to ½
  const double high_slope = f.derivative(center + step / 2) * step;
  table.c0[k] = static_cast<float>((low + high) / 2 + (low_slope - high_slope) / 8);
  table.c1[k] = static_cast<float>(1.5 * (high - low) - (low_slope + high_slope) / 4);
  table.c2[k] = static_cast<float>((high_slope - low_slope) / 2);
  table.c3[k] = static_cast<float>(low_slope + high_slope - 2 * (high - low));
}

/// Sets piece k to the tangent of f at `touch`, or to a constant.
void set_line(simd::SmallCubic& table, std::size_t k, const CurveShape& shape, double center, double touch,
              double step) {
  const double slope = shape.flat ? 0 : shape.f.derivative(touch);
  table.c0[k] = static_cast<float>(shape.f.value(touch) + slope * (center - touch));
  table.c1[k] = static_cast<float>(slope * step);
}

bool is_odd(const CurveShape& shape) {
  constexpr int kProbes = 8;
  if (shape.flat || shape.low != -shape.high) return false;
  for (int i = 0; i <= kProbes; ++i) {
    const double x = shape.high * i / kProbes;
    if (std::abs(shape.f.value(x) + shape.f.value(-x)) > 1e-9 * shape.height) return false;
  }
  return std::ranges::all_of(
      shape.probes, [&](double x) { return std::abs(shape.f.value(x) + shape.f.value(-x)) <= 1e-9 * shape.height; });
}

/// The value of a coarse table, in double precision.
double value_of(const simd::SmallCubic& table, double x) {
  const double position = ((table.odd ? std::abs(x) : x) - table.origin) * table.inverse_step;
  const double whole = std::clamp(std::round(position), 0.0, static_cast<double>(kLast));
  const auto k = static_cast<std::size_t>(whole);
  const double t = position - whole;
  const double value = table.c0[k] + t * (table.c1[k] + t * (table.c2[k] + t * table.c3[k]));
  return table.odd && x < 0 ? -value : value;
}

}  // namespace

simd::SmallCubic tabulate_coarsely(const CurveShape& shape) {
  if (!(shape.low < shape.high)) fail("tabulate: the interval [{}, {}] is empty", shape.low, shape.high);
  simd::SmallCubic table;
  table.odd = is_odd(shape);
  const std::size_t first = table.odd ? 0 : 1;  // an odd function needs no line on the left
  const double low = table.odd ? 0 : shape.low;
  const double step = (shape.high - low) / static_cast<double>(kLast - first);
  const auto center = [&](std::size_t k) {
    return low + (static_cast<double>(k) - static_cast<double>(first) + 0.5) * step;
  };
  table.origin = static_cast<float>(center(0));
  table.inverse_step = static_cast<float>(1 / step);
  // Rounding may have put 0 just outside interval 0, where kernels would not look for it.
  while (table.odd && table.origin * table.inverse_step > 0.5F) table.origin = std::nextafter(table.origin, 0.0F);
  if (!table.odd) set_line(table, 0, shape, center(0), low, step);
  for (std::size_t k = first; k < kLast; ++k) set_piece(table, k, shape.f, center(k), step);
  set_line(table, kLast, shape, center(kLast), shape.high, step);
  return table;
}

double coarse_error(const CurveShape& shape, const simd::SmallCubic& table) {
  double worst = 0;
  for (std::size_t k = table.odd ? 0 : 1; k < kLast; ++k) {
    for (const double t : {-0.25, 0.0, 0.25}) {
      const double x = table.origin + (static_cast<double>(k) + t) / table.inverse_step;
      worst = std::max(worst, std::abs(value_of(table, x) - shape.f.value(x)));
    }
  }
  for (const double x : shape.probes) {
    if (x > shape.low && x < shape.high) worst = std::max(worst, std::abs(value_of(table, x) - shape.f.value(x)));
  }
  return worst;
}

int most_intervals(std::size_t tables) {
  constexpr std::size_t kRoom = std::size_t{48} << 20;
  constexpr std::size_t kInterval = 4 * sizeof(float);
  constexpr std::size_t kLeast = 128;
  const std::size_t share = kRoom / std::max<std::size_t>(1, tables) / kInterval;
  if (share < kLeast) {
    fail("decoder: {} tables of its functions are too many; take fewer layers, or one law for all coordinates", tables);
  }
  return static_cast<int>(std::min<std::size_t>(std::bit_floor(share), kMostIntervals));
}

Curve::Curve(const CurveShape& shape, int most_intervals) {
  const simd::SmallCubic coarse = tabulate_coarsely(shape);
  if (coarse_error(shape, coarse) <= kCoarseTolerance * shape.height) {
    table_ = coarse;
    return;
  }
  simd::Cubic fine =
      tabulate(shape.f, shape.low, shape.high, kFineTolerance * shape.height, shape.probes, most_intervals);
  if (shape.flat) fine.left_slope = fine.right_slope = 0;
  table_ = std::move(fine);
}

void Curve::apply(std::span<const float> x, std::span<float> y) const {
  if (const auto* small = std::get_if<simd::SmallCubic>(&table_)) return simd::small_cubic(*small, x, y);
  simd::table(std::get<simd::Cubic>(table_), x, y);
}

void Curve::apply_signed(std::span<const std::uint8_t> z, std::span<const float> x, std::span<float> y) const {
  if (const auto* small = std::get_if<simd::SmallCubic>(&table_)) return simd::signed_small_cubic(*small, z, x, y);
  std::copy_n(x.data(), x.data() == y.data() ? 0 : x.size(), y.data());
  times_signs(z, y);
  simd::table(std::get<simd::Cubic>(table_), y, y);
  times_signs(z, y);
}

void times_signs(std::span<const std::uint8_t> z, std::span<float> y) {
  simd::flip_signs(y, z);  // changes those that are to stay, the next line all of them
  simd::scale(y, -1);
}

}  // namespace signfold
