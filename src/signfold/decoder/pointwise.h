// The two pointwise functions of a layer, tabulated: the score of the signs and the posterior mean of the prior.
#pragma once

#include <cstdint>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/decoder/curve.h"
#include "signfold/prior/profile.h"
#include "signfold/simd/kernels.h"

namespace signfold {

/// z ⊙ ĝ ↦ √V h(max(a, −clip))/c with V = variance, c = information, a = z ĝ/√V (docs/rigamp.md section 1); multiplied
/// by z it is the score s. Absolute error below 1e-6.
simd::Cubic score_table(double variance, double information, double clip);

/// The same for decoding: absolute error below kCoarseTolerance·√V/c.
Curve score_curve(double variance, double information, double clip);

/// y ↦ E[x | y = x + N(0, 1/precision)] for one law, as a table. Absolute error below 1e-6.
simd::Cubic posterior_table(const Prior& prior, double precision);
/// The same for decoding: absolute error below kCoarseTolerance.
Curve posterior_curve(const Prior& prior, double precision, int most_intervals = kMostIntervals);

/// The posterior mean of every coordinate at one precision. Coordinates whose σ agree within 1 % share a table: the
/// posterior mean minimises the risk, so a relative error ε of its precision costs only O(ε²). Immutable.
class PosteriorMean {
 public:
  /// Tables for coordinates of a `dim`-vector given y = x + N(0, 1/precision). Absolute error of each table:
  /// kCoarseTolerance·σ_j. `correction` is added in units of σ_j, as a function of (y_j − μ_j)/σ_j; without
  /// coefficients: nothing.
  PosteriorMean(const VectorPrior& prior, std::size_t dim, double precision, int most_intervals = kMostIntervals,
                simd::Cubic correction = {});
  /// How many tables that takes.
  static std::size_t tables(const VectorPrior& prior, std::size_t dim);
  /// x̂_ij = E[x_j | y_ij] for every row; y and x may be the same matrix.
  void apply(MatrixView<const float> y, MatrixView<float> x) const;

 private:
  void apply_to_columns(MatrixView<const float> y, MatrixView<float> x) const;
  /// One curve, and the correction, in place for `added`, which has the length of y or no numbers at all.
  void apply_curve(const Curve& curve, std::span<float> added, std::span<const float> y, std::span<float> x) const;

  std::vector<Curve> tables_;            ///< i.i.d.: exactly one
  std::vector<std::uint32_t> table_of_;  ///< per coordinate; empty when i.i.d.
  std::vector<float> offset_;
  std::vector<float> scale_;
  simd::Cubic correction_;
};

}  // namespace signfold
