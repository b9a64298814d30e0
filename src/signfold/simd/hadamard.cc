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
// is in a register. What happens to it before the first stage is a Load, what after the last a Finish.

struct Load {
  const float* x;
  HWY_INLINE V operator()(std::size_t i) const { return hn::LoadU(kFloats, x + i); }
};
struct LoadFlipped {
  const float* x;
  const std::uint8_t* signs;
  HWY_INLINE V operator()(std::size_t i) const { return flip(load_bits(signs, i), hn::LoadU(kFloats, x + i)); }
};

struct Store {
  float* y;
  HWY_INLINE void operator()(V v, std::size_t i) const { hn::StoreU(v, kFloats, y + i); }
};
struct StoreScaled {
  float* y;
  float factor;
  HWY_INLINE void operator()(V v, std::size_t i) const {
    hn::StoreU(hn::Mul(v, hn::Set(kFloats, factor)), kFloats, y + i);
  }
};
struct StoreFlipped {
  float* y;
  float factor;
  const std::uint8_t* signs;
  HWY_INLINE void operator()(V v, std::size_t i) const {
    hn::StoreU(flip(load_bits(signs, i), hn::Mul(v, hn::Set(kFloats, factor))), kFloats, y + i);
  }
};
struct StoreBits {
  std::uint8_t* codes;
  HWY_INLINE void operator()(V v, std::size_t i) const { store_bits(hn::Ge(v, hn::Zero(kFloats)), codes, i); }
};

HWY_INLINE void butterfly(V& a, V& b) {
  const V sum = hn::Add(a, b);
  b = hn::Sub(a, b);
  a = sum;
}

/// Three stages among eight vectors: strides of 1, 2 and 4 vectors.
HWY_INLINE void butterflies8(V& a, V& b, V& c, V& d, V& e, V& f, V& g, V& h) {
  butterfly(a, b), butterfly(c, d), butterfly(e, f), butterfly(g, h);
  butterfly(a, c), butterfly(b, d), butterfly(e, g), butterfly(f, h);
  butterfly(a, e), butterfly(b, f), butterfly(c, g), butterfly(d, h);
}

/// −1 in the lanes whose index has the bit `stride`, 1 in the others: where a butterfly subtracts, and where it adds.
HWY_INLINE V lane_signs(int stride) {
  const hn::RebindToUnsigned<Floats> words;
  const auto bit = hn::Set(words, static_cast<std::uint32_t>(stride));
  const auto upper = hn::RebindMask(kFloats, hn::TestBit(hn::Iota(words, 0), bit));
  return hn::IfThenElse(upper, hn::Set(kFloats, -1.0F), hn::Set(kFloats, 1.0F));
}

/// The stages inside one vector: (a, b) → (b + 1·a, a + (−1)·b). A product with ±1 is exact, so that the fused form has
/// the one rounding of a + b and a − b.
HWY_INLINE V within(V v) {
#if HWY_TARGET != HWY_SCALAR
  v = hn::MulAdd(v, lane_signs(1), hn::Shuffle2301(v));
  v = hn::MulAdd(v, lane_signs(2), hn::Shuffle1032(v));
  if (hn::Lanes(kFloats) >= 8) v = hn::MulAdd(v, lane_signs(4), hn::SwapAdjacentBlocks(v));
  if (hn::Lanes(kFloats) >= 16) v = hn::MulAdd(v, lane_signs(8), hn::ConcatLowerUpper(kFloats, v, v));
#endif
  return v;
}

/// A Load, and the stages within the vector.
template <class From>
struct LoadWithin {
  From from;
  HWY_INLINE V operator()(std::size_t i) const { return within(from(i)); }
};

template <class From, class Finish>
HWY_INLINE void radix8(const From& from, std::size_t i, std::size_t stride, const Finish& finish) {
  V a = from(i);
  V b = from(i + stride);
  V c = from(i + 2 * stride);
  V d = from(i + 3 * stride);
  V e = from(i + 4 * stride);
  V f = from(i + 5 * stride);
  V g = from(i + 6 * stride);
  V h = from(i + 7 * stride);
  butterflies8(a, b, c, d, e, f, g, h);
  finish(a, i), finish(b, i + stride), finish(c, i + 2 * stride), finish(d, i + 3 * stride);
  finish(e, i + 4 * stride), finish(f, i + 5 * stride), finish(g, i + 6 * stride), finish(h, i + 7 * stride);
}

// A pass over many values. Forced inline into every transform() it is a few percent faster, but under the address
// sanitizer of Clang this file then takes many minutes to compile.
#if HWY_IS_ASAN
#define SIGNFOLD_PASS inline
#else
#define SIGNFOLD_PASS HWY_INLINE
#endif

/// The stages within every vector and among eight neighbours, for the n values of one block from index `begin` on.
template <class From>
SIGNFOLD_PASS void first_stages(const From& from, float* y, std::size_t begin, std::size_t n) {
  const std::size_t lanes = hn::Lanes(kFloats);
  for (std::size_t i = begin; i < begin + n; i += 8 * lanes) radix8(LoadWithin<From>{from}, i, lanes, Store{y});
}

template <class Finish>
HWY_INLINE void radix4(const float* x, std::size_t i, std::size_t stride, const Finish& finish) {
  const Load from{x};
  V a = from(i);
  V b = from(i + stride);
  V c = from(i + 2 * stride);
  V d = from(i + 3 * stride);
  butterfly(a, b), butterfly(c, d);
  butterfly(a, c), butterfly(b, d);
  finish(a, i), finish(b, i + stride), finish(c, i + 2 * stride), finish(d, i + 3 * stride);
}

template <class Finish>
HWY_INLINE void radix2(const float* x, std::size_t i, std::size_t stride, const Finish& finish) {
  const Load from{x};
  V a = from(i);
  V b = from(i + stride);
  butterfly(a, b);
  finish(a, i), finish(b, i + stride);
}

/// Up to three stages, the first of this stride, over the n values from index `begin` on.
template <class Finish>
SIGNFOLD_PASS void some_stages(const float* x, std::size_t begin, std::size_t n, std::size_t stride,
                               const Finish& finish) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const std::size_t radix = std::min<std::size_t>(8, n / stride);
  for (std::size_t block = begin; block < begin + n; block += radix * stride) {
    for (std::size_t i = block; i < block + stride; i += lanes) {
      if (radix == 8) {
        radix8(Load{x}, i, stride, finish);
      } else if (radix == 4) {
        radix4(x, i, stride, finish);
      } else {
        radix2(x, i, stride, finish);
      }
    }
  }
}

/// The stages from `stride` to n/2 over n values from `begin` on; the last pass ends with `finish`.
template <class Finish>
HWY_INLINE void outer_stages(float* y, std::size_t begin, std::size_t n, std::size_t stride, const Finish& finish) {
  for (; stride * 8 < n; stride *= 8) some_stages(y, begin, n, stride, Store{y});
  some_stages(y, begin, n, stride, finish);
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
  for (std::size_t i = 0; i < n; i += lanes) hn::StoreU(within(hn::LoadU(kFloats, x + i)), kFloats, x + i);
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
