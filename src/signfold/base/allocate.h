// Where the numbers of a matrix live.
#pragma once

#include <cstddef>

namespace signfold {

/// Bytes: one line of the cache, one vector of AVX-512.
constexpr std::size_t kMatrixAlignment = 64;

/// At least `bytes` bytes, aligned to kMatrixAlignment, not initialised. Asks the system for large pages where an array
/// is large: walking through many small ones costs a third of the speed of encoding. Throws std::bad_alloc.
void* allocate_numbers(std::size_t bytes);
/// Gives back what allocate_numbers gave; nullptr does nothing.
void free_numbers(void* p) noexcept;

}  // namespace signfold
