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

/// Within kCoarseTolerance·height: a coarse table where its 31 pieces are enough, otherwise a fine one, of at most so
/// many intervals. What these are too few for is as steep as it is where hardly any y lies: between atoms that the
/// noise keeps apart. Immutable.
class Curve {
 public:
  explicit Curve(const CurveShape& shape, int most_intervals = kMostIntervals);
  bool coarse() const { return std::holds_alternative<simd::SmallCubic>(table_); }
  /// y[i] = f(x[i]); x and y may be the same.
  void apply(std::span<const float> x, std::span<float> y) const;
  /// y[i] = z_i f(z_i x[i]) for packed signs z, as simd::signed_small_cubic; x and y may be the same.
  void apply_signed(std::span<const std::uint8_t> z, std::span<const float> x, std::span<float> y) const;

 private:
  std::variant<simd::SmallCubic, simd::Cubic> table_;
};

/// How fine each of so many tables of a decoder may be, a power of 2: together they take at most 48 MB, since a file of
/// a few hundred bytes may ask for any number of them. Throws Error for more tables than that leaves anything for.
int most_intervals(std::size_t tables);

/// y[i] *= z_i for packed signs z (set = +1, else −1). Throws Error for a wrong number of bits.
void times_signs(std::span<const std::uint8_t> z, std::span<float> y);

}  // namespace signfold
