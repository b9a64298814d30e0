// The loss of a trained multi-layer decoder on a batch of codes and its derivatives, through all layers
// (docs/rigamp.md section 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signfold/base/team.h"
#include "signfold/decoder/unrolled.h"
#include "signfold/encoder/encoder.h"
#include "signfold/prior/profile.h"
#include "signfold/training/posterior_tables.h"
#include "signfold/transform/basis.h"

namespace signfold {

/// The trainable scalars as one list, layer by layer: product, onsager, output_memory, ln width, adjoint, estimate,
/// input_memory, ln precision, the weights of the score's spline, those of the posterior mean's.
std::vector<double> unrolled_parameters(const UnrolledDecoder& decoder);
/// Throws Error when the list has another length.
void set_unrolled_parameters(std::span<const double> parameters, UnrolledDecoder& decoder);

/// Where an unrolled decoder works. References are kept.
struct UnrolledSetting {
  const Encoder& encoder;  ///< B of the layers of decoders that have no matrix of their own
  const Basis& basis;      ///< the prior's coordinates
  const VectorPrior& prior;
  double clip = 3;  ///< guard G3
};

/// Holds the workspace for batches of one size. Results do not depend on the number of threads.
class UnrolledGradient {
 public:
  UnrolledGradient(const UnrolledSetting& setting, std::size_t layers, std::size_t batch, Team& team);

  /// codes: 1 … batch rows of packed bits; x: as many vectors in the coordinates of the basis; weights: what the error
  /// of each counts for. Returns Σ w‖x − x̂‖²/Σ w‖x‖²; `gradient` receives its derivatives in the order of
  /// unrolled_parameters(). Of a decoder with a matrix, `matrix` (n × d, may be null) receives the derivative in it
  /// (not projected on the tangent spaces of its rows), and `signs` (rows × n, may be null) that in the bits z. Throws
  /// Error when shapes do not match.
  double gradient(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes, MatrixView<const float> x,
                  std::span<const double> weights, std::span<double> gradient, Matrix<float>* matrix = nullptr,
                  Matrix<float>* signs = nullptr);
  /// Weighted squared errors, rows × layers.
  Matrix<double> errors(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes, MatrixView<const float> x,
                        std::span<const double> weights);

 private:
  /// What a layer leaves for the way back; rows of the batch.
  struct Trace {
    Matrix<float> product, ghat, score, score_slope;  // × n; score_slope: ∂(z s)/∂(z ĝ) without the spline
    Matrix<float> adjoint, y, estimate, slope, by_precision;  // × d; η' with the spline, ∂η/∂ln γ
    Matrix<float> adjoint_slope, product_slope, outside;      // with a matrix: what its derivative needs
    std::vector<std::uint8_t> lost;                           // guard G8
  };
  struct Rows;  ///< a block of the batch

  void check(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes, MatrixView<const float> x,
             std::span<const double> weights) const;
  void forward(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes);
  void forward_block(const UnrolledDecoder& decoder, std::size_t begin, std::size_t count);
  void score_step(const UnrolledLayer& layer, std::size_t t, std::size_t begin, std::size_t count);
  void mean_step(std::size_t t, std::size_t begin, std::size_t count);
  void keep_lost_rows(const UnrolledLayer& layer, std::size_t t, std::size_t begin, std::size_t count);
  void backward_block(const UnrolledDecoder& decoder, MatrixView<const float> x, std::span<const double> weights,
                      double energy, std::size_t begin, std::size_t count, std::span<double> gradient,
                      Matrix<float>* signs);
  void collect_matrix(std::size_t rows, Matrix<float>& matrix);
  void apply(const UnrolledDecoder& decoder, MatrixView<const float> estimate, MatrixView<float> outside,
             MatrixView<float> product) const;
  void adjoint(const UnrolledDecoder& decoder, MatrixView<const float> s, MatrixView<float> outside,
               MatrixView<float> v) const;

  UnrolledSetting setting_;
  Team* team_;
  PosteriorTables tables_;
  simd::Cubic hazard_;  ///< h(max(a, −clip))
  Matrix<float> z_;
  std::vector<Trace> traces_;
  std::vector<std::vector<PosteriorTables::Pair>> means_;  ///< per layer
  std::vector<simd::Cubic> score_corrections_, mean_corrections_;
  std::vector<double> surprise_;
};

}  // namespace signfold
