#include "signfold/simd/kernels.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "signfold/base/error.h"
#include "signfold/simd/plain.h"

// Highway compiles this file once per instruction set, each time inside its own HWY_NAMESPACE.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signfold/simd/kernels.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "signfold/simd/bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signfold::simd::HWY_NAMESPACE {
namespace {

using Ints = hn::RebindToSigned<Floats>;
constexpr Ints kInts;

// ---- Bits ----------------------------------------------------------------------------------------------------------

void FlipSigns(std::span<float> x, std::span<const std::uint8_t> signs) {
  const std::size_t n = whole(x.size());
  for (std::size_t i = 0; i < n; i += hn::Lanes(kFloats)) {
    hn::StoreU(hn::Xor(hn::LoadU(kFloats, x.data() + i), signs_at(signs.data(), i)), kFloats, x.data() + i);
  }
  plain::flip_signs(x.subspan(n), signs.subspan(n / 8));
}

void Scale(std::span<float> x, float factor) {
  const std::size_t n = whole(x.size());
  const V f = hn::Set(kFloats, factor);
  for (std::size_t i = 0; i < n; i += hn::Lanes(kFloats)) {
    hn::StoreU(hn::Mul(hn::LoadU(kFloats, x.data() + i), f), kFloats, x.data() + i);
  }
  plain::scale(x.subspan(n), factor);
}

void PackSigns(std::span<const float> u, std::span<std::uint8_t> codes) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const std::size_t n = whole(u.size());
  if (lanes < 8) std::fill(codes.begin(), codes.end(), std::uint8_t{0});
  std::size_t i = 0;
  for (; i + kBitVectors * lanes <= n; i += kBitVectors * lanes) {
    V v[kBitVectors];
    HWY_UNROLL(4)
    for (std::size_t k = 0; k < kBitVectors; ++k) v[k] = hn::LoadU(kFloats, u.data() + i + k * lanes);
    store_signs(v, codes.data(), i);
  }
  for (; i < n; i += lanes) {
    store_bits(hn::Ge(hn::LoadU(kFloats, u.data() + i), hn::Zero(kFloats)), codes.data(), i);
  }
  plain::pack_signs(u.subspan(n), codes.subspan(n / 8));
}

void UnpackSigns(std::span<const std::uint8_t> codes, float magnitude, std::span<float> z) {
  const std::size_t n = whole(z.size());
  const V minus = hn::Set(kFloats, -magnitude);
  for (std::size_t i = 0; i < n; i += hn::Lanes(kFloats)) {
    hn::StoreU(hn::Xor(minus, signs_at(codes.data(), i)), kFloats, z.data() + i);
  }
  plain::unpack_signs(codes.subspan(n / 8), magnitude, z.subspan(n));
}

// ---- Table ---------------------------------------------------------------------------------------------------------

// In blocks of three passes: where each x falls, its row of four coefficients, the cubic. Copying whole rows and
// transposing them is more than twice as fast as four gathers.

struct Located {
  static constexpr std::size_t kMost = 64;
  HWY_ALIGN std::int32_t interval[kMost];
  HWY_ALIGN float t[kMost];  ///< place within the interval
  HWY_ALIGN float rows[4 * kMost];
};

HWY_INLINE V distance_of(const Cubic& f, const float* x) {
  return hn::Sub(hn::LoadU(kFloats, x), hn::Set(kFloats, f.origin));
}

HWY_INLINE void locate(const Cubic& f, int intervals, const float* x, std::size_t n, Located& at) {
  const V zero = hn::Zero(kFloats);
  const V last_knot = hn::Set(kFloats, static_cast<float>(intervals));
  const hn::Vec<Ints> last = hn::Set(kInts, intervals - 1);
  for (std::size_t i = 0; i < n; i += hn::Lanes(kFloats)) {
    const V position = hn::Mul(distance_of(f, x + i), hn::Set(kFloats, f.inverse_step));
    const V inside = hn::Min(hn::IfThenElseZero(hn::Gt(position, zero), position), last_knot);
    const hn::Vec<Ints> k = hn::Min(hn::ConvertTo(kInts, inside), last);
    hn::Store(k, kInts, at.interval + i);
    hn::Store(hn::Sub(inside, hn::ConvertTo(kFloats, k)), kFloats, at.t + i);
  }
}

HWY_INLINE void evaluate(const Cubic& f, int intervals, const float* x, std::size_t n, const Located& at, float* y) {
  const V last_knot = hn::Set(kFloats, static_cast<float>(intervals));
  const V width = hn::Set(kFloats, static_cast<float>(intervals) / f.inverse_step);
  for (std::size_t i = 0; i < n; i += hn::Lanes(kFloats)) {
    V c0, c1, c2, c3;
    hn::LoadInterleaved4(kFloats, at.rows + 4 * i, c0, c1, c2, c3);
    const V t = hn::Load(kFloats, at.t + i);
    V value = hn::Add(c2, hn::Mul(t, c3));
    value = hn::Add(c1, hn::Mul(t, value));
    value = hn::Add(c0, hn::Mul(t, value));

    const V distance = distance_of(f, x + i);
    const V position = hn::Mul(distance, hn::Set(kFloats, f.inverse_step));
    const V rise = hn::Mul(hn::Set(kFloats, f.left_slope), distance);
    const V left = hn::Add(hn::Set(kFloats, f.coefficients[0]), rise);
    value = hn::IfThenElse(hn::Lt(position, hn::Zero(kFloats)), left, value);
    const V beyond = hn::Mul(hn::Set(kFloats, f.right_slope), hn::Sub(distance, width));
    const V right = hn::Add(hn::Set(kFloats, f.right_value), beyond);
    value = hn::IfThenElse(hn::Ge(position, last_knot), right, value);
    hn::StoreU(value, kFloats, y + i);
  }
}

void Table(const Cubic& f, std::span<const float> x, std::span<float> y) {
  const auto intervals = static_cast<int>(f.coefficients.size() / 4);
  const std::size_t n = whole(x.size());
  Located at;  // NOLINT(cppcoreguidelines-pro-type-member-init): each pass fills what the next one reads
  for (std::size_t begin = 0; begin < n; begin += Located::kMost) {
    const std::size_t count = std::min(Located::kMost, n - begin);
    locate(f, intervals, x.data() + begin, count, at);
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(at.rows + 4 * i, f.coefficients.data() + 4 * static_cast<std::size_t>(at.interval[i]),
                  4 * sizeof(float));
    }
    evaluate(f, intervals, x.data() + begin, count, at, y.data() + begin);
  }
  plain::table(f, x.subspan(n), y.subspan(n));
}

const char* Target() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signfold::simd {
namespace {

HWY_EXPORT(FlipSigns);
HWY_EXPORT(Scale);
HWY_EXPORT(PackSigns);
HWY_EXPORT(UnpackSigns);
HWY_EXPORT(Table);
HWY_EXPORT(Target);

void check_bits(const char* kernel, std::size_t elements, std::size_t bytes) {
  if (bytes != (elements + 7) / 8) fail("{}: {} elements do not go with {} bytes of bits", kernel, elements, bytes);
}

constexpr std::size_t kMostCoefficients = std::size_t{4} << 24;  // float32 counts the intervals exactly up to there

}  // namespace

void flip_signs(std::span<float> x, std::span<const std::uint8_t> signs) {
  check_bits("flip_signs", x.size(), signs.size());
  HWY_DYNAMIC_DISPATCH(FlipSigns)(x, signs);
}

void scale(std::span<float> x, float factor) { HWY_DYNAMIC_DISPATCH(Scale)(x, factor); }

void pack_signs(std::span<const float> u, std::span<std::uint8_t> codes) {
  check_bits("pack_signs", u.size(), codes.size());
  HWY_DYNAMIC_DISPATCH(PackSigns)(u, codes);
}

void unpack_signs(std::span<const std::uint8_t> codes, float magnitude, std::span<float> z) {
  check_bits("unpack_signs", z.size(), codes.size());
  HWY_DYNAMIC_DISPATCH(UnpackSigns)(codes, magnitude, z);
}

void table(const Cubic& f, std::span<const float> x, std::span<float> y) {
  const std::size_t numbers = f.coefficients.size();
  if (numbers == 0 || numbers % 4 != 0 || numbers > kMostCoefficients) {
    fail("table: {} coefficients are not 4 per interval of 1 to {} intervals", numbers, kMostCoefficients / 4);
  }
  if (x.size() != y.size()) fail("table: {} arguments but room for {} values", x.size(), y.size());
  HWY_DYNAMIC_DISPATCH(Table)(f, x, y);
}

std::string active_target() { return HWY_DYNAMIC_DISPATCH(Target)(); }

std::vector<std::string> supported_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void force_target(const std::string& name) {
  if (name.empty()) {
    hwy::GetChosenTarget().DeInit();  // the next kernel chooses the best again
    return;
  }
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name == hwy::TargetName(target)) {
      hwy::GetChosenTarget().Update(target);
      return;
    }
  }
  fail("instruction set '{}' is not available here; there are: {}", name, fmt::join(supported_targets(), ", "));
}

}  // namespace signfold::simd
#endif  // HWY_ONCE
