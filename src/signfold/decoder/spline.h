// A smooth function on an interval, as a sum of cubic B-splines: the trainable part of a pointwise function.
#pragma once

#include <cstddef>
#include <vector>

#include "signfold/simd/kernels.h"

namespace signfold {

/// δ(x) = Σ_k weights[k]·β((x − low)/step − k) with β the cubic B-spline of the knots 0, 1, 2, 3, 4. Zero outside
/// [low, low + step·(weights + 3)] and twice continuously differentiable everywhere. Plain data; no weights = zero.
struct Spline {
  double low = 0;
  double step = 1;
  std::vector<double> weights;

  bool empty() const { return weights.empty(); }
};

/// `count` weights of zero whose splines cover [low, high]. Throws Error unless low < high and count ≥ 1.
Spline make_spline(double low, double high, std::size_t count);
/// Throws Error unless every number is finite and the step positive; `name` is for the message.
void check_spline(const Spline& spline, const char* name);

/// The four splines that may differ from 0 at x: those of weights first, …, first + 3 (some may lie outside the list).
struct SplineBasis {
  std::ptrdiff_t first = 0;
  float value[4] = {};
};
SplineBasis spline_basis(const Spline& spline, float x);

/// The same function as a table; every piece is a cubic already, so nothing is lost but rounding. Empty for no weights.
simd::Cubic spline_table(const Spline& spline);

}  // namespace signfold
