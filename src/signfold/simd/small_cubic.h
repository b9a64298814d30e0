// Functions tabulated so coarsely that all of a table fits in half a kilobyte, with AVX-512 in registers: more than
// twice as fast as simd::table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace signfold::simd {

/// A piecewise cubic on kIntervals intervals of a uniform grid, each around its centre: f(x) ≈ c0 + t(c1 + t(c2 + t
/// c3)), t = (x − origin)/step − k, −½ ≤ t ≤ ½. The polynomials of the first and the last interval go on to ±kReach
/// intervals, where the function becomes constant. Plain data; built by decoder/curve.h. Values are the same bits on
/// every target.
struct SmallCubic {
  static constexpr std::size_t kIntervals = 32;
  static constexpr float kReach = 1e6F;

  float origin = 0;  ///< the centre of interval 0
  float inverse_step = 1;
  bool odd = false;  ///< f(−x) = −f(x): the grid covers |x|, with 0 in interval 0: origin·inverse_step ≤ ½ in float32
  alignas(64) std::array<float, kIntervals> c0{}, c1{}, c2{}, c3{};
};

/// y[i] = f(x[i]); x and y may be the same. Finite for every finite x. Throws Error for different lengths.
void small_cubic(const SmallCubic& f, std::span<const float> x, std::span<float> y);
/// y[i] = z_i f(z_i x[i]) with z_i = +1 where bit i is set (as in simd/kernels.h), −1 elsewhere; x and y may be the
/// same. Throws Error for different lengths, or a wrong number of bits.
void signed_small_cubic(const SmallCubic& f, std::span<const std::uint8_t> z, std::span<const float> x,
                        std::span<float> y);

}  // namespace signfold::simd
