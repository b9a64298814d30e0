#include "signfold/simd/plain.h"

#include <algorithm>
#include <cmath>

namespace signfold::plain {
namespace {

bool bit_at(std::span<const std::uint8_t> bits, std::size_t i) { return (bits[i / 8] >> (i % 8) & 1) != 0; }

}  // namespace

void hadamard(std::span<float> x) {
  for (std::size_t stride = 1; stride < x.size(); stride *= 2) {
    for (std::size_t block = 0; block < x.size(); block += 2 * stride) {
      for (std::size_t i = block; i < block + stride; ++i) {
        const float a = x[i];
        const float b = x[i + stride];
        x[i] = a + b;
        x[i + stride] = a - b;
      }
    }
  }
}

void flip_signs(std::span<float> x, std::span<const std::uint8_t> signs) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (bit_at(signs, i)) x[i] = -x[i];
  }
}

void scale(std::span<float> x, float factor) {
  for (float& v : x) v *= factor;
}

void pack_signs(std::span<const float> u, std::span<std::uint8_t> codes) {
  std::fill(codes.begin(), codes.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < u.size(); ++i) {
    if (u[i] >= 0) codes[i / 8] = static_cast<std::uint8_t>(codes[i / 8] | 1U << (i % 8));
  }
}

void unpack_signs(std::span<const std::uint8_t> codes, float magnitude, std::span<float> z) {
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = bit_at(codes, i) ? magnitude : -magnitude;
}

void table(const simd::Cubic& f, std::span<const float> x, std::span<float> y) {
  const auto intervals = static_cast<int>(f.coefficients.size() / 4);
  const auto last_knot = static_cast<float>(intervals);
  const float width = last_knot / f.inverse_step;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float distance = x[i] - f.origin;  // finite even where the position below overflows
    const float position = distance * f.inverse_step;
    const float inside = std::min(position > 0 ? position : 0.0F, last_knot);
    const int k = std::min(static_cast<int>(inside), intervals - 1);
    const float* c = f.coefficients.data() + 4 * static_cast<std::ptrdiff_t>(k);
    const float t = inside - static_cast<float>(k);
    float value = c[0] + t * (c[1] + t * (c[2] + t * c[3]));
    if (position < 0) value = f.coefficients[0] + f.left_slope * distance;
    if (position >= last_knot) value = f.right_value + f.right_slope * (distance - width);
    y[i] = value;
  }
}

void small_cubic(const simd::SmallCubic& f, std::span<const float> x, std::span<float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float position = ((f.odd ? std::abs(x[i]) : x[i]) - f.origin) * f.inverse_step;
    const float reached = std::min(std::max(position, -simd::SmallCubic::kReach), simd::SmallCubic::kReach);
    constexpr float kLast = simd::SmallCubic::kIntervals - 1;
    const float whole = (std::min(std::max(reached, 0.0F), kLast) + kRoundingShift) - kRoundingShift;
    const auto k = static_cast<std::size_t>(whole);
    const float t = reached - whole;
    const float value = f.c0[k] + t * (f.c1[k] + t * (f.c2[k] + t * f.c3[k]));
    y[i] = f.odd && std::signbit(x[i]) ? -value : value;
  }
}

void signed_small_cubic(const simd::SmallCubic& f, std::span<const std::uint8_t> z, std::span<const float> x,
                        std::span<float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float sign = bit_at(z, i) ? 1.0F : -1.0F;
    const float argument = sign * x[i];
    plain::small_cubic(f, {&argument, 1}, {&y[i], 1});
    y[i] *= sign;
  }
}

void sign_product(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                  MatrixView<float> out) {
  for (std::size_t i = 0; i < out.rows; ++i) {
    for (std::size_t j = 0; j < out.cols; ++j) {
      const auto term = [&](std::size_t k) {
        const float value = k < a.rows ? a(k, j) : 0.0F;
        return bit_at(codes.row(i), k) ? value : -value;
      };
      float sum = accumulate ? out(i, j) : 0.0F;
      for (std::size_t k = 0; k < a.rows; k += 4) sum += (term(k) + term(k + 1)) + (term(k + 2) + term(k + 3));
      out(i, j) = sum;
    }
  }
}

void transpose_bits(MatrixView<const std::uint8_t> from, std::size_t n, MatrixView<std::uint8_t> to) {
  for (std::size_t j = 0; j < n; ++j) {
    std::ranges::fill(to.row(j), std::uint8_t{0});
    for (std::size_t i = 0; i < from.rows; ++i) {
      if (bit_at(from.row(i), j)) to(j, i / 8) = static_cast<std::uint8_t>(to(j, i / 8) | 1U << (i % 8));
    }
  }
}

}  // namespace signfold::plain
