// What a model that was read must be good for, whoever wrote it.
#pragma once

#include <algorithm>

#include "fuzz.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/model.h"

namespace signfold::fuzz {

/// Written again it is the same model, and it encodes and decodes without harm.
inline void use(const Model& model) {
  constexpr std::size_t kSmall = 1 << 10;
  const std::vector<std::byte> written = model_to_bytes(model);
  require(model_to_bytes(model_from_bytes(written, "written again")) == written, "a model written again is the same");
  if (model.dim() > kSmall || model.bits() > kSmall) return;
  Matrix<float> x(2, model.dim());
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 7) - 3;
  Matrix<std::uint8_t> codes(2, code_bytes(model.bits()));
  std::vector<float> scales(model.scale == ScaleKind::none ? 0 : 2);
  survives([&] { encode_rows(model, x, codes, scales, {1, {}}); });
  survives([&] { decode_rows(model, codes, scales, -1, x, {1, {}}); });
  if (!model.staged) return;
  const Matrix<std::uint8_t> first(2, code_bytes(model.staged->bits(1)));  // what a cut file holds
  survives([&] { decode_rows(model, first, scales, 1, x, {1, {}}); });
}

}  // namespace signfold::fuzz
