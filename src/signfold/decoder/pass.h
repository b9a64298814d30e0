// A block of codes on its way through the layers of a network. What all forms of the decoder share is here; how a layer
// remembers the ones before is what the forms differ in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "signfold/decoder/network.h"
#include "signfold/decoder/pointwise.h"

namespace signfold {

/// Rows decoded together at most: products with a dense matrix want many.
constexpr std::size_t kBlockRows = 64;
/// Rows that this pass should decode together: one where every step works on one row at a time anyway, so that all that
/// belongs to it stays in the first-level cache.
std::size_t block_rows(const Encoder& of_layers, const Basis& basis, const NetworkParameters& parameters);

/// A layer's pointwise functions.
struct CompiledLayer {
  Curve score;
  double score_energy = 0;  ///< E s², V/c: what guard G8 compares with
  PosteriorMean posterior_mean;
  simd::Cubic score_correction = {};  ///< added to `score`; without coefficients: nothing
};

/// Names follow docs/rigamp.md. Not thread-safe; one per thread. What it refers to must outlive it.
class Pass {
 public:
  /// `of_layers` is the B of the layers, `encoder` that of the linear decoder.
  Pass(const Encoder& encoder, const Encoder& of_layers, const Basis& basis, const NetworkParameters& parameters,
       std::span<const CompiledLayer> layers);
  virtual ~Pass() = default;
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  /// At most block_rows() codes, which must live until the next call of this; not more than in the first.
  void start(MatrixView<const std::uint8_t> codes);
  /// Layer 0, in the encoder's coordinates. Valid until the next call, as those of advance() are.
  MatrixView<const float> linear();
  /// The next layer, in the encoder's coordinates.
  MatrixView<const float> advance();

 protected:
  const NetworkParameters& parameters() const { return parameters_; }
  double rate() const { return encoder_.shape().rate(); }

  /// ĝ of layer t ≥ 1 (counted from 0) from `product` = B x̂ and `score` = s of layer t − 1. ĝ holds that of layer t − 1
  /// on entry (zero for t = 1), as y does below.
  virtual void output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                           MatrixView<float> ghat) = 0;
  /// y of layer t ≥ 0 from `adjoint` = Bᵀs of layer t and `estimate` = x̂ of layer t − 1 (zero for t = 0), in the basis
  /// of the prior.
  virtual void input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                          MatrixView<float> y) = 0;

 private:
  void score_step(const CompiledLayer& layer);
  void keep_lost_rows(double score_energy);

  const Encoder& encoder_;
  const Encoder& of_layers_;
  const Basis& basis_;
  const NetworkParameters& parameters_;
  std::span<const CompiledLayer> layers_;
  /// The rows in use.
  MatrixView<float> rows(Matrix<float>& m) const { return m.view().row_range(0, codes_.rows); }

  MatrixView<const std::uint8_t> codes_;
  Matrix<float> score_, ghat_, product_;                 // rows × n
  Matrix<float> y_, xhat_, before_, adjoint_, outside_;  // rows × d
  std::array<double, kBlockRows> surprise_{};            // mean s² of a row over its prediction
  std::array<bool, kBlockRows> lost_{};
  std::size_t done_ = 0;
};

/// A pass of the form that the parameters have.
std::unique_ptr<Pass> make_pass(const Encoder& encoder, const Encoder& of_layers, const Basis& basis,
                                const NetworkParameters& parameters, std::span<const CompiledLayer> layers);

}  // namespace signfold
