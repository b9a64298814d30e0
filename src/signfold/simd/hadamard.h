// The fast Walsh–Hadamard transform, alone and with the sign changes of the fast rotation around it, which cost nothing
// extra while a value is in a register. Chosen at run time like simd/kernels.h; plain twins in simd/plain.h.
#pragma once

#include <cstdint>
#include <span>

namespace signfold::simd {

/// In-place unnormalised transform in natural order: x[i] becomes Σ_j (−1)^popcount(i & j) x[j]. Only additions and
/// subtractions in a fixed butterfly order: the same bits on every target. Throws Error unless the length is a power of
/// two.
void hadamard(std::span<float> x);

/// One step of the fast rotation: y = factor · D_after H D_before x, with D = −1 where a bit is set (bit i as in
/// simd/kernels.h), and an empty span for no changes.
struct SignedHadamard {
  std::span<const std::uint8_t> before = {};
  std::span<const std::uint8_t> after = {};
  float factor = 1;
};
/// The same bits as flip_signs, hadamard, scale and flip_signs one after the other. x and y are the same or do not
/// overlap. Throws Error for lengths that differ or are no power of two, and for a wrong number of bits.
void signed_hadamard(const SignedHadamard& step, std::span<const float> x, std::span<float> y);
/// Packs the signs of H D_before x, bit = (u >= 0), padding 0; `work` has the length of x, may be x, and is
/// overwritten. Throws Error like signed_hadamard.
void signed_hadamard_bits(std::span<const std::uint8_t> before, std::span<const float> x, std::span<float> work,
                          std::span<std::uint8_t> codes);

}  // namespace signfold::simd
