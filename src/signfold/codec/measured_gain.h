// The tied linear decoder of an encoder that theory does not know: its gain and risk, measured on given data.
#pragma once

#include <span>

#include "signfold/encoder/encoder.h"
#include "signfold/transform/basis.h"

namespace signfold {

struct MeasuredGain {
  double gain = 0;  ///< the α of least Σ w‖x − αBᵀz‖²
  double risk = 1;  ///< that sum over Σ w‖x‖²
};
/// rows: k × d, in the basis; weights: k numbers w, as of measured_depth.
MeasuredGain measured_gain(const Encoder& encoder, const Basis& basis, MatrixView<const float> rows,
                           std::span<const double> weights);

}  // namespace signfold
