// Stages of fast rotations by name: encoder "rotated:S".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "signfold/decoder/rotated_stages.h"

namespace signfold {

/// S of "rotated:S", 1 to 64; empty for other names. Throws Error for other numbers.
std::optional<int> rotated_stage_count(const std::string& encoder);

/// Bits of about S equal stages of n bits, that fill one rotation of d rows after the other: at least one stage for
/// each rotation, none without bits.
std::vector<std::size_t> rotated_stage_bits(std::size_t dim, std::size_t bits, int stages);
/// The same in the limit of many coordinates.
std::vector<RotationRows> rotated_stage_rows(double rate, int stages);

/// The code of an i.i.d. or learned law with independent coordinates.
StagedPtr make_rotated(const VectorPrior& prior, std::size_t dim, std::size_t bits, int stages, std::uint64_t seed);

}  // namespace signfold
