// Plain loops with the same results, bit for bit, as simd/kernels.h and simd/sign_product.h: the oracle of their tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "signfold/base/matrix.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/small_cubic.h"

namespace signfold::plain {

/// Stages of stride 1, 2, 4, …; each turns a pair (a, b) into (a + b, a − b).
void hadamard(std::span<float> x);
void flip_signs(std::span<float> x, std::span<const std::uint8_t> signs);
void scale(std::span<float> x, float factor);
void pack_signs(std::span<const float> u, std::span<std::uint8_t> codes);
void unpack_signs(std::span<const std::uint8_t> codes, float magnitude, std::span<float> z);
/// Two roundings per multiply-and-add, never a fused one.
void table(const simd::Cubic& f, std::span<const float> x, std::span<float> y);
/// Adding this to a number between 0 and 2²², and taking it away again, rounds to the nearest whole number.
constexpr float kRoundingShift = 3 << 22;
/// Two roundings per multiply-and-add here too.
void small_cubic(const simd::SmallCubic& f, std::span<const float> x, std::span<float> y);
void signed_small_cubic(const simd::SmallCubic& f, std::span<const std::uint8_t> z, std::span<const float> x,
                        std::span<float> y);
/// Per element of out: 0 (or what was there) + ((a₀ + a₁) + (a₂ + a₃)) + ((a₄ + a₅) + …) + …, with signs.
void sign_product(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                  MatrixView<float> out);
void transpose_bits(MatrixView<const std::uint8_t> from, std::size_t n, MatrixView<std::uint8_t> to);

}  // namespace signfold::plain
