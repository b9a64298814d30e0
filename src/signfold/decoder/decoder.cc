#include "signfold/decoder/decoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string_view>

#include "signfold/theory/free_cumulants.h"
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
    {"network", Kind::network, "network:L: L layers whose scalars are trained, by gradient descent, from rigamp's"},
};

/// The number that stands in `text` from `begin` to its end.
int parse_layers(const std::string& text, std::size_t begin) {
  const char* end = text.data() + text.size();
  int layers = 0;
  const auto [stopped, error] = std::from_chars(text.data() + begin, end, layers);
  if (error == std::errc() && stopped == end && layers >= 1 && layers <= kMostLayers) return layers;
  fail("decoder '{}': the number of layers must be a whole number from 1 to {}", text, kMostLayers);
}

/// tr((BBᵀ)²)/n.
double fourth_moment(std::span<const double> spectrum) {
  const double sum = std::inner_product(spectrum.begin(), spectrum.end(), spectrum.begin(), 0.0);
  return sum / static_cast<double>(spectrum.size());
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
constexpr double kDamping = 0.9;
std::size_t undamped_layers(std::size_t dim) { return dim < 512 ? 2 : 4; }

void damp(Schedule& schedule, std::size_t dim) {
  for (std::size_t t = undamped_layers(dim); t < schedule.layers.size(); ++t) schedule.layers[t].damping = kDamping;
}

/// now ← ρ now + (1 − ρ) before: y and ĝ are sums over all former layers, so damping them is damping the weights.
void damp_weights(std::vector<double>& now, const std::vector<double>& before) {
  for (double& weight : now) weight *= kDamping;
  for (std::size_t i = 0; i < before.size(); ++i) now[i] += (1 - kDamping) * before[i];
}

void damp(MemorySchedule& memory, std::size_t dim) {
  for (std::size_t t = undamped_layers(dim); t < memory.layers.size(); ++t) {
    damp_weights(memory.layers[t].inputs, memory.layers[t - 1].inputs);
    damp_weights(memory.layers[t].outputs, memory.layers[t - 1].outputs);
  }
}

template <class Layer>
std::vector<double> risks_of(const std::vector<Layer>& layers) {
  std::vector<double> risks(layers.size());
  std::ranges::transform(layers, risks.begin(), &Layer::risk);
  return risks;
}

/// Leaves the layers that were asked for, or those that pay in `dim` dimensions.
template <class Layer>
void cut(std::vector<Layer>& layers, int asked, std::size_t dim) {
  const int depth = asked > 0 ? asked : default_layers(risks_of(layers), dim);
  layers.resize(std::min(layers.size(), static_cast<std::size_t>(depth)));
}

Schedule two_term_layers(int asked, const Encoder& encoder, const VectorPrior& prior) {
  Schedule schedule = state_evolution(prior, encoder.shape().rate(), asked > 0 ? asked : kMostLayers);
  cut(schedule.layers, asked, encoder.dim());
  damp(schedule, encoder.dim());
  return schedule;
}

MemorySchedule full_memory_layers(int asked, const Encoder& encoder, std::span<const double> spectrum,
                                  const VectorPrior& prior) {
  const int most = asked > 0 ? std::min(asked, kMostMemoryLayers) : kMostMemoryLayers;
  const double rate = encoder.shape().rate();
  const std::vector<double> cumulants = free_cumulants(spectrum, rate, cumulants_for(most));
  MemorySchedule memory = full_memory_evolution(prior, rate, cumulants, most);
  cut(memory.layers, asked, encoder.dim());
  damp(memory, encoder.dim());
  return memory;
}

}  // namespace

DecoderChoice parse_decoder(const std::string& text) {
  for (const NamedDecoder& decoder : kDecoders) {
    if (decoder.kind == Kind::rigamp || decoder.kind == Kind::network) {
      const std::string prefix = fmt::format("{}:", decoder.name);
      if (text.starts_with(prefix)) return {decoder.kind, parse_layers(text, prefix.size())};
    }
    if (text == decoder.name && decoder.kind != Kind::network) return {decoder.kind, 0};
  }
  std::string known;
  for (const NamedDecoder& decoder : kDecoders) {
    if (decoder.kind != Kind::network) known += fmt::format("{}, ", decoder.name);
  }
  fail("unknown decoder '{}'; known: {}rigamp:L, network:L", text, known);
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
    if (choice.kind == Kind::network) {
      fail("the encoder {} is aligned with the coordinates: a network of layers needs a rotation, as hadamard is",
           encoder.name());
    }
    compile_aligned(encoder, network);
    return network;
  }
  const double rate = encoder.shape().rate();
  const std::vector<double> spectrum = encoder.orthonormal() ? std::vector<double>() : encoder.spectrum();
  const double least = std::max(1.0, rate);  // of unit-norm rows, but for the rounding of the matrix
  const double fourth = encoder.orthonormal() ? least : std::max(least, fourth_moment(spectrum));
  const ScalarDecoder scalar = best_scalar_decoder(rate, fourth);
  network.linear_gain = scalar.gain;
  network.linear_risk = scalar.risk;
  if (choice.kind == Kind::linear || choice.kind == Kind::affine) return network;
  if (choice.kind == Kind::denoise) {
    network.schedule = denoising_layer(prior, rate, scalar.precision);
    return network;
  }

  network.schedule = two_term_layers(choice.layers, encoder, prior);
  if (two_term_valid(rate, fourth, network.schedule)) return network;
  if (choice.kind == Kind::network) {
    fail(
        "the layers of a trained network start from those of (nearly) orthonormal rows; the encoder {} has others "
        "(tr((BBᵀ)²)/n = {:.4f}): use decoder rigamp:L",
        encoder.name(), fourth);
  }
  network.schedule = {rate, {}};
  network.memory = full_memory_layers(choice.layers, encoder, spectrum, prior);
  if (network.memory.layers.size() < 2) {  // no memory yet
    network.memory = {};
    network.schedule = denoising_layer(prior, rate, scalar.precision);
  }
  return network;
}

std::string decoder_form(const NetworkParameters& network) {
  if (!network.mlp.empty()) return fmt::format("network:mlp:{}", network.mlp.hidden());
  if (!network.unrolled.layers.empty()) return fmt::format("network:{}", network.unrolled.layers.size());
  if (!network.memory.layers.empty()) return "full-memory";
  if (network.schedule.layers.size() > 1) return "two-term";
  if (network.schedule.layers.size() == 1) return "denoiser";
  return network.affine.matrix.empty() ? "linear" : "affine";
}

int default_layers(std::span<const double> risks, std::size_t dim) {
  // Below a relative gain of about 1/d a layer brings more finite-d excess (docs/rigamp.md section 6) than gain.
  const double least_gain = std::max(1e-3, 1.3 / static_cast<double>(dim));
  std::size_t depth = 1;
  while (depth < risks.size() && depth < kMostDefaultLayers &&
         risks[depth - 1] - risks[depth] > least_gain * risks[depth - 1]) {
    ++depth;
  }
  return static_cast<int>(std::min(depth, risks.size()));
}

}  // namespace signfold
