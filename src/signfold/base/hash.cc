#include "signfold/base/hash.h"

#include <xxhash.h>

namespace signfold {

std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed) {
  return XXH64(bytes.data(), bytes.size(), seed);
}

}  // namespace signfold
