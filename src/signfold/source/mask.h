// Masked vectors: each coordinate is kept with some probability, the others are zero (docs/math.md section 8).
#pragma once

#include <cstdint>
#include <memory>

#include "signfold/base/matrix.h"
#include "signfold/source/source.h"

namespace signfold {

/// Keeps each coordinate of x.row(i) with probability `keep` and multiplies it by 1/√keep, so that the energy stays
/// what it was on average; the others become 0. The mask of row i is a pure function of (seed, first + i): in training,
/// count visits and every one has a fresh mask. Throws Error unless 0 < keep ≤ 1.
void mask_rows(double keep, std::uint64_t seed, std::uint64_t first, MatrixView<float> x);

/// The vectors of another source, masked: row i always has mask number i of the seed.
std::unique_ptr<Source> masked_source(std::unique_ptr<Source> source, double keep, std::uint64_t seed);

}  // namespace signfold
