// The loss of an autoencoder on a batch and its straight-through gradient (docs/math.md section 9).
#pragma once

#include <cstdint>
#include <vector>

#include "signfold/base/ranks.h"
#include "signfold/base/team.h"
#include "signfold/encoder/encoder.h"
#include "signfold/training/autoencoder.h"

namespace signfold {

/// Forward z = sign(Bx); backward as if dz/du were (1 − tanh²(u/τ))/τ. Three products of float matrices per batch, and
/// two with matrices of signs that need additions only. Holds the workspace for batches of one size; the results do
/// not depend on the number of threads. Given an encoder, the bits are its bits, only the decoder has a gradient, and
/// networks come without a matrix B.
class StraightThrough {
 public:
  /// Batches of `batch` vectors; `team` and `ranks` outlive this. With several ranks the batch of gradient() is that of
  /// all ranks together. Throws Error when there is no memory for the workspace.
  StraightThrough(TrainedDecoderChoice decoder, std::size_t bits, std::size_t dim, std::size_t batch, Team& team,
                  EncoderPtr given = nullptr, Ranks* ranks = nullptr);

  /// x: 1 … batch rows × d. Returns the mean of ‖x − x̂‖² over them; `gradient`, of the same shapes as `net`, receives
  /// its derivatives (not yet projected on the tangent spaces of the rows). A tied decoder's gain is set to the best
  /// one for these rows. Throws Error when shapes do not match, as errors() does.
  /// With several ranks x are this rank's rows of the batch, 1 or more; mean, gain and gradient are those of the whole
  /// batch, the same bytes on every rank.
  double gradient(Autoencoder& net, MatrixView<const float> x, double tau, Gradient& gradient);

  /// Σ⟨x, x̂⟩ and Σ‖x̂‖² of a tied decoder of gain 1: their ratio is the best gain. Of x alone, whatever the ranks.
  struct Fit {
    double match = 0;
    double energy = 0;
  };
  Fit fit(const Autoencoder& net, MatrixView<const float> x);

  /// Per row ‖x − x̂‖², for 1 … batch rows; nothing in `net` changes.
  std::vector<double> errors(const Autoencoder& net, MatrixView<const float> x);

 private:
  void encode(const Autoencoder& net, MatrixView<const float> x, std::size_t begin, std::size_t count);
  void forward(const Autoencoder& net, MatrixView<const float> x);
  Fit sums_over_ranks(Fit own);
  void sum_over_ranks(Gradient& gradient, double& loss);
  void scale_decoder(const Autoencoder& net);
  void backward_bits(const Autoencoder& net, std::size_t begin, std::size_t count);
  double backward(const Autoencoder& net, MatrixView<const float> x, double tau);
  void collect(const Autoencoder& net, MatrixView<const float> x, Gradient& gradient);
  void forward_hidden(const HiddenLayer& layer, std::size_t begin, std::size_t count);
  void backward_hidden(const HiddenLayer& layer, std::size_t begin, std::size_t count);
  void collect_hidden(HiddenLayer& gradient);
  MatrixView<const float> decoder(const Autoencoder& net) const;

  bool fits(const Autoencoder& net) const;

  TrainedDecoder kind_;
  EncoderPtr given_;
  Team* team_;
  Ranks* ranks_;
  std::size_t bits_;
  std::size_t rows_ = 0;             ///< of the batch in hand
  std::size_t whole_ = 0;            ///< rows of the batch of all ranks
  Matrix<float> u_;                  ///< batch × n: B x; empty with a given encoder, as slope_ is
  Matrix<float> slope_;              ///< batch × n: derivative of the loss in u
  Matrix<float> estimate_;           ///< batch × d: x̂ before its gain, then the residual
  Matrix<float> hidden_;             ///< network: batch × H, after the rectifier
  Matrix<float> hidden_slope_;       ///< network: batch × H: derivative of the loss before it
  Matrix<float> scaled_;             ///< tied_rows: n × d, α_i b_i
  Matrix<std::uint8_t> codes_;       ///< batch × packed n
  Matrix<std::uint8_t> transposed_;  ///< n × packed batch
  std::vector<double> match_;        ///< per row ⟨x, x̂⟩, before the gain
  std::vector<double> energy_;       ///< per row ‖x̂‖² before the gain; then ‖x − x̂‖²
};

}  // namespace signfold
