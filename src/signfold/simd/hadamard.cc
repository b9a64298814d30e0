#include "signfold/simd/hadamard.h"

#include <algorithm>
#include <bit>

#include "signfold/base/error.h"
#include "signfold/simd/plain.h"

// Highway compiles this file once per instruction set, each time inside its own HWY_NAMESPACE.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signfold/simd/hadamard.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "signfold/simd/bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signfold::simd::HWY_NAMESPACE {
namespace {

// Every value goes through the same additions and subtractions as in plain::hadamard; several stages are done while it
// is in a register. What happens to it before the first stage is a Load, which takes the beginning of a block, a
// multiple of 8, and the index in it; what after the last a Finish, which takes kColumns neighbours at a time. Work on
// several vectors goes step by step through all of them, not vector by vector, so that instructions need not wait for
// the one before.

struct Load {
  const float* x;
  HWY_INLINE V operator()(std::size_t block, std::size_t i) const { return hn::LoadU(kFloats, x + block + i); }
};
struct LoadFlipped {
  const float* x;
  const std::uint8_t* signs;
  HWY_INLINE V operator()(std::size_t block, std::size_t i) const {
    return hn::Xor(hn::LoadU(kFloats, x + block + i), signs_at(signs + block / 8, i));
  }
};

struct Store {
  static constexpr std::size_t kColumns = 1;
  float* y;
  HWY_INLINE void operator()(const V* v, std::size_t i) const { hn::StoreU(v[0], kFloats, y + i); }
};
struct StoreScaled {
  static constexpr std::size_t kColumns = 1;
  float* y;
  float factor;
  HWY_INLINE void operator()(const V* v, std::size_t i) const {
    hn::StoreU(hn::Mul(v[0], hn::Set(kFloats, factor)), kFloats, y + i);
  }
};
struct StoreFlipped {
  static constexpr std::size_t kColumns = 1;
  float* y;
  float factor;
  const std::uint8_t* signs;
  HWY_INLINE void operator()(const V* v, std::size_t i) const {
    hn::StoreU(hn::Xor(hn::Mul(v[0], hn::Set(kFloats, factor)), signs_at(signs, i)), kFloats, y + i);
  }
};
struct StoreBits {
  static constexpr std::size_t kColumns = kBitVectors;
  std::uint8_t* codes;
  HWY_INLINE void operator()(const V* v, std::size_t i) const { store_signs(v, codes, i); }
};

/// One stage among kRadix vectors.
template <std::size_t kRadix, std::size_t kStride>
HWY_INLINE void stage(V* v) {
  HWY_UNROLL(4)
  for (std::size_t k = 0; k < kRadix / 2; ++k) {
    const std::size_t i = k / kStride * 2 * kStride + k % kStride;
    const V a = v[i];
    const V b = v[i + kStride];
    v[i] = hn::Add(a, b);
    v[i + kStride] = hn::Sub(a, b);
  }
}

/// The log2(kRadix) stages among kRadix vectors.
template <std::size_t kRadix>
HWY_INLINE void stages(V* v) {
  static_assert(kRadix == 2 || kRadix == 4 || kRadix == 8);
  stage<kRadix, 1>(v);
  if constexpr (kRadix >= 4) stage<kRadix, 2>(v);
  if constexpr (kRadix >= 8) stage<kRadix, 4>(v);
}

/// −1 in the lanes whose index has the bit `stride`, 1 in the others: where a butterfly subtracts, and where it adds.
HWY_INLINE V lane_signs(int stride) {
  const hn::RebindToUnsigned<Floats> words;
  const auto bit = hn::Set(words, static_cast<std::uint32_t>(stride));
  const auto upper = hn::RebindMask(kFloats, hn::TestBit(hn::Iota(words, 0), bit));
  return hn::IfThenElse(upper, hn::Set(kFloats, -1.0F), hn::Set(kFloats, 1.0F));
}

/// One stage inside each of kCount vectors: (a, b) → (b + 1·a, a + (−1)·b). A product with ±1 is exact, so that the
/// fused form has the one rounding of a + b and a − b.
template <std::size_t kCount, class Swap>
HWY_INLINE void stage_within(V* v, int stride, const Swap& swap) {
  const V signs = lane_signs(stride);
  HWY_UNROLL(8)
  for (std::size_t k = 0; k < kCount; ++k) v[k] = hn::MulAdd(v[k], signs, swap(v[k]));
}

/// All stages inside vectors.
template <std::size_t kCount>
HWY_INLINE void within([[maybe_unused]] V* v) {
#if HWY_TARGET != HWY_SCALAR
  stage_within<kCount>(v, 1, [](V a) HWY_ATTR { return hn::Shuffle2301(a); });
  stage_within<kCount>(v, 2, [](V a) HWY_ATTR { return hn::Shuffle1032(a); });
  if (hn::Lanes(kFloats) >= 8) stage_within<kCount>(v, 4, [](V a) HWY_ATTR { return hn::SwapAdjacentBlocks(a); });
  if (hn::Lanes(kFloats) >= 16) {
    stage_within<kCount>(v, 8, [](V a) HWY_ATTR { return hn::ConcatLowerUpper(kFloats, a, a); });
  }
#endif
}

// A pass over many values. Forced inline into every transform() it is a few percent faster, but under the address
// sanitizer of Clang this file then takes many minutes to compile.
#if HWY_IS_ASAN
#define SIGNFOLD_PASS inline
#else
#define SIGNFOLD_PASS HWY_INLINE
#endif

/// The stages within every vector and among eight neighbours, for the n values of one block from index `begin` on.
/// `from` is a copy, which a store to y cannot change: it stays in registers.
template <class From>
SIGNFOLD_PASS void first_stages(From from, float* y, std::size_t begin, std::size_t n) {
  const std::size_t lanes = hn::Lanes(kFloats);
  for (std::size_t i = begin; i < begin + n; i += 8 * lanes) {
    V v[8];
    HWY_UNROLL(8)
    for (std::size_t k = 0; k < 8; ++k) v[k] = from(i, k * lanes);
    within<8>(v);
    stages<8>(v);
    HWY_UNROLL(8)
    for (std::size_t k = 0; k < 8; ++k) hn::StoreU(v[k], kFloats, y + i + k * lanes);
  }
}

/// log2(kRadix) stages, the first of this stride, over the n values from index `begin` on.
template <std::size_t kRadix, class Finish>
SIGNFOLD_PASS void some_stages(const float* x, std::size_t begin, std::size_t n, std::size_t stride,
                               const Finish& finish) {
  constexpr std::size_t kColumns = Finish::kColumns;
  const std::size_t lanes = hn::Lanes(kFloats);
  for (std::size_t block = begin; block < begin + n; block += kRadix * stride) {
    for (std::size_t i = block; i < block + stride; i += kColumns * lanes) {
      V rows[kRadix][kColumns];
      HWY_UNROLL(4)
      for (std::size_t c = 0; c < kColumns; ++c) {
        V v[kRadix];
        HWY_UNROLL(8)
        for (std::size_t k = 0; k < kRadix; ++k) v[k] = hn::LoadU(kFloats, x + i + c * lanes + k * stride);
        stages<kRadix>(v);
        HWY_UNROLL(8)
        for (std::size_t k = 0; k < kRadix; ++k) rows[k][c] = v[k];
      }
      HWY_UNROLL(8)
      for (std::size_t k = 0; k < kRadix; ++k) finish(rows[k], i + k * stride);
    }
  }
}

/// The stages from `stride` to n/2 over n values from `begin` on; the last pass ends with `finish`. Each pass loads and
/// stores every value: four stages are two passes of two, which do with fewer registers, rather than three and one.
template <class Finish>
HWY_INLINE void outer_stages(float* y, std::size_t begin, std::size_t n, std::size_t stride, const Finish& finish) {
  for (; n / stride > 16; stride *= 8) some_stages<8>(y, begin, n, stride, Store{y});
  if (n / stride == 16) {
    some_stages<4>(y, begin, n, stride, Store{y});
    stride *= 4;
  }
  switch (n / stride) {
    case 8:
      return some_stages<8>(y, begin, n, stride, finish);
    case 4:
      return some_stages<4>(y, begin, n, stride, finish);
    default:
      return some_stages<2>(y, begin, n, stride, finish);
  }
}

/// A whole transform of n values, a power of two and at least least_length().
template <class From, class Finish>
HWY_INLINE void transform(const From& from, float* y, std::size_t n, const Finish& finish) {
  constexpr std::size_t kInCache = 4096;  // 16 KiB: a block stays in the first-level cache for all of its stages
  const std::size_t inner = 8 * hn::Lanes(kFloats);
  if (n <= kInCache) {
    first_stages(from, y, 0, n);
    outer_stages(y, 0, n, inner, finish);
    return;
  }
  for (std::size_t begin = 0; begin < n; begin += kInCache) {
    first_stages(from, y, begin, kInCache);
    outer_stages(y, begin, kInCache, inner, Store{y});
  }
  outer_stages(y, 0, n, kInCache, finish);
}

/// Of transform(): two passes at least, the first among eight vectors. Shorter ones take short_transform().
HWY_INLINE std::size_t least_length() { return std::max<std::size_t>(16, 16 * hn::Lanes(kFloats)); }

/// Fewer than least_length() values, in place; fewer than one vector are left to the plain twin.
HWY_INLINE void short_transform(float* x, std::size_t n) {
  const std::size_t lanes = hn::Lanes(kFloats);
  if (n < lanes) return plain::hadamard({x, n});
  for (std::size_t i = 0; i < n; i += lanes) {
    V v = hn::LoadU(kFloats, x + i);
    within<1>(&v);
    hn::StoreU(v, kFloats, x + i);
  }
  if (n > lanes) outer_stages(x, 0, n, lanes, Store{x});
}

void Hadamard(std::span<float> x) {
  if (x.size() < least_length()) return short_transform(x.data(), x.size());
  transform(Load{x.data()}, x.data(), x.size(), Store{x.data()});
}

/// Calls work(from) with the Load that does these sign changes.
template <class Work>
HWY_INLINE void with_load(std::span<const std::uint8_t> before, const float* x, const Work& work) {
  before.empty() ? work(Load{x}) : work(LoadFlipped{x, before.data()});
}

void Step(const SignedHadamard& step, std::span<const float> x, std::span<float> y) {
  const std::size_t n = y.size();
  if (n < least_length()) {
    std::copy_n(x.data(), n, y.data());
    if (!step.before.empty()) plain::flip_signs(y, step.before);
    short_transform(y.data(), n);
    if (step.factor != 1) plain::scale(y, step.factor);
    if (!step.after.empty()) plain::flip_signs(y, step.after);
    return;
  }
  with_load(step.before, x.data(), [&](const auto& from) {
    if (!step.after.empty()) {
      transform(from, y.data(), n, StoreFlipped{y.data(), step.factor, step.after.data()});
    } else if (step.factor != 1) {
      transform(from, y.data(), n, StoreScaled{y.data(), step.factor});
    } else {
      transform(from, y.data(), n, Store{y.data()});
    }
  });
}

void StepBits(std::span<const std::uint8_t> before, std::span<const float> x, std::span<float> work,
              std::span<std::uint8_t> codes) {
  if (work.size() < least_length()) {
    Step({.before = before}, x, work);
    return plain::pack_signs(work, codes);
  }
  if (hn::Lanes(kFloats) < 8) std::fill(codes.begin(), codes.end(), std::uint8_t{0});
  with_load(before, x.data(),
            [&](const auto& from) { transform(from, work.data(), work.size(), StoreBits{codes.data()}); });
}

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signfold::simd {
namespace {

HWY_EXPORT(Hadamard);
HWY_EXPORT(Step);
HWY_EXPORT(StepBits);

void check_length(std::size_t n) {
  if (!std::has_single_bit(n)) fail("hadamard: the length {} is not a power of two", n);
}

void check_bits(std::span<const std::uint8_t> bits, std::size_t n) {
  if (bits.empty() || bits.size() == (n + 7) / 8) return;
  fail("hadamard: {} elements do not go with {} bytes of bits", n, bits.size());
}

void check_sizes(std::size_t x, std::size_t y) {
  check_length(x);
  if (x != y) fail("hadamard: {} numbers but room for {}", x, y);
}

}  // namespace

void hadamard(std::span<float> x) {
  check_length(x.size());
  HWY_DYNAMIC_DISPATCH(Hadamard)(x);
}

void signed_hadamard(const SignedHadamard& step, std::span<const float> x, std::span<float> y) {
  check_sizes(x.size(), y.size());
  check_bits(step.before, x.size());
  check_bits(step.after, x.size());
  HWY_DYNAMIC_DISPATCH(Step)(step, x, y);
}

void signed_hadamard_bits(std::span<const std::uint8_t> before, std::span<const float> x, std::span<float> work,
                          std::span<std::uint8_t> codes) {
  check_sizes(x.size(), work.size());
  check_bits(before, x.size());
  if (codes.size() != (x.size() + 7) / 8) {
    fail("hadamard: {} elements do not go with {} bytes of bits", x.size(), codes.size());
  }
  HWY_DYNAMIC_DISPATCH(StepBits)(before, x, work, codes);
}

}  // namespace signfold::simd
#endif  // HWY_ONCE
