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
#include "signfold/simd/byte_signs.h"

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

/// −0 in the lanes whose bit is set, 0 in the others.
HWY_INLINE V signs_at(const std::uint8_t* bits, std::size_t i) {
#if HWY_TARGET == HWY_AVX2  // no masks in registers: from a table it is one load, and no arithmetic
  const hn::RebindToUnsigned<Floats> words;
  return hn::BitCast(kFloats, hn::Load(words, kByteSigns[bits[i / 8]].data()));
#else
  return hn::IfThenElseZero(load_bits(bits, i), hn::Set(kFloats, -0.0F));
#endif
}

/// Lanes() packed bits: with fewer than 8 lanes, several calls fill one byte, which starts as zero.
HWY_INLINE void store_bits(hn::Mask<Floats> mask, std::uint8_t* bits, std::size_t i) {
  std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(kFloats, mask, bytes);
  if (hn::Lanes(kFloats) >= 8) {
    std::memcpy(bits + i / 8, bytes, hn::Lanes(kFloats) / 8);
  } else {
    bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | bytes[0] << (i % 8));
  }
}

/// How many vectors store_signs takes.
constexpr std::size_t kBitVectors = HWY_TARGET == HWY_AVX2 ? 4 : 1;

/// Packs the signs of kBitVectors vectors from bit i on, bit = (v >= 0).
HWY_INLINE void store_signs(const V* v, std::uint8_t* bits, std::size_t i) {
#if HWY_TARGET == HWY_AVX2  // 32 bits of one byte per number take fewer steps than four times 8 bits
  const auto mask = [v](std::size_t k) HWY_ATTR {
    return _mm256_castps_si256(hn::VecFromMask(kFloats, hn::Ge(v[k], hn::Zero(kFloats))).raw);
  };
  const __m256i first = _mm256_packs_epi32(mask(0), mask(1));
  const __m256i second = _mm256_packs_epi32(mask(2), mask(3));
  // Packing works within halves of a register: blocks of four numbers come in the order 0 2 4 6 1 3 5 7.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(first, second), order);
  const auto word = static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  std::memcpy(bits + i / 8, &word, sizeof(word));
#else
  store_bits(hn::Ge(v[0], hn::Zero(kFloats)), bits, i);
#endif
}

/// How many of n elements the vector loops take: whole vectors and whole bytes of bits. The plain twin does the rest.
HWY_INLINE std::size_t whole(std::size_t n) {
  const std::size_t group = std::max<std::size_t>(8, hn::Lanes(kFloats));
  return n / group * group;
}

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
