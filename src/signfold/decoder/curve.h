// A pointwise function of a network, tabulated as coarsely as its error allows.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "signfold/decoder/table.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/small_cubic.h"

namespace signfold {

/// Largest error of a coarse table. A posterior mean minimises the squared error, so that an error δ of the function
/// costs only E δ² (4e-8 of the variance), and the scores likewise.
constexpr double kCoarseTolerance = 2e-4;
/// Of a fine table: about what float32 arithmetic loses anyway.
constexpr double kFineTolerance = 1e-6;

/// A function and how to tabulate it.
struct CurveShape {
  Differentiable f;
  double low = 0;  ///< below, f goes on as its tangent, or is constant if `flat`
  double high = 1;
  double height = 1;  ///< the unit of tolerances
  bool flat = false;
  std::vector<double> probes = {};  ///< where f may have features that a coarse grid steps over: errors are looked at
};

/// The 31 pieces of a coarse table; odd functions (recognised by probing) are tabulated for x ≥ 0 alone.
simd::SmallCubic tabulate_coarsely(const CurveShape& shape);
/// The largest error of a coarse table at three points within every piece and at the probes, in units of the function.
double coarse_error(const CurveShape& shape, const simd::SmallCubic& table);

/// Within kCoarseTolerance·height: a table that fits in registers where 31 pieces are enough, otherwise a fine one.
/// Immutable.
class Curve {
 public:
  explicit Curve(const CurveShape& shape);
  bool coarse() const { return std::holds_alternative<simd::SmallCubic>(table_); }
  /// Memory of the table.
  std::size_t bytes() const;
  /// y[i] = f(x[i]); x and y may be the same.
  void apply(std::span<const float> x, std::span<float> y) const;
  /// y[i] = z_i f(z_i x[i]) for packed signs z, as simd::signed_small_cubic; x and y may be the same.
  void apply_signed(std::span<const std::uint8_t> z, std::span<const float> x, std::span<float> y) const;

 private:
  std::variant<simd::SmallCubic, simd::Cubic> table_;
};

/// What the tables of one decoder may still take. Those of a fit take some megabytes; a file of a few hundred bytes may
/// ask for as many gigabytes.
class TableRoom {
 public:
  /// Throws Error when they are too large together.
  void take(const Curve& curve);

 private:
  std::size_t left_ = std::size_t{32} << 20;
};

/// y[i] *= z_i for packed signs z (set = +1, else −1). Throws Error for a wrong number of bits.
void times_signs(std::span<const std::uint8_t> z, std::span<float> y);

}  // namespace signfold
