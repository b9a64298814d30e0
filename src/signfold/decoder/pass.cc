#include "signfold/decoder/pass.h"

#include <algorithm>
#include <utility>

#include "signfold/decoder/full_memory_pass.h"
#include "signfold/decoder/two_term_pass.h"
#include "signfold/decoder/unrolled_pass.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/rows.h"
#include "signfold/simd/sign_product.h"

namespace signfold {
namespace {

/// Guard G8: a row whose scores are this many times larger than predicted, and growing, has left the trajectory of
/// state evolution; it keeps its last good estimate. docs/rigamp.md section 5 has the measurements.
constexpr double kLostRow = 3;

/// The numbers of rows that follow each other without gaps.
std::span<float> all(MatrixView<float> m) { return {m.data, m.rows * m.cols}; }

}  // namespace

Pass::Pass(const Encoder& encoder, const Encoder& of_layers, const Basis& basis, const NetworkParameters& parameters,
           std::span<const CompiledLayer> layers)
    : encoder_(encoder),
      of_layers_(of_layers),
      basis_(basis),
      parameters_(parameters),
      layers_(layers),
      score_(block_rows(of_layers, basis, parameters), encoder.bits()),
      ghat_(score_.rows(), encoder.bits()),
      product_(score_.rows(), encoder.bits()),
      y_(score_.rows(), encoder.dim()),
      xhat_(score_.rows(), encoder.dim()),
      before_(score_.rows(), encoder.dim()),
      adjoint_(score_.rows(), encoder.dim()),
      outside_(score_.rows(), encoder.dim()) {}

void Pass::start(MatrixView<const std::uint8_t> codes) {
  codes_ = codes;
  for (Matrix<float>* m : {&ghat_, &y_, &xhat_}) std::ranges::fill(all(rows(*m)), 0.0F);
  surprise_.fill(0);
  lost_.fill(false);
  done_ = 0;
}

MatrixView<const float> Pass::linear() {
  const MatrixView<float> estimate = rows(outside_);
  if (parameters_.affine.matrix.empty()) {
    for (std::size_t i = 0; i < codes_.rows; ++i) simd::unpack_signs(codes_.row(i), 1.0F, product_.row(i));
    encoder_.adjoint(rows(product_), estimate);
    simd::scale(all(estimate), static_cast<float>(parameters_.linear_gain));
    return estimate;
  }
  simd::sign_product(codes_, parameters_.affine.matrix, false, estimate);
  for (std::size_t i = 0; i < codes_.rows; ++i) simd::add_scaled(1.0F, parameters_.affine.offset, estimate.row(i));
  return estimate;
}

MatrixView<const float> Pass::advance() {
  const CompiledLayer& layer = layers_[done_];
  const MatrixView<float> outside = rows(outside_);
  if (done_ > 0) {
    of_layers_.apply(basis_.is_identity() ? rows(xhat_) : outside, rows(product_));
    output_step(done_, rows(product_), rows(score_), rows(ghat_));
  }
  score_step(layer);
  if (basis_.is_identity()) {
    of_layers_.adjoint(rows(score_), rows(adjoint_));
  } else {
    of_layers_.adjoint(rows(score_), outside);
    basis_.forward(outside, rows(adjoint_));
  }
  input_step(done_, rows(adjoint_), rows(xhat_), rows(y_));
  std::swap(before_, xhat_);
  layer.posterior_mean.apply(rows(y_), rows(xhat_));
  keep_lost_rows(layer.score_energy);
  ++done_;
  if (basis_.is_identity()) return rows(xhat_);
  basis_.inverse(rows(xhat_), outside);
  return outside;
}

/// s = z √V h(z ĝ/√V)/c, and a trained correction.
void Pass::score_step(const CompiledLayer& layer) {
  if (done_ == 0 && layer.score_correction.coefficients.empty()) {  // ĝ = 0: one value, with the signs of z
    const float nothing = 0;
    float height = 0;
    layer.score.apply({&nothing, 1}, {&height, 1});
    for (std::size_t i = 0; i < codes_.rows; ++i) simd::unpack_signs(codes_.row(i), height, score_.row(i));
    return;
  }
  for (std::size_t i = 0; i < codes_.rows; ++i) {
    layer.score.apply_signed(codes_.row(i), ghat_.row(i), score_.row(i));
    if (layer.score_correction.coefficients.empty()) continue;
    const std::span<float> correction = product_.row(i);
    std::ranges::copy(ghat_.row(i), correction.begin());
    times_signs(codes_.row(i), correction);
    simd::table(layer.score_correction, correction, correction);
    times_signs(codes_.row(i), correction);
    simd::add_scaled(1.0F, correction, score_.row(i));
  }
}

/// Guard G8.
void Pass::keep_lost_rows(double score_energy) {
  for (std::size_t i = 0; i < codes_.rows; ++i) {
    const double mean_square = simd::dot(score_.row(i), score_.row(i)) / static_cast<double>(score_.cols());
    const double surprise = mean_square / score_energy;
    lost_[i] = lost_[i] || (done_ > 1 && surprise > kLostRow && surprise > surprise_[i]);
    surprise_[i] = surprise;
    if (lost_[i]) std::ranges::copy(before_.row(i), xhat_.row(i).begin());
  }
}

std::size_t block_rows(const Encoder& of_layers, const Basis& basis, const NetworkParameters& parameters) {
  const bool by_row = basis.is_identity() && dense_matrix(of_layers).data == nullptr && parameters.prior.iid() &&
                      parameters.affine.matrix.empty() && parameters.mlp.empty();
  return by_row ? 1 : kBlockRows;
}

std::unique_ptr<Pass> make_pass(const Encoder& encoder, const Encoder& of_layers, const Basis& basis,
                                const NetworkParameters& parameters, std::span<const CompiledLayer> layers) {
  const auto make = [&]<class Form>() -> std::unique_ptr<Pass> {
    return std::make_unique<Form>(encoder, of_layers, basis, parameters, layers);
  };
  if (!parameters.unrolled.layers.empty()) return make.template operator()<UnrolledPass>();
  if (!parameters.memory.layers.empty()) return make.template operator()<FullMemoryPass>();
  return make.template operator()<TwoTermPass>();
}

}  // namespace signfold
