// Products with a matrix of signs: additions only, and several of them looked up at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signfold/base/matrix.h"

namespace signfold::simd {

/// out = Z·a, or out += Z·a, for the m × k matrix Z of signs whose rows are packed in `codes` (m × (k + 7)/8 bytes; bit
/// i is bit i % 8 of byte i / 8; set = +1, else −1; bits behind the k-th are not looked at). a: k × d, out: m × d. Runs
/// on the calling thread. The terms of four rows of `a` are added first, then those sums in order: the same bytes on
/// every target and for every split of out into rows or columns. Throws Error when the shapes do not match.
void sign_product(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                  MatrixView<float> out);

/// Transposes packed signs: bit i of row j of `to` (n × (k + 7)/8 bytes) = bit j of row i of `from` (k × (n + 7)/8
/// bytes). Padding bits become zero. Throws Error when the shapes do not match.
void transpose_bits(MatrixView<const std::uint8_t> from, std::size_t n, MatrixView<std::uint8_t> to);

}  // namespace signfold::simd
