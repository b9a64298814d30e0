#include "signfold/simd/small_cubic.h"

#include <algorithm>

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

using Words = hn::RebindToUnsigned<Floats>;
constexpr Words kWords;

/// The four coefficients of the interval of each lane.
struct Coefficients {
  V c0, c1, c2, c3;
};

// A Lookup finds them. The last bits of a word are the number of an interval; places() makes of it what is looked up.
constexpr std::uint32_t kLastBits = SmallCubic::kIntervals - 1;

#if HWY_TARGET <= HWY_AVX3
/// A table in registers.
class Lookup {
 public:
  explicit Lookup(const SmallCubic& f) : c0_(f.c0), c1_(f.c1), c2_(f.c2), c3_(f.c3) {}
  /// A permutation looks at the last five bits only.
  static HWY_INLINE hn::Vec<Words> places(hn::Vec<Words> words) { return words; }
  HWY_INLINE Coefficients operator()(hn::Vec<Words> places) const {
    return {c0_[places], c1_[places], c2_[places], c3_[places]};
  }

 private:
  struct Column {
    explicit Column(const std::array<float, SmallCubic::kIntervals>& c)
        : low(hn::Load(kFloats, c.data())), high(hn::Load(kFloats, c.data() + 16)) {}
    HWY_INLINE V operator[](hn::Vec<Words> k) const { return V{_mm512_permutex2var_ps(low.raw, k.raw, high.raw)}; }
    V low, high;
  };
  Column c0_, c1_, c2_, c3_;
};
#elif HWY_TARGET == HWY_AVX2
/// A table of rows of four: a load for each lane and a transposition are more than twice as fast as four gathers.
class Lookup {
 public:
  explicit Lookup(const SmallCubic& f) {
    for (std::size_t k = 0; k < SmallCubic::kIntervals; k += hn::Lanes(kFloats)) {
      hn::StoreInterleaved4(hn::Load(kFloats, &f.c0[k]), hn::Load(kFloats, &f.c1[k]), hn::Load(kFloats, &f.c2[k]),
                            hn::Load(kFloats, &f.c3[k]), kFloats, rows_ + 4 * k);
    }
  }
  /// Where the rows begin.
  static HWY_INLINE hn::Vec<Words> places(hn::Vec<Words> words) {
    return hn::ShiftLeft<2>(hn::And(words, hn::Set(kWords, kLastBits)));
  }
  HWY_INLINE Coefficients operator()(const std::uint32_t* places) const {
    const V a = two_rows(places);
    const V b = two_rows(places + 1);
    const V c = two_rows(places + 2);
    const V d = two_rows(places + 3);
    const V ab_low = hn::InterleaveLower(kFloats, a, b);
    const V cd_low = hn::InterleaveLower(kFloats, c, d);
    const V ab_high = hn::InterleaveUpper(kFloats, a, b);
    const V cd_high = hn::InterleaveUpper(kFloats, c, d);
    return {lower_pairs(ab_low, cd_low), upper_pairs(ab_low, cd_low), lower_pairs(ab_high, cd_high),
            upper_pairs(ab_high, cd_high)};
  }

 private:
  using Pairs = hn::Repartition<double, Floats>;
  static constexpr hn::FixedTag<float, 4> kRow{};

  /// The rows of a lane and of the one four further on.
  HWY_INLINE V two_rows(const std::uint32_t* places) const {
    return hn::Combine(kFloats, hn::Load(kRow, rows_ + places[4]), hn::Load(kRow, rows_ + places[0]));
  }
  static HWY_INLINE V lower_pairs(V a, V b) {
    const Pairs pairs;
    return hn::BitCast(kFloats, hn::InterleaveLower(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
  }
  static HWY_INLINE V upper_pairs(V a, V b) {
    const Pairs pairs;
    return hn::BitCast(kFloats, hn::InterleaveUpper(pairs, hn::BitCast(pairs, a), hn::BitCast(pairs, b)));
  }

  HWY_ALIGN float rows_[4 * SmallCubic::kIntervals];
};
#else
class Lookup {
 public:
  explicit Lookup(const SmallCubic& f) : f_(f) {}
  static HWY_INLINE hn::Vec<Words> places(hn::Vec<Words> words) { return hn::And(words, hn::Set(kWords, kLastBits)); }
  HWY_INLINE Coefficients operator()(hn::Vec<Words> places) const {
    const auto k = hn::BitCast(hn::RebindToSigned<Floats>(), places);
    return {hn::GatherIndex(kFloats, f_.c0.data(), k), hn::GatherIndex(kFloats, f_.c1.data(), k),
            hn::GatherIndex(kFloats, f_.c2.data(), k), hn::GatherIndex(kFloats, f_.c3.data(), k)};
  }

 private:
  const SmallCubic& f_;
};
#endif

/// The arithmetic of plain::small_cubic, in the same order.
template <bool kOdd>
class Evaluator {
 public:
  explicit Evaluator(const SmallCubic& f)
      : origin_(hn::Set(kFloats, f.origin)), inverse_step_(hn::Set(kFloats, f.inverse_step)), lookup_(f) {}

  /// finish(f(argument(i)), i) for every whole vector of n numbers.
  template <class Argument, class Finish>
  HWY_INLINE void operator()(std::size_t n, const Argument& argument, const Finish& finish) const {
    const std::size_t lanes = hn::Lanes(kFloats);
#if HWY_TARGET == HWY_AVX2
    // In memory, places become addresses without an instruction for each of them.
    constexpr std::size_t kMost = 128;
    HWY_ALIGN std::uint32_t places[kMost];
    HWY_ALIGN float t[kMost];
    for (std::size_t begin = 0; begin < n; begin += kMost) {
      const std::size_t count = std::min(kMost, n - begin);
      for (std::size_t i = 0; i < count; i += lanes) {
        const Located at = locate(argument(begin + i));
        hn::Store(at.places, kWords, places + i);
        hn::Store(at.t, kFloats, t + i);
      }
      for (std::size_t i = 0; i < count; i += lanes) {
        finish(value(lookup_(places + i), hn::Load(kFloats, t + i), argument(begin + i)), begin + i);
      }
    }
#else
    for (std::size_t i = 0; i < n; i += lanes) {
      const V x = argument(i);
      const Located at = locate(x);
      finish(value(lookup_(at.places), at.t, x), i);
    }
#endif
  }

 private:
  static constexpr float kLast = SmallCubic::kIntervals - 1;

  struct Located {
    hn::Vec<Words> places;
    V t;  ///< within the interval
  };

  HWY_INLINE Located locate(V x) const {
    V position = hn::Mul(hn::Sub(kOdd ? hn::Abs(x) : x, origin_), inverse_step_);
    if (!kOdd) position = hn::Max(position, hn::Set(kFloats, -SmallCubic::kReach));
    position = hn::Min(position, hn::Set(kFloats, SmallCubic::kReach));
    // An odd function's position is at least −½, which rounds to 0.
    const V inside = hn::Min(kOdd ? position : hn::Max(position, hn::Zero(kFloats)), hn::Set(kFloats, kLast));
    const V rounded = hn::Add(inside, hn::Set(kFloats, plain::kRoundingShift));
    return {Lookup::places(hn::BitCast(kWords, rounded)),
            hn::Sub(position, hn::Sub(rounded, hn::Set(kFloats, plain::kRoundingShift)))};
  }

  static HWY_INLINE V value(const Coefficients& c, V t, V x) {
    V y = hn::Add(c.c2, hn::Mul(t, c.c3));
    y = hn::Add(c.c1, hn::Mul(t, y));
    y = hn::Add(c.c0, hn::Mul(t, y));
    return kOdd ? hn::Xor(y, hn::And(x, hn::Set(kFloats, -0.0F))) : y;
  }

  V origin_, inverse_step_;
  Lookup lookup_;
};

template <bool kOdd>
HWY_INLINE void values(const SmallCubic& f, std::span<const float> x, std::span<float> y) {
  const Evaluator<kOdd> evaluate(f);
  evaluate(
      x.size(), [&](std::size_t i) HWY_ATTR { return hn::LoadU(kFloats, x.data() + i); },
      [&](V value, std::size_t i) HWY_ATTR { hn::StoreU(value, kFloats, y.data() + i); });
}

HWY_INLINE void signed_values(const SmallCubic& f, const std::uint8_t* z, std::span<const float> x,
                              std::span<float> y) {
  const Evaluator<false> evaluate(f);
  const auto minus = [z](std::size_t i) HWY_ATTR { return hn::Xor(signs_at(z, i), hn::Set(kFloats, -0.0F)); };
  evaluate(
      x.size(), [&](std::size_t i) HWY_ATTR { return hn::Xor(hn::LoadU(kFloats, x.data() + i), minus(i)); },
      [&](V value, std::size_t i) HWY_ATTR { hn::StoreU(hn::Xor(value, minus(i)), kFloats, y.data() + i); });
}

void Values(const SmallCubic& f, std::span<const float> x, std::span<float> y) {
  const std::size_t n = whole(x.size());
  f.odd ? values<true>(f, x.first(n), y) : values<false>(f, x.first(n), y);
  plain::small_cubic(f, x.subspan(n), y.subspan(n));
}

void SignedValues(const SmallCubic& f, std::span<const std::uint8_t> z, std::span<const float> x, std::span<float> y) {
  const std::size_t n = whole(x.size());
  // z f(z x) is f(x) where f is odd.
  f.odd ? values<true>(f, x.first(n), y) : signed_values(f, z.data(), x.first(n), y);
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
