// A decoder compiled to a fixed network: layers of one product with B, one with Bᵀ and pointwise functions.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "signfold/decoder/mlp.h"
#include "signfold/decoder/unrolled.h"
#include "signfold/encoder/encoder.h"
#include "signfold/prior/profile.h"
#include "signfold/theory/full_memory.h"
#include "signfold/theory/state_evolution.h"
#include "signfold/transform/basis.h"

namespace signfold {

/// An affine decoder fitted on data: x̂ = A z + offset, in the coordinates the encoder sees.
struct AffineDecoder {
  Matrix<float> matrix;       ///< n × d: row i is what bit i adds
  std::vector<float> offset;  ///< d
};

/// Everything a decoder is, as plain data; a model file stores exactly this.
struct NetworkParameters {
  double linear_gain = 0;    ///< layer 0: x̂ = linear_gain · Bᵀz
  double linear_risk = 1;    ///< predicted
  Schedule schedule;         ///< layers 1..L of the two-term form
  MemorySchedule memory;     ///< or of the full-memory form; all empty = linear only
  UnrolledDecoder unrolled;  ///< or trained ones
  double clip = 3;           ///< guard G3: a ≥ −clip
  VectorPrior prior;         ///< in the coordinates of `basis`
  AffineDecoder affine;      ///< empty matrix = none; replaces layer 0
  MlpDecoder mlp;            ///< or layer 1 alone: a trained network of its own

  /// L.
  std::size_t layers() const {
    if (!mlp.empty()) return 1;
    return std::max({schedule.layers.size(), memory.layers.size(), unrolled.layers.size()});
  }
};

class Pass;

/// The compiled decoder. Immutable and thread-safe; runs on the calling thread. Every vector is decoded from its own
/// code and scale alone: neighbours in a batch do not matter.
class Network {
 public:
  Network(EncoderPtr encoder, BasisPtr basis, NetworkParameters parameters);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  /// Number of layers after the linear one.
  int layers() const;
  const NetworkParameters& parameters() const;
  const Encoder& encoder() const;
  const Basis& basis() const;
  /// Predicted risk of layer t, 0 = linear.
  double predicted_risk(int layer) const;

  /// x̂ of every row after `layers` layers (0 = linear; −1 = all). codes: k × code_bytes(n); scales: k numbers
  /// (‖x‖/√d, or all ones); x: k × d. A scale of 0 gives exactly 0. Throws Error for layers out of range.
  void decode(MatrixView<const std::uint8_t> codes, std::span<const float> scales, int layers,
              MatrixView<float> x) const;
  /// Decodes in small blocks of rows and calls visit(layer, first_row, estimate rows × d) for layers 0..L of each
  /// block, for measuring all of them in one pass.
  using Visitor = std::function<void(int layer, std::size_t first_row, MatrixView<const float> estimate)>;
  void decode_layers(MatrixView<const std::uint8_t> codes, std::span<const float> scales, const Visitor& visit) const;

 private:
  MatrixView<const float> advance(Pass& pass, MatrixView<const std::uint8_t> codes, MatrixView<float> own) const;

  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace signfold
