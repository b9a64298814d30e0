#include "signfold/decoder/decoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string_view>

#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"

namespace signfold {
namespace {

using Kind = DecoderChoice::Kind;

constexpr int kMostLayers = 64;
constexpr std::size_t kMostDefaultLayers = 16;

struct NamedDecoder {
  const char* name;
  Kind kind;
  const char* summary;
};
constexpr NamedDecoder kDecoders[] = {
    {"auto", Kind::automatic, "the deepest decoder that is valid for the encoder"},
    {"linear", Kind::linear, "x̂ = α Bᵀz, one predicted gain"},
    {"affine", Kind::affine, "x̂ = A z + offset, fitted on data by least squares"},
    {"denoise", Kind::denoise, "the posterior mean of every coordinate after the linear decoder (one layer)"},
    {"rigamp", Kind::rigamp, "multi-layer decoder; rigamp:L has L layers, plain rigamp chooses L"},
};

double fourth_moment(const Encoder& encoder) {
  if (encoder.orthonormal()) return std::max(1.0, encoder.shape().rate());
  const std::vector<double> values = encoder.spectrum();
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0) / static_cast<double>(encoder.bits());
}

/// Encoders aligned with the axes have no Gaussian statistics to denoise: only their linear decoder is predicted.
void compile_aligned(const Encoder& encoder, NetworkParameters& network) {
  if (!network.prior.iid()) {
    fail("the encoder {} is predicted for i.i.d. coordinates only; use --prior iid, or --encoder hadamard",
         encoder.name());
  }
  const Prior& prior = *network.prior.shapes[0];
  network.linear_gain = mixed_gain(prior, encoder.alignment(), encoder.shape().rate());
  network.linear_risk = mixed_risk(prior, encoder.alignment(), encoder.shape().rate());
}

/// Layer 1 for a delocalised encoder of any spectrum: denoise αBᵀz, whatever the singular values of B.
Schedule denoising_layer(const VectorPrior& prior, double rate, double precision) {
  LayerScalars layer;
  layer.information = 2 / std::numbers::pi;
  layer.precision = precision;
  layer.risk = average_mmse(prior, precision);
  layer.onsager = precision * layer.risk / rate;
  return {rate, {layer}};
}

/// Guard G4: late layers move slowly, and in small dimensions earlier; measured in docs/rigamp.md section 5.
void damp(Schedule& schedule, std::size_t dim) {
  const std::size_t undamped = dim < 512 ? 2 : 4;
  for (std::size_t t = undamped; t < schedule.layers.size(); ++t) schedule.layers[t].damping = 0.9;
}

Schedule two_term_layers(const DecoderChoice& choice, const Encoder& encoder, const VectorPrior& prior) {
  const double rate = encoder.shape().rate();
  Schedule schedule = state_evolution(prior, rate, choice.layers > 0 ? choice.layers : kMostLayers);
  if (choice.layers == 0) {
    schedule.layers.resize(static_cast<std::size_t>(default_layers(schedule, encoder.dim())));
  }
  damp(schedule, encoder.dim());
  return schedule;
}

}  // namespace

DecoderChoice parse_decoder(const std::string& text) {
  for (const NamedDecoder& decoder : kDecoders) {
    if (text == decoder.name) return {decoder.kind, 0};
  }
  constexpr std::string_view kPrefix = "rigamp:";
  if (text.starts_with(kPrefix)) {
    const char* end = text.data() + text.size();
    int layers = 0;
    const auto [stopped, error] = std::from_chars(text.data() + kPrefix.size(), end, layers);
    if (error == std::errc() && stopped == end && layers >= 1 && layers <= kMostLayers) return {Kind::rigamp, layers};
    fail("decoder '{}': the number of layers must be a whole number from 1 to {}", text, kMostLayers);
  }
  std::string known;
  for (const NamedDecoder& decoder : kDecoders) known += fmt::format("{}, ", decoder.name);
  fail("unknown decoder '{}'; known: {}rigamp:L", text, known);
}

std::string decoder_help() {
  std::string help;
  for (const NamedDecoder& decoder : kDecoders) help += fmt::format("  {:<10} {}\n", decoder.name, decoder.summary);
  return help;
}

bool two_term_valid(double rate, double fourth, const Schedule& schedule) {
  double largest = 1;
  for (const LayerScalars& layer : schedule.layers) largest = std::max(largest, layer.memory);
  return fourth - std::max(1.0, rate) < (largest < 2 ? 5e-3 : 1e-5);
}

NetworkParameters compile_decoder(const DecoderChoice& choice, const Encoder& encoder, const VectorPrior& prior) {
  check_vector_prior(prior, encoder.dim());
  NetworkParameters network;
  network.prior = prior;
  if (!encoder.delocalised()) {
    compile_aligned(encoder, network);
    return network;
  }
  const double rate = encoder.shape().rate();
  const double fourth = fourth_moment(encoder);
  const ScalarDecoder scalar = best_scalar_decoder(rate, fourth);
  network.linear_gain = scalar.gain;
  network.linear_risk = scalar.risk;
  if (choice.kind == Kind::linear || choice.kind == Kind::affine) return network;
  if (choice.kind == Kind::denoise) {
    network.schedule = denoising_layer(prior, rate, scalar.precision);
    return network;
  }

  network.schedule = two_term_layers(choice, encoder, prior);
  if (!two_term_valid(rate, fourth, network.schedule)) {
    if (choice.kind == Kind::rigamp) {
      fail(
          "decoder rigamp needs an encoder with orthonormal rows or columns; for {} tr((BBᵀ)²)/n is {:.4g} instead of "
          "{:.4g}: use --decoder denoise, or --encoder hadamard",
          encoder.name(), fourth, std::max(1.0, rate));
    }
    network.schedule = denoising_layer(prior, rate, scalar.precision);
  }
  return network;
}

int default_layers(const Schedule& schedule, std::size_t dim) {
  // Below a relative gain of about 1/d a layer brings more finite-d excess (docs/rigamp.md section 6) than gain.
  const double least_gain = std::max(1e-3, 1.3 / static_cast<double>(dim));
  const std::vector<LayerScalars>& layers = schedule.layers;
  std::size_t depth = 1;
  while (depth < layers.size() && depth < kMostDefaultLayers &&
         layers[depth - 1].risk - layers[depth].risk > least_gain * layers[depth - 1].risk) {
    ++depth;
  }
  return static_cast<int>(std::min(depth, layers.size()));
}

}  // namespace signfold
