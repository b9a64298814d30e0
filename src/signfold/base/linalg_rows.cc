#include "signfold/base/linalg_rows.h"

#include <algorithm>

#include "signfold/base/linalg.h"

namespace signfold {
namespace {
// OpenBLAS cuts a product into register tiles, and tiles of different shapes round differently: with 32 rows on a
// Haswell, rows 6–11 do not get the bytes that rows 0–5 get. So every product here has one fixed shape, with the
// samples along the lanes of the vector registers (the fast axis of the result) and few enough to fill a single tile.
// 16 gives equal bytes at every place on every x86-64 core of OpenBLAS 0.3.21, at 3/4 of the speed of unlimited blocks.
constexpr std::size_t kBlock = 16;
}  // namespace

void gemm_rows(bool transpose_b, MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c) {
  if (a.rows != c.rows) fail("gemm_rows: {} rows in, {} rows out", a.rows, c.rows);
  const SingleThreadedBlas single;
  Matrix<float> padded(kBlock, a.cols);
  Matrix<float> product(c.cols, kBlock);  // op(b)ᵀ·aᵀ
  for (std::size_t begin = 0; begin < a.rows; begin += kBlock) {
    const std::size_t count = std::min(kBlock, a.rows - begin);
    MatrixView<const float> block = a.row_range(begin, count);
    if (count < kBlock) {
      for (std::size_t i = 0; i < count; ++i) std::ranges::copy(block.row(i), padded.row(i).begin());
      block = padded;
    }
    gemm(!transpose_b, true, 1.0F, b, block, 0.0F, product);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < c.cols; ++j) c(begin + i, j) = product(j, i);
    }
  }
}

}  // namespace signfold
