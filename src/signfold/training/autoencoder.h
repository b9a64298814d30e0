// What gradient descent trains: an encoder matrix and a linear decoder.
#pragma once

#include <string>
#include <vector>

#include "signfold/base/matrix.h"

namespace signfold {

/// The linear decoder x̂ = Σ_i z_i a_i of a trained encoder with rows b_i (docs/math.md section 9).
enum class TrainedDecoder {
  tied,       ///< a_i = α b_i, α the best for each batch
  tied_rows,  ///< a_i = α_i b_i
  untied,     ///< any a_i
};
/// "tied", "tied-rows" or "untied"; throws Error otherwise.
TrainedDecoder parse_trained_decoder(const std::string& text);
std::string to_string(TrainedDecoder kind);

/// z = sign(Bx), x̂ = Aᵀz with A n × d: row i is what bit i adds.
struct Autoencoder {
  TrainedDecoder kind = TrainedDecoder::tied;
  Matrix<float> encoder;    ///< B: n × d, unit-norm rows
  std::vector<float> gain;  ///< tied: {α}; tied_rows: α_i; untied: empty
  Matrix<float> decoder;    ///< untied: A; empty otherwise

  std::size_t bits() const { return encoder.rows(); }
  std::size_t dim() const { return encoder.cols(); }
};

/// The same numbers as derivatives of a loss.
using Gradient = Autoencoder;

/// How far B is from what theory expects of it. Shapes: n × d.
struct EncoderShapeReport {
  double orthogonality = 0;    ///< n ≤ d: largest |⟨b_i, b_j⟩|, i ≠ j; n > d: largest |BᵀB/r − I|
  double diagonal_weight = 0;  ///< median over rows of the largest |b_ij|: near 1 when bits watch single coordinates
};
EncoderShapeReport describe_encoder(MatrixView<const float> b);

}  // namespace signfold
