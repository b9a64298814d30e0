#include "signfold/codec/model.h"

#include <array>
#include <bit>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/encode_side.h"
#include "signfold/codec/stage_bytes.h"
#include "signfold/codec/stored_encoder.h"

namespace signfold {
namespace {

constexpr std::array<const char*, 3> kScaleNames = {"none", "f16", "f32"};

}  // namespace

ScaleKind parse_scale(const std::string& text) {
  for (std::size_t i = 0; i < kScaleNames.size(); ++i) {
    if (text == kScaleNames[i]) return static_cast<ScaleKind>(i);
  }
  fail("unknown scale '{}'; known: none, f16, f32", text);
}

std::string to_string(ScaleKind kind) { return kScaleNames[static_cast<std::size_t>(kind)]; }

std::uint64_t fingerprint(const EncodeSide& side) {
  const std::array<std::uint64_t, 11> summary = {
      side.dim,
      side.bits,
      static_cast<std::uint64_t>(side.scale),
      std::bit_cast<std::uint64_t>(side.unit),
      side.seed,
      hash64(bytes_of(side.encoder)),
      hash64(side.matrix),
      hash64(side.mean),
      hash64(side.eigenvectors),
      hash64(side.eigenvalues),
      std::bit_cast<std::uint64_t>(side.epsilon),
  };
  return hash64(std::as_bytes(std::span(summary)));
}

double Model::predicted_risk(int layer) const {
  if (!staged) return energy_ratio * network->predicted_risk(layer);
  if (layer < 1 || layer > depth()) fail("stage {} is not one of {}", layer, depth());
  return energy_ratio * staged->risk(static_cast<std::size_t>(layer));
}

void check_search(const Model& model, std::size_t rounds) {
  if (rounds == 0) return;
  if (!model.staged || !model.staged->can_search()) {
    fail("only a trained staged code can be searched for better bits; this model's encoder is {}",
         model.encoder_name());
  }
  check_rounds(rounds);
}

std::uint64_t fingerprint(const Model& model) {
  const Transform& t = model.transform;
  const std::string name = model.encoder_name();
  const std::vector<std::uint64_t> stages = model.staged ? stage_hashes(*model.staged) : std::vector<std::uint64_t>();
  return fingerprint(EncodeSide{
      .dim = model.dim(),
      .bits = model.bits(),
      .scale = model.scale,
      .unit = model.unit,
      .seed = model.seed(),
      .encoder = name,
      .matrix = model.staged ? std::as_bytes(std::span(stages)) : std::as_bytes(stored_matrix(*model.encoder)),
      .mean = std::as_bytes(std::span(t.mean)),
      .eigenvectors = std::as_bytes(t.eigenvectors.values()),
      .eigenvalues = std::as_bytes(std::span(t.eigenvalues)),
      .epsilon = t.epsilon});
}

}  // namespace signfold
