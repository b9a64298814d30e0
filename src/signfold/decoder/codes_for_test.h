// Codes of drawn vectors, for the tests of this folder.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "signfold/encoder/encoder.h"
#include "signfold/prior/prior.h"

namespace signfold {

using Vector = std::vector<double>;

struct Codes {
  Matrix<std::uint8_t> bits;
  std::vector<float> scales;
};

inline Codes encode_samples(const Encoder& encoder, const Prior& prior, std::size_t count, std::uint64_t seed) {
  Matrix<float> x(count, encoder.dim());
  for (std::size_t i = 0; i < count; ++i) sample_row(prior, seed, i, x.row(i));
  Codes codes{Matrix<std::uint8_t>(count, code_bytes(encoder.bits())), {}};
  encoder.encode(x, codes.bits);
  for (std::size_t i = 0; i < count; ++i) {
    double energy = 0;
    for (const float v : x.row(i)) energy += static_cast<double>(v) * v;
    codes.scales.push_back(static_cast<float>(std::sqrt(energy / static_cast<double>(encoder.dim()))));
  }
  return codes;
}

inline Vector signs(std::span<const std::uint8_t> code, std::size_t bits) {
  Vector z(bits);
  for (std::size_t i = 0; i < bits; ++i) z[i] = (code[i / 8] >> (i % 8) & 1) != 0 ? 1 : -1;
  return z;
}

}  // namespace signfold
