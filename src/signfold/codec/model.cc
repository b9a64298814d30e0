#include "signfold/codec/model.h"

#include <array>
#include <bit>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/stored_encoder.h"

namespace signfold {
namespace {

constexpr std::array<const char*, 3> kScaleNames = {"none", "f16", "f32"};

template <class T>
std::uint64_t hash_of(std::span<const T> values) {
  return hash64(std::as_bytes(values));
}

}  // namespace

ScaleKind parse_scale(const std::string& text) {
  for (std::size_t i = 0; i < kScaleNames.size(); ++i) {
    if (text == kScaleNames[i]) return static_cast<ScaleKind>(i);
  }
  fail("unknown scale '{}'; known: none, f16, f32", text);
}

std::string to_string(ScaleKind kind) { return kScaleNames[static_cast<std::size_t>(kind)]; }

std::uint64_t fingerprint(const Model& model) {
  const Transform& t = model.transform;
  const std::string name = model.encoder->name();
  const std::array<std::uint64_t, 11> summary = {
      model.dim(),
      model.bits(),
      static_cast<std::uint64_t>(model.scale),
      std::bit_cast<std::uint64_t>(model.unit),
      model.encoder->seed(),
      hash64(bytes_of(name)),
      hash_of(stored_matrix(*model.encoder)),
      hash_of(std::span(t.mean)),
      hash_of(t.eigenvectors.values()),
      hash_of(std::span(t.eigenvalues)),
      std::bit_cast<std::uint64_t>(t.epsilon),
  };
  return hash_of(std::span<const std::uint64_t>(summary));
}

}  // namespace signfold
