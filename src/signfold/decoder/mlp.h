// A plain two-layer decoder, trained on data: for vectors whose structure no product prior knows.
#pragma once

#include <cstdint>
#include <vector>

#include "signfold/base/matrix.h"

namespace signfold {

/// x̂ = Σ_i z_i a_i + Wᵀ max(0, Vᵀz + bias) + offset, in the coordinates the encoder sees; H hidden units. Plain data.
struct MlpDecoder {
  Matrix<float> linear;       ///< A: n × d, row i is what bit i adds
  Matrix<float> in;           ///< V: n × H, row i is what bit i adds to the hidden units
  std::vector<float> bias;    ///< H
  Matrix<float> out;          ///< W: H × d
  std::vector<float> offset;  ///< d
  double risk = 1;            ///< measured on vectors held out of training

  bool empty() const { return in.empty(); }
  std::size_t hidden() const { return in.cols(); }
};

/// Throws Error unless the sizes fit n bits and d coordinates and every number is finite. An empty one always fits.
void check_mlp(const MlpDecoder& mlp, std::size_t bits, std::size_t dim);

/// x̂ of packed codes, k × code_bytes(n) to k × d. A row depends on its own code only. Runs on the calling thread.
void decode_mlp(const MlpDecoder& mlp, MatrixView<const std::uint8_t> codes, MatrixView<float> x);

}  // namespace signfold
