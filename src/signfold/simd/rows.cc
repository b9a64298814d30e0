#include "signfold/simd/rows.h"

#include <cmath>
#include <cstddef>

#include "signfold/base/error.h"

// Highway compiles this file once per instruction set, each time inside its own HWY_NAMESPACE.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signfold/simd/rows.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// Included after foreach_target on purpose: it too is compiled once per instruction set.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signfold::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using V = hn::Vec<Floats>;
constexpr Floats kFloats;

HWY_INLINE float total(V sums) { return hn::GetLane(hn::SumOfLanes(kFloats, sums)); }

float Dot(std::span<const float> a, std::span<const float> b) {
  const std::size_t lanes = hn::Lanes(kFloats);
  V even = hn::Zero(kFloats);
  V odd = hn::Zero(kFloats);
  std::size_t i = 0;
  for (; i + 2 * lanes <= a.size(); i += 2 * lanes) {
    even = hn::MulAdd(hn::LoadU(kFloats, a.data() + i), hn::LoadU(kFloats, b.data() + i), even);
    odd = hn::MulAdd(hn::LoadU(kFloats, a.data() + i + lanes), hn::LoadU(kFloats, b.data() + i + lanes), odd);
  }
  float sum = total(hn::Add(even, odd));
  for (; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void AddScaled(float factor, std::span<const float> x, std::span<float> y) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const V f = hn::Set(kFloats, factor);
  std::size_t i = 0;
  for (; i + lanes <= x.size(); i += lanes) {
    const V sum = hn::MulAdd(f, hn::LoadU(kFloats, x.data() + i), hn::LoadU(kFloats, y.data() + i));
    hn::StoreU(sum, kFloats, y.data() + i);
  }
  for (; i < x.size(); ++i) y[i] += factor * x[i];
}

void Combine(float a, std::span<const float> x, float b, std::span<const float> y, float c, std::span<float> carried) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const V va = hn::Set(kFloats, a);
  const V vb = hn::Set(kFloats, b);
  const V vc = hn::Set(kFloats, c);
  std::size_t i = 0;
  for (; i + lanes <= x.size(); i += lanes) {
    const V both =
        hn::Add(hn::Mul(va, hn::LoadU(kFloats, x.data() + i)), hn::Mul(vb, hn::LoadU(kFloats, y.data() + i)));
    hn::StoreU(hn::Add(both, hn::Mul(vc, hn::LoadU(kFloats, carried.data() + i))), kFloats, carried.data() + i);
  }
  for (; i < x.size(); ++i) carried[i] = a * x[i] + b * y[i] + c * carried[i];
}

/// Squares of floats are exact in float64, so fused and separate products and sums are the same.
double Energy(std::span<const float> x) {
  constexpr std::size_t kSums = 16;
  using Doubles = hn::CappedTag<double, 8>;
  constexpr Doubles kDoubles;
  const hn::Rebind<float, Doubles> floats;
  const std::size_t lanes = hn::Lanes(kDoubles);
  constexpr std::size_t kVectors = kSums / hn::MaxLanes(kDoubles);
  static_assert(kSums % hn::MaxLanes(kDoubles) == 0);
  std::size_t i = 0;
  hn::Vec<Doubles> in_lanes[kVectors];
  HWY_UNROLL(16)
  for (auto& sum : in_lanes) sum = hn::Zero(kDoubles);
  for (; i + kSums <= x.size(); i += kSums) {
    HWY_UNROLL(16)
    for (std::size_t k = 0; k < kVectors; ++k) {
      const auto a = hn::PromoteTo(kDoubles, hn::LoadU(floats, x.data() + i + k * lanes));
      in_lanes[k] = hn::MulAdd(a, a, in_lanes[k]);
    }
  }
  HWY_ALIGN double sums[kSums];
  for (std::size_t k = 0; k < kVectors; ++k) hn::Store(in_lanes[k], kDoubles, sums + k * lanes);
  double total = 0;
  for (const double sum : sums) total += sum;
  for (; i < x.size(); ++i) total += static_cast<double>(x[i]) * x[i];
  return total;
}

float Residual(std::span<const float> x, float gain, std::span<float> v) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const V g = hn::Set(kFloats, gain);
  V energy = hn::Zero(kFloats);
  std::size_t i = 0;
  for (; i + lanes <= x.size(); i += lanes) {
    const V e = hn::NegMulAdd(g, hn::LoadU(kFloats, v.data() + i), hn::LoadU(kFloats, x.data() + i));
    hn::StoreU(e, kFloats, v.data() + i);
    energy = hn::MulAdd(e, e, energy);
  }
  float sum = total(energy);
  for (; i < x.size(); ++i) {
    v[i] = x[i] - gain * v[i];
    sum += v[i] * v[i];
  }
  return sum;
}

void TimesSignSlope(std::span<const float> u, float width, float factor, std::span<float> slope) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const V minus_two = hn::Set(kFloats, -2 / width);
  const V four = hn::Set(kFloats, 4 * factor);
  const V one = hn::Set(kFloats, 1.0F);
  const V floor = hn::Set(kFloats, -80.0F);  // e^-80 is still a normal number
  std::size_t i = 0;
  for (; i + lanes <= u.size(); i += lanes) {
    // 1 − tanh²(a) = 4t/(1 + t)² with t = e^(−2|a|): no difference of nearly equal numbers.
    const V exponent = hn::Max(hn::Mul(minus_two, hn::Abs(hn::LoadU(kFloats, u.data() + i))), floor);
    const V t = hn::Exp(kFloats, exponent);
    const V below = hn::Add(one, t);
    const V sech2 = hn::Div(hn::Mul(four, t), hn::Mul(below, below));
    hn::StoreU(hn::Mul(hn::LoadU(kFloats, slope.data() + i), sech2), kFloats, slope.data() + i);
  }
  for (; i < u.size(); ++i) {
    const float t = std::exp(std::fmax(-2 / width * std::fabs(u[i]), -80.0F));
    slope[i] *= 4 * factor * t / ((1 + t) * (1 + t));
  }
}

void Rectify(std::span<const float> bias, std::span<float> x) {
  const std::size_t lanes = hn::Lanes(kFloats);
  std::size_t i = 0;
  for (; i + lanes <= x.size(); i += lanes) {
    const V sum = hn::Add(hn::LoadU(kFloats, x.data() + i), hn::LoadU(kFloats, bias.data() + i));
    hn::StoreU(hn::Max(sum, hn::Zero(kFloats)), kFloats, x.data() + i);
  }
  for (; i < x.size(); ++i) x[i] = std::fmax(x[i] + bias[i], 0.0F);
}

void TimesRectifierSlope(std::span<const float> output, std::span<float> slope) {
  const std::size_t lanes = hn::Lanes(kFloats);
  std::size_t i = 0;
  for (; i + lanes <= slope.size(); i += lanes) {
    const auto positive = hn::Gt(hn::LoadU(kFloats, output.data() + i), hn::Zero(kFloats));
    hn::StoreU(hn::IfThenElseZero(positive, hn::LoadU(kFloats, slope.data() + i)), kFloats, slope.data() + i);
  }
  for (; i < slope.size(); ++i) {
    if (!(output[i] > 0)) slope[i] = 0;
  }
}

void Adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first, std::span<float> second,
          std::span<float> parameters) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const V b1 = hn::Set(kFloats, step.first_decay);
  const V b2 = hn::Set(kFloats, step.second_decay);
  const V a1 = hn::Set(kFloats, 1 - step.first_decay);
  const V a2 = hn::Set(kFloats, 1 - step.second_decay);
  const V rate = hn::Set(kFloats, step.rate);
  const V epsilon = hn::Set(kFloats, step.epsilon);
  std::size_t i = 0;
  for (; i + lanes <= gradient.size(); i += lanes) {
    const V g = hn::LoadU(kFloats, gradient.data() + i);
    const V m = hn::MulAdd(b1, hn::LoadU(kFloats, first.data() + i), hn::Mul(a1, g));
    const V v = hn::MulAdd(b2, hn::LoadU(kFloats, second.data() + i), hn::Mul(a2, hn::Mul(g, g)));
    const V p = hn::LoadU(kFloats, parameters.data() + i);
    const V change = hn::Div(hn::Mul(rate, m), hn::Add(hn::Sqrt(v), epsilon));
    hn::StoreU(m, kFloats, first.data() + i);
    hn::StoreU(v, kFloats, second.data() + i);
    hn::StoreU(hn::Sub(p, change), kFloats, parameters.data() + i);
  }
  for (; i < gradient.size(); ++i) {
    first[i] = step.first_decay * first[i] + (1 - step.first_decay) * gradient[i];
    second[i] = step.second_decay * second[i] + (1 - step.second_decay) * gradient[i] * gradient[i];
    parameters[i] -= step.rate * first[i] / (std::sqrt(second[i]) + step.epsilon);
  }
}

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signfold::simd {
namespace {

HWY_EXPORT(Dot);
HWY_EXPORT(AddScaled);
HWY_EXPORT(Combine);
HWY_EXPORT(Energy);
HWY_EXPORT(Residual);
HWY_EXPORT(TimesSignSlope);
HWY_EXPORT(Rectify);
HWY_EXPORT(TimesRectifierSlope);
HWY_EXPORT(Adam);

void check_lengths(const char* kernel, std::size_t a, std::size_t b) {
  if (a != b) fail("{}: {} numbers do not go with {}", kernel, a, b);
}

}  // namespace

float dot(std::span<const float> a, std::span<const float> b) {
  check_lengths("dot", a.size(), b.size());
  return HWY_DYNAMIC_DISPATCH(Dot)(a, b);
}

void add_scaled(float factor, std::span<const float> x, std::span<float> y) {
  check_lengths("add_scaled", x.size(), y.size());
  HWY_DYNAMIC_DISPATCH(AddScaled)(factor, x, y);
}

void combine(float a, std::span<const float> x, float b, std::span<const float> y, float c, std::span<float> carried) {
  check_lengths("combine", x.size(), carried.size());
  check_lengths("combine", y.size(), carried.size());
  HWY_DYNAMIC_DISPATCH(Combine)(a, x, b, y, c, carried);
}

double energy(std::span<const float> x) { return HWY_DYNAMIC_DISPATCH(Energy)(x); }

float residual(std::span<const float> x, float gain, std::span<float> v) {
  check_lengths("residual", x.size(), v.size());
  return HWY_DYNAMIC_DISPATCH(Residual)(x, gain, v);
}

void times_sign_slope(std::span<const float> u, float width, float factor, std::span<float> slope) {
  check_lengths("times_sign_slope", u.size(), slope.size());
  HWY_DYNAMIC_DISPATCH(TimesSignSlope)(u, width, factor, slope);
}

void rectify(std::span<const float> bias, std::span<float> x) {
  check_lengths("rectify", bias.size(), x.size());
  HWY_DYNAMIC_DISPATCH(Rectify)(bias, x);
}

void times_rectifier_slope(std::span<const float> output, std::span<float> slope) {
  check_lengths("times_rectifier_slope", output.size(), slope.size());
  HWY_DYNAMIC_DISPATCH(TimesRectifierSlope)(output, slope);
}

void adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first, std::span<float> second,
          std::span<float> parameters) {
  check_lengths("adam", gradient.size(), first.size());
  check_lengths("adam", gradient.size(), second.size());
  check_lengths("adam", gradient.size(), parameters.size());
  HWY_DYNAMIC_DISPATCH(Adam)(step, gradient, first, second, parameters);
}

}  // namespace signfold::simd
#endif  // HWY_ONCE
