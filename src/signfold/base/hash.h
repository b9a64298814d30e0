// xxHash, 64 bits (XXH64): checksums of file blocks and fingerprints of models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace signfold {

/// XXH64 of the bytes with the given seed. Detects damage, not malice.
std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed = 0);

}  // namespace signfold
