// What codes depend on, as a model file stores it: enough for the fingerprint, before anything is built from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "signfold/codec/model.h"

namespace signfold {

/// Scalars and the payloads of sections (empty where a model has none); docs/formats.md section 3.
struct EncodeSide {
  std::uint64_t dim = 0;
  std::uint64_t bits = 0;
  ScaleKind scale = ScaleKind::none;
  double unit = 1;
  std::uint64_t seed = 0;
  std::string_view encoder;
  std::span<const std::byte> matrix;
  std::span<const std::byte> mean;
  std::span<const std::byte> eigenvectors;
  std::span<const std::byte> eigenvalues;
  double epsilon = 0;
};

/// The hash of docs/formats.md section 3: that of fingerprint(model) for the model these were stored of.
std::uint64_t fingerprint(const EncodeSide& side);

}  // namespace signfold
