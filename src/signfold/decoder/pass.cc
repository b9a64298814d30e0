#include "signfold/decoder/pass.h"

#include <algorithm>
#include <utility>

#include "signfold/base/linalg_rows.h"
#include "signfold/decoder/full_memory_pass.h"
#include "signfold/decoder/two_term_pass.h"
#include "signfold/decoder/unrolled_pass.h"
#include "signfold/simd/rows.h"

namespace signfold {
namespace {

/// Guard G8: a row whose scores are this many times larger than predicted, and growing, has left the trajectory of
/// state evolution; it keeps its last good estimate. docs/rigamp.md section 5 has the measurements.
constexpr double kLostRow = 3;

/// (1/n) Σ s², in eight running sums so that the compiler may vectorise without changing the result.
double mean_square(std::span<const float> s) {
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= s.size(); i += sums.size()) {
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += s[i + k] * s[i + k];
  }
  double total = 0;
  for (; i < s.size(); ++i) total += static_cast<double>(s[i]) * s[i];
  for (const float sum : sums) total += sum;
  return total / static_cast<double>(s.size());
}

}  // namespace

Pass::Pass(const Encoder& encoder, const Encoder& of_layers, const Basis& basis, const NetworkParameters& parameters,
           std::span<const CompiledLayer> layers)
    : encoder_(encoder),
      of_layers_(of_layers),
      basis_(basis),
      parameters_(parameters),
      layers_(layers),
      z_(kBlockRows, encoder.bits()),
      score_(kBlockRows, encoder.bits()),
      ghat_(kBlockRows, encoder.bits()),
      product_(kBlockRows, encoder.bits()),
      y_(kBlockRows, encoder.dim()),
      xhat_(kBlockRows, encoder.dim()),
      before_(kBlockRows, encoder.dim()),
      adjoint_(kBlockRows, encoder.dim()),
      outside_(kBlockRows, encoder.dim()) {}

void Pass::start(MatrixView<const std::uint8_t> codes) {
  for (Matrix<float>* m : {&z_, &ghat_, &y_, &xhat_}) std::ranges::fill(m->values(), 0.0F);
  for (std::size_t i = 0; i < codes.rows; ++i) simd::unpack_signs(codes.row(i), 1.0F, z_.row(i));
  surprise_.fill(0);
  lost_.fill(false);
  done_ = 0;
}

MatrixView<const float> Pass::linear() {
  if (parameters_.affine.matrix.empty()) {
    encoder_.adjoint(z_, outside_);
    simd::scale(outside_.values(), static_cast<float>(parameters_.linear_gain));
    return outside_;
  }
  gemm_rows(false, z_, parameters_.affine.matrix, outside_);
  for (std::size_t i = 0; i < kBlockRows; ++i) {
    for (std::size_t j = 0; j < outside_.cols(); ++j) outside_(i, j) += parameters_.affine.offset[j];
  }
  return outside_;
}

MatrixView<const float> Pass::advance() {
  const CompiledLayer& layer = layers_[done_];
  if (done_ > 0) {
    of_layers_.apply(basis_.is_identity() ? xhat_ : outside_, product_);
    output_step(done_, product_, score_, ghat_);
  }
  score_step(layer);
  if (basis_.is_identity()) {
    of_layers_.adjoint(score_, adjoint_);
  } else {
    of_layers_.adjoint(score_, outside_);
    basis_.forward(outside_, adjoint_);
  }
  input_step(done_, adjoint_, xhat_, y_);
  std::swap(before_, xhat_);
  layer.posterior_mean.apply(y_, xhat_);
  keep_lost_rows(layer.score_energy);
  ++done_;
  if (basis_.is_identity()) return xhat_;
  basis_.inverse(xhat_, outside_);
  return outside_;
}

/// s = z √V h(z ĝ/√V)/c, and a trained correction.
void Pass::score_step(const CompiledLayer& layer) {
  float* s = score_.data();
  const float* z = z_.data();
  for (std::size_t i = 0; i < score_.size(); ++i) s[i] = z[i] * ghat_.data()[i];
  if (!layer.score_correction.coefficients.empty()) {
    simd::table(layer.score_correction, score_.values(), product_.values());
  }
  simd::table(layer.score, score_.values(), score_.values());
  if (!layer.score_correction.coefficients.empty()) simd::add_scaled(1.0F, product_.values(), score_.values());
  for (std::size_t i = 0; i < score_.size(); ++i) s[i] *= z[i];
}

/// Guard G8.
void Pass::keep_lost_rows(double score_energy) {
  for (std::size_t i = 0; i < kBlockRows; ++i) {
    const double surprise = mean_square(score_.row(i)) / score_energy;
    lost_[i] = lost_[i] || (done_ > 1 && surprise > kLostRow && surprise > surprise_[i]);
    surprise_[i] = surprise;
    if (lost_[i]) std::ranges::copy(before_.row(i), xhat_.row(i).begin());
  }
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
