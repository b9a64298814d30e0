// Blocks of rows that training works on in parallel, to results that do not depend on the number of threads, and the
// parts and sums of matrices that this takes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "signfold/base/bits.h"
#include "signfold/base/matrix.h"

namespace signfold {

/// Rows per block of a parallel loop: a function of the size alone, so that sums do not depend on the number of
/// threads; a multiple of 8, so that packed bits of different blocks share no byte; large, because products prepare
/// the other matrix once per block.
inline std::size_t grain_of(std::size_t rows) {
  constexpr std::size_t kMost = 256;
  return std::min(kMost, 8 * code_bytes((rows + 1) / 2));
}

/// Columns [begin, begin + count).
template <class T>
MatrixView<T> columns(MatrixView<T> a, std::size_t begin, std::size_t count) {
  return {a.data + begin, a.rows, count, a.stride};
}

/// Of the first `count` values.
inline double sum(const std::vector<double>& values, std::size_t count) {
  return std::accumulate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count), 0.0);
}

}  // namespace signfold
