// What gradient descent trains: an encoder matrix and a linear decoder.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "signfold/base/matrix.h"

namespace signfold {

/// The linear decoder x̂ = Σ_i z_i a_i of a trained encoder with rows b_i (docs/math.md section 9).
enum class TrainedDecoder {
  tied,       ///< a_i = α b_i, α the best for each batch
  tied_rows,  ///< a_i = α_i b_i
  untied,     ///< any a_i
  network,    ///< any a_i and a hidden layer beside them: x̂ = Σ_i z_i a_i + Wᵀ max(0, Vᵀz + bias) + offset
  layers,     ///< an unrolled multi-layer decoder (unrolled_trainer.h)
};
/// "tied", "tied-rows", "untied", "network:mlp:H" with the number of hidden units or "network:L" with that of layers;
/// throws Error otherwise.
struct TrainedDecoderChoice {
  TrainedDecoder kind = TrainedDecoder::tied;
  std::size_t hidden = 0;  ///< H, of a network
  int layers = 0;          ///< L, of layers

  TrainedDecoderChoice() = default;
  TrainedDecoderChoice(TrainedDecoder k, std::size_t h = 0, int l = 0)  // NOLINT: implicit on purpose
      : kind(k), hidden(h), layers(l) {}
  friend bool operator==(const TrainedDecoderChoice&, const TrainedDecoderChoice&) = default;
};
TrainedDecoderChoice parse_trained_decoder(const std::string& text);
std::string to_string(TrainedDecoderChoice choice);

/// The nonlinear part of a network decoder; H hidden units.
struct HiddenLayer {
  Matrix<float> in;           ///< V: n × H, row i is what bit i adds to the hidden units
  std::vector<float> bias;    ///< H
  Matrix<float> out;          ///< W: H × d
  std::vector<float> offset;  ///< d
};

/// z = sign(Bx), x̂ = Aᵀz with A n × d: row i is what bit i adds.
struct Autoencoder {
  TrainedDecoder kind = TrainedDecoder::tied;
  Matrix<float> encoder;    ///< B: n × d, unit-norm rows; empty where a given encoder is kept
  std::vector<float> gain;  ///< tied: {α}; tied_rows: α_i; untied: empty
  Matrix<float> decoder;    ///< untied, network: A; empty otherwise
  HiddenLayer hidden;       ///< network

  std::size_t bits() const { return encoder.empty() ? decoder.rows() : encoder.rows(); }
  std::size_t dim() const { return encoder.empty() ? decoder.cols() : encoder.cols(); }
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
