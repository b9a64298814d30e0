// Packed bits as masks of vectors: what several kernels share. Included once per instruction set, inside
// HWY_BEFORE_NAMESPACE of a file that Highway compiles repeatedly.
#if defined(SIGNFOLD_SIMD_BITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNFOLD_SIMD_BITS_INL_H_
#undef SIGNFOLD_SIMD_BITS_INL_H_
#else
#define SIGNFOLD_SIMD_BITS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace signfold::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using V = hn::Vec<Floats>;
constexpr Floats kFloats;

/// Lanes() packed bits from bit i on; i is a multiple of Lanes(). Highway may read 8 bytes, hence the copy.
HWY_INLINE hn::Mask<Floats> load_bits(const std::uint8_t* bits, std::size_t i) {
  std::uint8_t bytes[8] = {};
  if (hn::Lanes(kFloats) >= 8) {
    std::memcpy(bytes, bits + i / 8, hn::Lanes(kFloats) / 8);
  } else {
    bytes[0] = static_cast<std::uint8_t>(bits[i / 8] >> (i % 8));
  }
  return hn::LoadMaskBits(kFloats, bytes);
}

/// The opposite: with fewer than 8 lanes, several calls fill one byte, which starts as zero.
HWY_INLINE void store_bits(hn::Mask<Floats> mask, std::uint8_t* bits, std::size_t i) {
  std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(kFloats, mask, bytes);
  if (hn::Lanes(kFloats) >= 8) {
    std::memcpy(bits + i / 8, bytes, hn::Lanes(kFloats) / 8);
  } else {
    bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | bytes[0] << (i % 8));
  }
}

/// v with the signs of the lanes in `mask` changed.
HWY_INLINE V flip(hn::Mask<Floats> mask, V v) { return hn::Xor(v, hn::IfThenElseZero(mask, hn::Set(kFloats, -0.0F))); }

/// How many of n elements the vector loops take: whole vectors and whole bytes of bits. The plain twin does the rest.
HWY_INLINE std::size_t whole(std::size_t n) {
  const std::size_t group = std::max<std::size_t>(8, hn::Lanes(kFloats));
  return n / group * group;
}

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
