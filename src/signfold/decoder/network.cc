#include "signfold/decoder/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "signfold/base/linalg_rows.h"
#include "signfold/decoder/pointwise.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

/// Rows decoded together.
constexpr std::size_t kBlockRows = 32;

struct CompiledLayer {
  LayerScalars scalars;
  simd::Cubic score;
  PosteriorMean posterior_mean;
};

void check_finite(double value, const char* name) {
  if (!std::isfinite(value)) fail("decoder: {} is not a finite number", name);
}

void check_parameters(const NetworkParameters& p, const Encoder& encoder) {
  check_finite(p.linear_gain, "linear_gain");
  check_finite(p.clip, "clip");
  if (p.clip <= 0) fail("decoder: clip must be positive");
  check_vector_prior(p.prior, encoder.dim());
  for (const LayerScalars& layer : p.schedule.layers) {
    for (const double v :
         {layer.variance, layer.information, layer.precision, layer.memory, layer.onsager, layer.risk}) {
      check_finite(v, "a layer's scalar");
    }
    if (layer.variance <= 0 || layer.information <= 0 || layer.precision <= 0) {
      fail("decoder: variance, information and precision of a layer must be positive");
    }
    if (!(layer.damping > 0 && layer.damping <= 1)) fail("decoder: the damping of a layer must lie in (0, 1]");
  }
  if (p.affine.matrix.empty()) return;
  if (p.affine.matrix.rows() != encoder.bits() || p.affine.matrix.cols() != encoder.dim() ||
      p.affine.offset.size() != encoder.dim()) {
    fail("decoder: the affine part is {} x {} + {}, the encoder needs {} x {}", p.affine.matrix.rows(),
         p.affine.matrix.cols(), p.affine.offset.size(), encoder.bits(), encoder.dim());
  }
}

}  // namespace

struct Network::Compiled {
  EncoderPtr encoder;
  BasisPtr basis;
  NetworkParameters parameters;
  std::vector<CompiledLayer> layers;
};

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

/// One block of rows on its way through the layers. Names follow docs/rigamp.md section 3.
class Pass {
 public:
  Pass(const Encoder& encoder, const Basis& basis, const NetworkParameters& parameters)
      : encoder_(encoder),
        basis_(basis),
        parameters_(parameters),
        z_(kBlockRows, encoder.bits()),
        score_(kBlockRows, encoder.bits()),
        ghat_(kBlockRows, encoder.bits()),
        projected_(kBlockRows, encoder.bits()),
        y_(kBlockRows, encoder.dim()),
        xhat_(kBlockRows, encoder.dim()),
        before_(kBlockRows, encoder.dim()),
        in_basis_(kBlockRows, encoder.dim()),
        outside_(kBlockRows, encoder.dim()) {}

  void start(MatrixView<const std::uint8_t> codes) {
    for (Matrix<float>* m : {&z_, &ghat_, &y_, &xhat_}) std::ranges::fill(m->values(), 0.0F);
    for (std::size_t i = 0; i < codes.rows; ++i) simd::unpack_signs(codes.row(i), 1.0F, z_.row(i));
    surprise_.fill(0);
    lost_.fill(false);
    done_ = 0;
  }

  /// Layer 0, in the encoder's coordinates.
  MatrixView<const float> linear() {
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

  /// The next layer, in the encoder's coordinates.
  MatrixView<const float> advance(const CompiledLayer& layer) {
    if (done_ > 0) output_step(layer.scalars);
    score_step(layer.score);
    input_step(layer.scalars);
    std::swap(before_, xhat_);
    layer.posterior_mean.apply(y_, xhat_);
    keep_lost_rows(layer.scalars);
    onsager_ = layer.scalars.onsager;
    ++done_;
    if (basis_.is_identity()) return xhat_;
    basis_.inverse(xhat_, outside_);
    return outside_;
  }

 private:
  /// ĝ ← b (B x̂ − α s) − (b − 1) ĝ: b of the layer to come, α of the layer that made x̂ (still in outside_).
  void output_step(const LayerScalars& next) {
    encoder_.apply(basis_.is_identity() ? xhat_ : outside_, projected_);
    const auto b = static_cast<float>(next.memory);
    const auto alpha = static_cast<float>(onsager_);
    const auto rho = static_cast<float>(next.damping);
    for (std::size_t i = 0; i < ghat_.size(); ++i) {
      float& ghat = ghat_.data()[i];
      const float fresh = b * (projected_.data()[i] - alpha * score_.data()[i]) - (b - 1) * ghat;
      ghat = rho * fresh + (1 - rho) * ghat;
    }
  }

  /// s = z √V h(z ĝ/√V)/c.
  void score_step(const simd::Cubic& score_function) {
    float* s = score_.data();
    const float* z = z_.data();
    for (std::size_t i = 0; i < score_.size(); ++i) s[i] = z[i] * ghat_.data()[i];
    simd::table(score_function, score_.values(), score_.values());
    for (std::size_t i = 0; i < score_.size(); ++i) s[i] *= z[i];
  }

  /// y ← Bᵀs/r + b x̂ − (b − 1) y.
  void input_step(const LayerScalars& now) {
    if (basis_.is_identity()) {
      encoder_.adjoint(score_, in_basis_);
    } else {
      encoder_.adjoint(score_, outside_);
      basis_.forward(outside_, in_basis_);
    }
    const auto per_rate = static_cast<float>(1 / encoder_.shape().rate());
    const auto b = static_cast<float>(now.memory);
    const auto rho = static_cast<float>(now.damping);
    for (std::size_t i = 0; i < y_.size(); ++i) {
      float& y = y_.data()[i];
      const float fresh = per_rate * in_basis_.data()[i] + b * xhat_.data()[i] - (b - 1) * y;
      y = rho * fresh + (1 - rho) * y;
    }
  }

  /// Guard G8.
  void keep_lost_rows(const LayerScalars& now) {
    const double predicted = now.variance / now.information;  // of s², when all is well
    for (std::size_t i = 0; i < kBlockRows; ++i) {
      const double surprise = mean_square(score_.row(i)) / predicted;
      lost_[i] = lost_[i] || (done_ > 1 && surprise > kLostRow && surprise > surprise_[i]);
      surprise_[i] = surprise;
      if (lost_[i]) std::ranges::copy(before_.row(i), xhat_.row(i).begin());
    }
  }

  const Encoder& encoder_;
  const Basis& basis_;
  const NetworkParameters& parameters_;
  Matrix<float> z_, score_, ghat_, projected_;            // kBlockRows × n
  Matrix<float> y_, xhat_, before_, in_basis_, outside_;  // kBlockRows × d
  std::array<double, kBlockRows> surprise_{};             // mean s² of a row over its prediction
  std::array<bool, kBlockRows> lost_{};
  double onsager_ = 0;
  int done_ = 0;
};

/// x = scale · estimate; a scale of 0 gives exactly 0.
void write_scaled(MatrixView<const float> estimate, std::span<const float> scales, MatrixView<float> x) {
  for (std::size_t i = 0; i < x.rows; ++i) {
    const float scale = scales[i];
    for (std::size_t j = 0; j < x.cols; ++j) x(i, j) = scale == 0 ? 0 : scale * estimate(i, j);
  }
}

void check_input(const Encoder& encoder, MatrixView<const std::uint8_t> codes, std::span<const float> scales) {
  if (codes.cols != code_bytes(encoder.bits()) || scales.size() != codes.rows) {
    fail("decode: {} codes of {} bytes with {} scales; this encoder makes codes of {} bytes", codes.rows, codes.cols,
         scales.size(), code_bytes(encoder.bits()));
  }
}

}  // namespace

Network::Network(EncoderPtr encoder, BasisPtr basis, NetworkParameters parameters)
    : compiled_(std::make_unique<Compiled>()) {
  if (!encoder || !basis) fail("decoder: an encoder and a basis are needed");
  check_parameters(parameters, *encoder);
  for (const LayerScalars& layer : parameters.schedule.layers) {
    compiled_->layers.push_back(
        {layer, score_table(layer, parameters.clip), PosteriorMean(parameters.prior, encoder->dim(), layer.precision)});
  }
  compiled_->encoder = std::move(encoder);
  compiled_->basis = std::move(basis);
  compiled_->parameters = std::move(parameters);
}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

int Network::layers() const { return static_cast<int>(compiled_->layers.size()); }
const NetworkParameters& Network::parameters() const { return compiled_->parameters; }
const Encoder& Network::encoder() const { return *compiled_->encoder; }
const Basis& Network::basis() const { return *compiled_->basis; }

double Network::predicted_risk(int layer) const {
  if (layer < 0 || layer > layers()) fail("the decoder has layers 0 to {}; {} was asked for", layers(), layer);
  return layer == 0 ? compiled_->parameters.linear_risk
                    : compiled_->layers[static_cast<std::size_t>(layer - 1)].scalars.risk;
}

void Network::decode(MatrixView<const std::uint8_t> codes, std::span<const float> scales, int layers_asked,
                     MatrixView<float> x) const {
  const int last = layers_asked < 0 ? layers() : layers_asked;
  if (last > layers()) fail("the decoder has layers 0 to {}; {} was asked for", layers(), last);
  check_input(encoder(), codes, scales);
  if (x.rows != codes.rows || x.cols != encoder().dim()) {
    fail("decode: the output is {} x {}, not {} x {}", x.rows, x.cols, codes.rows, encoder().dim());
  }
  Pass pass(encoder(), basis(), parameters());
  for (std::size_t begin = 0; begin < codes.rows; begin += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, codes.rows - begin);
    pass.start(codes.row_range(begin, count));
    MatrixView<const float> estimate;
    if (last == 0) estimate = pass.linear();
    for (int t = 0; t < last; ++t) estimate = pass.advance(compiled_->layers[static_cast<std::size_t>(t)]);
    write_scaled(estimate, scales.subspan(begin, count), x.row_range(begin, count));
  }
}

void Network::decode_layers(MatrixView<const std::uint8_t> codes, std::span<const float> scales,
                            const Visitor& visit) const {
  check_input(encoder(), codes, scales);
  Pass pass(encoder(), basis(), parameters());
  Matrix<float> scaled(kBlockRows, encoder().dim());
  for (std::size_t begin = 0; begin < codes.rows; begin += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, codes.rows - begin);
    const auto show = [&](int layer, MatrixView<const float> estimate) {
      const MatrixView<float> rows = scaled.view().row_range(0, count);
      write_scaled(estimate, scales.subspan(begin, count), rows);
      visit(layer, begin, rows);
    };
    pass.start(codes.row_range(begin, count));
    show(0, pass.linear());
    for (int t = 0; t < layers(); ++t) show(t + 1, pass.advance(compiled_->layers[static_cast<std::size_t>(t)]));
  }
}

}  // namespace signfold
