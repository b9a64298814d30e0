#include "signfold/simd/small_cubic.h"

#include "signfold/base/error.h"
#include "signfold/simd/plain.h"

// Highway compiles this file once per instruction set, each time inside its own HWY_NAMESPACE.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signfold/simd/small_cubic.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "signfold/simd/bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signfold::simd::HWY_NAMESPACE {
namespace {

using Ints = hn::RebindToSigned<Floats>;
constexpr Ints kInts;

/// One coefficient of every interval, to look up by the number of the interval.
#if HWY_TARGET <= HWY_AVX3
struct Column {
  explicit Column(const std::array<float, SmallCubic::kIntervals>& c)
      : low(hn::Load(kFloats, c.data())), high(hn::Load(kFloats, c.data() + 16)) {}
  HWY_INLINE V operator[](hn::Vec<Ints> k) const { return V{_mm512_permutex2var_ps(low.raw, k.raw, high.raw)}; }
  V low, high;
};
#else
struct Column {
  explicit Column(const std::array<float, SmallCubic::kIntervals>& c) : data(c.data()) {}
  HWY_INLINE V operator[](hn::Vec<Ints> k) const { return hn::GatherIndex(kFloats, data, k); }
  const float* data;
};
#endif

/// The arithmetic of plain::small_cubic, in the same order.
template <bool kOdd>
class Evaluator {
 public:
  explicit Evaluator(const SmallCubic& f)
      : origin_(hn::Set(kFloats, f.origin)),
        inverse_step_(hn::Set(kFloats, f.inverse_step)),
        c0_(f.c0),
        c1_(f.c1),
        c2_(f.c2),
        c3_(f.c3) {}

  HWY_INLINE V operator()(V x) const {
    V position = hn::Mul(hn::Sub(kOdd ? hn::Abs(x) : x, origin_), inverse_step_);
    if (!kOdd) position = hn::Max(position, hn::Set(kFloats, -SmallCubic::kReach));
    position = hn::Min(position, hn::Set(kFloats, SmallCubic::kReach));
    // An odd function's position is at least −½, which rounds to 0.
    const V inside = hn::Min(kOdd ? position : hn::Max(position, hn::Zero(kFloats)), hn::Set(kFloats, kLast));
    const V rounded = hn::Add(inside, hn::Set(kFloats, plain::kRoundingShift));
    const hn::Vec<Ints> k = number_of(rounded);
    const V t = hn::Sub(position, hn::Sub(rounded, hn::Set(kFloats, plain::kRoundingShift)));
    V value = hn::Add(c2_[k], hn::Mul(t, c3_[k]));
    value = hn::Add(c1_[k], hn::Mul(t, value));
    value = hn::Add(c0_[k], hn::Mul(t, value));
    return kOdd ? hn::Xor(value, hn::And(x, hn::Set(kFloats, -0.0F))) : value;
  }

 private:
  static constexpr float kLast = SmallCubic::kIntervals - 1;

  /// The last bits of a number that was rounded by adding kRoundingShift; a permutation looks at five of them only.
  static HWY_INLINE hn::Vec<Ints> number_of(V rounded) {
    const hn::Vec<Ints> bits = hn::BitCast(kInts, rounded);
    return HWY_TARGET <= HWY_AVX3 ? bits : hn::And(bits, hn::Set(kInts, SmallCubic::kIntervals - 1));
  }

  V origin_, inverse_step_;
  Column c0_, c1_, c2_, c3_;
};

template <bool kOdd>
HWY_INLINE void values(const SmallCubic& f, std::span<const float> x, std::span<float> y) {
  const Evaluator<kOdd> evaluate(f);
  for (std::size_t i = 0; i < x.size(); i += hn::Lanes(kFloats)) {
    hn::StoreU(evaluate(hn::LoadU(kFloats, x.data() + i)), kFloats, y.data() + i);
  }
}

template <bool kOdd>
HWY_INLINE void signed_values(const SmallCubic& f, const std::uint8_t* z, std::span<const float> x,
                              std::span<float> y) {
  const Evaluator<kOdd> evaluate(f);
  for (std::size_t i = 0; i < x.size(); i += hn::Lanes(kFloats)) {
    const auto minus = hn::Not(load_bits(z, i));
    hn::StoreU(flip(minus, evaluate(flip(minus, hn::LoadU(kFloats, x.data() + i)))), kFloats, y.data() + i);
  }
}

void Values(const SmallCubic& f, std::span<const float> x, std::span<float> y) {
  const std::size_t n = whole(x.size());
  f.odd ? values<true>(f, x.first(n), y) : values<false>(f, x.first(n), y);
  plain::small_cubic(f, x.subspan(n), y.subspan(n));
}

void SignedValues(const SmallCubic& f, std::span<const std::uint8_t> z, std::span<const float> x, std::span<float> y) {
  const std::size_t n = whole(x.size());
  f.odd ? signed_values<true>(f, z.data(), x.first(n), y) : signed_values<false>(f, z.data(), x.first(n), y);
  plain::signed_small_cubic(f, z.subspan(n / 8), x.subspan(n), y.subspan(n));
}

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signfold::simd {
namespace {

HWY_EXPORT(Values);
HWY_EXPORT(SignedValues);

void check_lengths(std::size_t x, std::size_t y) {
  if (x != y) fail("small_cubic: {} arguments but room for {} values", x, y);
}

}  // namespace

void small_cubic(const SmallCubic& f, std::span<const float> x, std::span<float> y) {
  check_lengths(x.size(), y.size());
  HWY_DYNAMIC_DISPATCH(Values)(f, x, y);
}

void signed_small_cubic(const SmallCubic& f, std::span<const std::uint8_t> z, std::span<const float> x,
                        std::span<float> y) {
  check_lengths(x.size(), y.size());
  if (z.size() != (x.size() + 7) / 8) fail("small_cubic: {} arguments but {} bytes of bits", x.size(), z.size());
  HWY_DYNAMIC_DISPATCH(SignedValues)(f, z, x, y);
}

}  // namespace signfold::simd
#endif  // HWY_ONCE
