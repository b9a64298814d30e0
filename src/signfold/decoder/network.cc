#include "signfold/decoder/network.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/decoder/pass.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

void check_finite(double value, const char* name) {
  if (!std::isfinite(value)) fail("decoder: {} is not a finite number", name);
}

/// What both forms of a layer have.
template <class Layer>
void check_layer(const Layer& layer) {
  for (const double v : {layer.variance, layer.information, layer.precision, layer.risk}) {
    check_finite(v, "a layer's scalar");
  }
  if (layer.variance <= 0 || layer.information <= 0 || layer.precision <= 0) {
    fail("decoder: variance, information and precision of a layer must be positive");
  }
}

void check_schedule(const Schedule& schedule) {
  for (const LayerScalars& layer : schedule.layers) {
    check_layer(layer);
    for (const double v : {layer.memory, layer.onsager}) check_finite(v, "a layer's scalar");
    if (!(layer.damping > 0 && layer.damping <= 1)) fail("decoder: the damping of a layer must lie in (0, 1]");
  }
}

void check_memory(const MemorySchedule& memory) {
  for (std::size_t t = 0; t < memory.layers.size(); ++t) {
    const MemoryLayer& layer = memory.layers[t];
    check_layer(layer);
    if (layer.outputs.size() != t || layer.correction.size() != t || layer.inputs.size() != t + 1 ||
        layer.onsager.size() != t + 1) {
      fail("decoder: layer {} does not combine what {} layers left", t + 1, t);
    }
    for (const auto* weights : {&layer.outputs, &layer.correction, &layer.inputs, &layer.onsager}) {
      for (const double v : *weights) check_finite(v, "a layer's coefficient");
    }
  }
}

void check_affine(const AffineDecoder& affine, const Encoder& encoder) {
  if (affine.matrix.empty()) return;
  if (affine.matrix.rows() != encoder.bits() || affine.matrix.cols() != encoder.dim() ||
      affine.offset.size() != encoder.dim()) {
    fail("decoder: the affine part is {} x {} + {}, the encoder needs {} x {}", affine.matrix.rows(),
         affine.matrix.cols(), affine.offset.size(), encoder.bits(), encoder.dim());
  }
}

void check_parameters(const NetworkParameters& p, const Encoder& encoder) {
  check_finite(p.linear_gain, "linear_gain");
  check_finite(p.clip, "clip");
  if (p.clip <= 0) fail("decoder: clip must be positive");
  check_vector_prior(p.prior, encoder.dim());
  check_schedule(p.schedule);
  check_memory(p.memory);
  check_unrolled(p.unrolled, encoder.bits(), encoder.dim());
  const std::size_t forms = (p.schedule.layers.empty() ? 0U : 1U) + (p.memory.layers.empty() ? 0U : 1U) +
                            (p.unrolled.layers.empty() ? 0U : 1U) + (p.mlp.empty() ? 0U : 1U);
  if (forms > 1) fail("decoder: layers of two forms at once");
  check_affine(p.affine, encoder);
  check_mlp(p.mlp, encoder.bits(), encoder.dim());
}

/// The pointwise functions of a layer of either form of theory.
template <class Layer>
CompiledLayer compile_layer(const Layer& layer, const NetworkParameters& p, std::size_t dim, int most_intervals) {
  return {score_curve(layer.variance, layer.information, p.clip), layer.variance / layer.information,
          PosteriorMean(p.prior, dim, layer.precision, most_intervals)};
}

CompiledLayer compile_layer(const UnrolledLayer& layer, const NetworkParameters& p, std::size_t dim,
                            int most_intervals) {
  return {score_curve(layer.width * layer.width, layer.width / layer.height, p.clip), layer.score_energy(),
          PosteriorMean(p.prior, dim, layer.precision, most_intervals, spline_table(layer.mean_spline)),
          spline_table(layer.score_spline)};
}

}  // namespace

struct Network::Compiled {
  EncoderPtr encoder;
  EncoderPtr of_layers;
  BasisPtr basis;
  NetworkParameters parameters;
  std::vector<CompiledLayer> layers;
};

namespace {

/// x = scale · estimate; a scale of 0 gives exactly 0.
void write_scaled(MatrixView<const float> estimate, std::span<const float> scales, MatrixView<float> x) {
  for (std::size_t i = 0; i < x.rows; ++i) {
    std::copy_n(estimate.row(i).data(), x.cols, x.row(i).data());
    simd::scale(x.row(i), scales[i]);
    if (scales[i] == 0) std::ranges::fill(x.row(i), 0.0F);  // not −0
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
  const int finest = most_intervals(parameters.layers() * PosteriorMean::tables(parameters.prior, encoder->dim()));
  const auto compile = [&](const auto& layers) {
    for (const auto& layer : layers) {
      compiled_->layers.push_back(compile_layer(layer, parameters, encoder->dim(), finest));
    }
  };
  compile(parameters.schedule.layers);
  compile(parameters.memory.layers);
  compile(parameters.unrolled.layers);
  compiled_->of_layers = parameters.unrolled.matrix.empty() ? encoder : make_dense(parameters.unrolled.matrix);
  compiled_->encoder = std::move(encoder);
  compiled_->basis = std::move(basis);
  compiled_->parameters = std::move(parameters);
}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

int Network::layers() const { return static_cast<int>(compiled_->parameters.layers()); }
const NetworkParameters& Network::parameters() const { return compiled_->parameters; }
const Encoder& Network::encoder() const { return *compiled_->encoder; }
const Basis& Network::basis() const { return *compiled_->basis; }

double Network::predicted_risk(int layer) const {
  if (layer < 0 || layer > layers()) fail("the decoder has layers 0 to {}; {} was asked for", layers(), layer);
  if (layer == 0) return parameters().linear_risk;
  if (!parameters().mlp.empty()) return parameters().mlp.risk;
  const auto index = static_cast<std::size_t>(layer - 1);
  if (!parameters().unrolled.layers.empty()) return parameters().unrolled.layers[index].risk;
  return parameters().memory.layers.empty() ? parameters().schedule.layers[index].risk
                                            : parameters().memory.layers[index].risk;
}

/// The next layer of a block; `own` receives that of a trained network.
MatrixView<const float> Network::advance(Pass& pass, MatrixView<const std::uint8_t> codes,
                                         MatrixView<float> own) const {
  if (parameters().mlp.empty()) return pass.advance();
  decode_mlp(parameters().mlp, codes, own.row_range(0, codes.rows));
  return own.row_range(0, codes.rows);
}

void Network::decode(MatrixView<const std::uint8_t> codes, std::span<const float> scales, int layers_asked,
                     MatrixView<float> x) const {
  const int last = layers_asked < 0 ? layers() : layers_asked;
  if (last > layers()) fail("the decoder has layers 0 to {}; {} was asked for", layers(), last);
  check_input(encoder(), codes, scales);
  if (x.rows != codes.rows || x.cols != encoder().dim()) {
    fail("decode: the output is {} x {}, not {} x {}", x.rows, x.cols, codes.rows, encoder().dim());
  }
  const std::unique_ptr<Pass> pass =
      make_pass(encoder(), *compiled_->of_layers, basis(), parameters(), compiled_->layers);
  const std::size_t block = block_rows(*compiled_->of_layers, basis(), parameters());
  Matrix<float> own(parameters().mlp.empty() ? 0 : block, encoder().dim());
  for (std::size_t begin = 0; begin < codes.rows; begin += block) {
    const std::size_t count = std::min(block, codes.rows - begin);
    pass->start(codes.row_range(begin, count));
    MatrixView<const float> estimate;
    if (last == 0) estimate = pass->linear();
    for (int t = 0; t < last; ++t) estimate = advance(*pass, codes.row_range(begin, count), own);
    write_scaled(estimate, scales.subspan(begin, count), x.row_range(begin, count));
  }
}

void Network::decode_layers(MatrixView<const std::uint8_t> codes, std::span<const float> scales,
                            const Visitor& visit) const {
  check_input(encoder(), codes, scales);
  const std::unique_ptr<Pass> pass =
      make_pass(encoder(), *compiled_->of_layers, basis(), parameters(), compiled_->layers);
  const std::size_t block = block_rows(*compiled_->of_layers, basis(), parameters());
  Matrix<float> scaled(block, encoder().dim());
  Matrix<float> own(parameters().mlp.empty() ? 0 : block, encoder().dim());
  for (std::size_t begin = 0; begin < codes.rows; begin += block) {
    const std::size_t count = std::min(block, codes.rows - begin);
    const auto show = [&](int layer, MatrixView<const float> estimate) {
      const MatrixView<float> rows = scaled.view().row_range(0, count);
      write_scaled(estimate, scales.subspan(begin, count), rows);
      visit(layer, begin, rows);
    };
    pass->start(codes.row_range(begin, count));
    show(0, pass->linear());
    for (int t = 0; t < layers(); ++t) show(t + 1, advance(*pass, codes.row_range(begin, count), own));
  }
}

}  // namespace signfold
