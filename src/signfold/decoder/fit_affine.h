// The affine decoder x̂ = A z + offset, by least squares on data: no theory, any encoder.
#pragma once

#include <span>

#include "signfold/base/matrix.h"
#include "signfold/decoder/network.h"
#include "signfold/encoder/encoder.h"

namespace signfold {

struct AffineFit {
  AffineDecoder decoder;
  double risk =
      1;  ///< expected on new vectors: the training risk times (k + n)/(k − n) (Akaike's final prediction error)
};
/// Fits to k rows (k × d, in the coordinates of the encoder): minimises Σ w‖x − A z − offset‖² for weights w (k
/// numbers). Throws Error unless there are more rows than bits.
AffineFit fit_affine(const Encoder& encoder, MatrixView<const float> rows, std::span<const double> weights);

}  // namespace signfold
