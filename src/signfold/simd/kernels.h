// The hot loops, compiled once per instruction set (Highway) and chosen at run time. Each has a plain twin in
// simd/plain.h with the same arithmetic in the same order, so results are bit-identical.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signfold::simd {

/// x[i] = −x[i] where bit i of `signs` is set. Here and below, bit i is bit i % 8 (least significant first) of byte
/// i / 8, and a wrong number of bytes, other than (x.size() + 7) / 8, throws Error.
void flip_signs(std::span<float> x, std::span<const std::uint8_t> signs);
/// x[i] *= factor.
void scale(std::span<float> x, float factor);
/// Bit i = (u[i] >= 0); −0 counts as ≥ 0; padding bits are zero.
void pack_signs(std::span<const float> u, std::span<std::uint8_t> codes);
/// z[i] = +magnitude where bit i is set, −magnitude elsewhere.
void unpack_signs(std::span<const std::uint8_t> codes, float magnitude, std::span<float> z);

/// A function tabulated on the uniform grid origin + k·step by the value at each knot and the three polynomial
/// coefficients of the cubic to the next: f(x) ≈ c0 + t(c1 + t(c2 + t c3)), t = (x − origin)/step − k. Outside the
/// grid it continues linearly with the slopes given. Plain data; built by decoder/table.h.
struct Cubic {
  float origin = 0;
  float inverse_step = 1;
  float left_slope = 0;  ///< per unit of x
  float right_slope = 0;
  std::vector<float> coefficients;  ///< 4 per interval: c0 c1 c2 c3
  float right_value = 0;            ///< f at the last knot
};
/// y[i] = f(x[i]); x and y may be the same. A finite x gives no NaN, however large. Throws Error for different lengths
/// or no coefficients.
void table(const Cubic& f, std::span<const float> x, std::span<float> y);

/// The instruction set that the kernels run on now, e.g. "AVX2" — asked of the compiled code itself.
std::string active_target();
/// Every instruction set compiled in that this machine can run, best first.
std::vector<std::string> supported_targets();
/// Makes every kernel run on the named target from now on ("" = the best). For tests and benchmarks; not thread-safe.
/// Throws Error for a target that this machine or build does not have.
void force_target(const std::string& name);

}  // namespace signfold::simd
