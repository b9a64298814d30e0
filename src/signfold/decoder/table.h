// Tabulating the pointwise functions of a network as piecewise cubics.
#pragma once

#include <functional>
#include <span>

#include "signfold/simd/kernels.h"

namespace signfold {

/// A function of one variable with its derivative.
struct Differentiable {
  std::function<double(double)> value;
  std::function<double(double)> derivative;
};

inline constexpr int kMostIntervals = 1 << 15;

/// The cubic Hermite interpolant of f on a uniform grid of [low, high], refined until the error half-way between knots,
/// and at the `probes` (where f may have features that a coarse grid steps over), is below `tolerance` (absolute), or
/// the grid has `most_intervals`, a power of 2. Outside, the table continues linearly with f's slope at the ends.
/// Throws Error unless low < high.
simd::Cubic tabulate(const Differentiable& f, double low, double high, double tolerance,
                     std::span<const double> probes = {}, int most_intervals = kMostIntervals);

}  // namespace signfold
