// Passes over rows of numbers that training makes: sums in a fixed order per target, results close to rounding on all.
#pragma once

#include <span>

namespace signfold::simd {

/// Σ a[i] b[i], in float32 with a few running sums per vector lane. Throws Error for different lengths, as all here do.
float dot(std::span<const float> a, std::span<const float> b);
/// y += factor·x.
void add_scaled(float factor, std::span<const float> x, std::span<float> y);
/// carried = a·x + b·y + c·carried, rounded after every product and sum: the same bits on every target.
void combine(float a, std::span<const float> x, float b, std::span<const float> y, float c, std::span<float> carried);
/// Σ x[i]² in float64, in sixteen running sums: the same bits on every target. Not finite where an x[i] is not.
double energy(std::span<const float> x);
/// v becomes the residual x − gain·v; returns its energy Σ (x − gain·v)².
float residual(std::span<const float> x, float gain, std::span<float> v);
/// slope[i] *= factor · (1 − tanh²(u[i]/width)): the derivative of a smoothed sign, times width (docs/math.md section
/// 9). Finite for every finite u; relative error below 1e-6 + 2⁻²² |u|/width where 1 − tanh² is above 1e-30.
void times_sign_slope(std::span<const float> u, float width, float factor, std::span<float> slope);

/// x = max(0, x + bias).
void rectify(std::span<const float> bias, std::span<float> x);
/// slope[i] = 0 where output[i] is not positive: the derivative of rectify, times slope.
void times_rectifier_slope(std::span<const float> output, std::span<float> slope);

/// One Adam update of parameters p with gradient g (Kingma and Ba 2015, algorithm 1): first = b1·first + (1 − b1)·g,
/// second = b2·second + (1 − b2)·g², p −= rate·first/(√(second) + epsilon); the corrections of the bias are inside rate
/// and epsilon.
struct AdamStep {
  float first_decay = 0.9F;
  float second_decay = 0.999F;
  float rate = 0;
  float epsilon = 1e-8F;
};
void adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first, std::span<float> second,
          std::span<float> parameters);

}  // namespace signfold::simd
