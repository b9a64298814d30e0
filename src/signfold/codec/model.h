// A model: everything needed to encode vectors, to decode their codes, and to know the error beforehand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signfold/base/bits.h"
#include "signfold/decoder/network.h"
#include "signfold/decoder/staged.h"
#include "signfold/transform/transform.h"

namespace signfold {

/// How the norm of a vector is stored beside its bits.
enum class ScaleKind : std::uint8_t { none = 0, f16 = 1, f32 = 2 };
ScaleKind parse_scale(const std::string& text);  ///< "none", "f16", "f32"; throws Error otherwise
std::string to_string(ScaleKind kind);
constexpr std::size_t scale_bytes(ScaleKind kind) {
  return kind == ScaleKind::none ? 0 : kind == ScaleKind::f16 ? 2 : 4;
}

/// What a file stores of one vector with so many bits: codes begin at whole bytes, those of a staged code do not.
constexpr std::size_t stored_bits(std::size_t bits, bool staged, ScaleKind scale) {
  return (staged ? bits : 8 * code_bytes(bits)) + 8 * scale_bytes(scale);
}

/// The name of an encoder that is trained in stages.
constexpr const char* kStagedName = "staged";

/// Encode side (transform, unit, encoder, scale kind) and decode side (basis, network). Codes depend on the encode
/// side only, so models that share it can decode each other's codes.
struct Model {
  Transform transform;
  double unit = 1;  ///< root mean square of a transformed training coordinate: stored scales are relative to it
  ScaleKind scale = ScaleKind::f16;
  EncoderPtr encoder;              ///< null for a staged code
  std::optional<Network> network;  ///< the decoder of `encoder`, unless the model is for encoding alone
  StagedPtr staged;                ///< in place of both: works on t over its scale
  /// Staged code: rounds in which encoding looks for better bits unless it is told how many (StagedCode::search).
  std::size_t search_rounds = 0;

  /// Mean of the training vectors where the transform does not subtract it; empty = 0. Risks are relative to the energy
  /// around the training mean.
  std::vector<float> training_mean;
  /// Energy of the transformed training vectors over their energy around the mean: turns a predicted risk, which is
  /// relative to the former, into the unit of a measured one. 1 for whitened models (their prediction is about whitened
  /// coordinates).
  double energy_ratio = 1;

  std::vector<std::size_t> item_shape;          ///< shape of one vector, e.g. {28, 28}; empty = {dim}
  std::map<std::string, std::string> metadata;  ///< free-form: what it was fitted on

  std::size_t dim() const { return staged ? staged->dim() : encoder->dim(); }
  std::size_t bits() const { return staged ? staged->bits() : encoder->bits(); }
  double rate() const { return static_cast<double>(bits()) / static_cast<double>(dim()); }
  std::string encoder_name() const { return staged ? staged->name() : encoder->name(); }
  std::uint64_t seed() const { return staged ? staged->seed() : encoder->seed(); }
  /// Bits of each stage; one stage unless the code is staged.
  std::vector<std::size_t> stage_bits() const { return staged ? staged->stage_bits() : std::vector{bits()}; }
  /// Every bit that a file stores of one vector.
  std::size_t bits_per_vector() const { return stored_bits(bits(), staged != nullptr, scale); }
  /// Of the first `stages` stages, from 1 on; only for a staged code.
  std::size_t bits_per_prefix(std::size_t stages) const { return stored_bits(staged->bits(stages), true, scale); }
  bool can_decode() const { return network.has_value() || staged != nullptr; }
  /// The largest number that decode_rows takes: layers of the network, or stages.
  int depth() const { return staged ? static_cast<int>(staged->count()) : network->layers(); }
  /// What risks are measured from: the mean subtracted by the transform, or training_mean. Empty = 0.
  std::span<const float> reference_mean() const { return transform.mean.empty() ? training_mean : transform.mean; }
  /// Predicted risk of layer t (0 = linear), or measured risk of the first t stages (from 1 on), in the unit of
  /// evaluate(). Throws Error for a layer the model lacks.
  double predicted_risk(int layer) const;
};

/// A hash of the encode side (docs/formats.md section 3). Code files carry it.
std::uint64_t fingerprint(const Model& model);
/// Throws Error unless encoding with the model may take so many rounds of StagedCode::search.
void check_search(const Model& model, std::size_t rounds);

/// The `.sfm` format of docs/formats.md. save is atomic; load throws Error for anything damaged.
void save_model(const Model& model, const std::string& path);
Model load_model(const std::string& path);
/// The same in memory; `name` starts the messages of errors.
std::vector<std::byte> model_to_bytes(const Model& model);
Model model_from_bytes(std::span<const std::byte> bytes, const std::string& name);

}  // namespace signfold
