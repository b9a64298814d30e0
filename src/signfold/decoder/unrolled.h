// The trained multi-layer decoder: the layers of the two-term form with every scalar free (docs/rigamp.md section 8).
#pragma once

#include <cstddef>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/decoder/spline.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {

/// One layer. From x̂, s, ĝ and y of the layer before (0 for the first):
///   ĝ = product·Bx̂ + onsager·s + output_memory·ĝ
///   s = z·(height·h(max(a, −clip)) + δ_s(zĝ)),  a = zĝ/width
///   y = adjoint·Bᵀs + estimate·x̂ + input_memory·y
///   x̂_j = E[x_j | y_j; precision] + σ_j δ_x((y_j − μ_j)/σ_j)
/// with h the hazard of section 1, δ_s and δ_x splines, and μ_j, σ_j offset and scale of the prior (0, 1 where it is
/// i.i.d.).
struct UnrolledLayer {
  double product = 0, onsager = 0, output_memory = 0;
  double width = 1, height = 1;
  double adjoint = 1, estimate = 0, input_memory = 0;
  double precision = 1;
  double risk = 1;      ///< measured on vectors held out of training
  Spline score_spline;  ///< δ_s, may be empty
  Spline mean_spline;   ///< δ_x, may be empty

  /// E s² that guard G8 compares with.
  double score_energy() const { return width * height; }
};

struct UnrolledDecoder {
  std::vector<UnrolledLayer> layers;
  Matrix<float> matrix;  ///< B of the layers, n × d with unit-norm rows; empty = the encoder's

  UnrolledDecoder clone() const { return {layers, matrix.clone()}; }
};

/// The same decoder as the layers of a schedule, damping included; risks are the predicted ones.
UnrolledDecoder unroll(const Schedule& schedule);
/// Throws Error unless every number is finite, widths, heights and precisions are positive, and a matrix fits.
void check_unrolled(const UnrolledDecoder& decoder, std::size_t bits, std::size_t dim);

}  // namespace signfold
