#include "signfold/simd/matrix_product.h"

#include <algorithm>

#include "signfold/base/error.h"

// Highway compiles this file once per instruction set, each time inside its own HWY_NAMESPACE.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signfold/simd/matrix_product.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace signfold::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using V = hn::Vec<Floats>;
constexpr Floats kFloats;

// A tile of c stays in registers while all terms are added: kHigh rows of up to three vectors, as many as fit in 32
// registers, or in 16.
constexpr std::size_t kVectors = 3;
constexpr std::size_t kHigh = HWY_TARGET <= HWY_AVX3 ? 8 : 4;
constexpr std::size_t kMostWidth = kVectors * 16;
// Columns of op(b) that one column of tiles needs, for this many terms, stay in the second-level cache.
constexpr std::size_t kMostTerms = 512;

/// Three vectors' columns of op(b), one row per term, zeros beyond the last column.
struct Panel {
  HWY_ALIGN float values[kMostTerms * kMostWidth];
};

/// Element (i, k) is data[i·row_step + k·term_step].
struct Left {
  const float* data;
  std::size_t row_step;
  std::size_t term_step;
};

void pack_rows(MatrixView<const float> b, std::size_t column, std::size_t width, std::size_t stride, float* panel) {
  for (std::size_t k = 0; k < b.rows; ++k, panel += stride) {
    std::copy_n(b.row(k).data() + column, width, panel);
    std::fill_n(panel + width, stride - width, 0.0F);
  }
}

void pack_columns_plainly(MatrixView<const float> b, std::size_t first_term, std::size_t column, std::size_t width,
                          std::size_t stride, float* panel) {
  for (std::size_t j = 0; j < width; ++j) {
    for (std::size_t k = first_term; k < b.cols; ++k) panel[k * stride + j] = b(column + j, k);
  }
}

/// From a transposed b, where term k of column j is b(j, k). Squares of 4 × 4 are turned in registers.
void pack_columns(MatrixView<const float> b, std::size_t column, std::size_t width, std::size_t stride, float* panel) {
  for (std::size_t k = 0; k < b.cols && width < stride; ++k)
    std::fill_n(panel + k * stride + width, stride - width, 0.0F);
#if HWY_TARGET == HWY_SCALAR
  pack_columns_plainly(b, 0, column, width, stride, panel);
#else
  const hn::Full128<float> four;
  const std::size_t whole_columns = width / 4 * 4;
  const std::size_t whole_terms = b.cols / 4 * 4;
  for (std::size_t j = 0; j < whole_columns; j += 4) {
    const float* const rows = b.row(column + j).data();
    for (std::size_t k = 0; k < whole_terms; k += 4) {
      const auto r0 = hn::LoadU(four, rows + k);
      const auto r1 = hn::LoadU(four, rows + b.stride + k);
      const auto r2 = hn::LoadU(four, rows + 2 * b.stride + k);
      const auto r3 = hn::LoadU(four, rows + 3 * b.stride + k);
      const auto low02 = hn::InterleaveLower(four, r0, r2);
      const auto high02 = hn::InterleaveUpper(four, r0, r2);
      const auto low13 = hn::InterleaveLower(four, r1, r3);
      const auto high13 = hn::InterleaveUpper(four, r1, r3);
      float* const to = panel + k * stride + j;
      hn::StoreU(hn::InterleaveLower(four, low02, low13), four, to);
      hn::StoreU(hn::InterleaveUpper(four, low02, low13), four, to + stride);
      hn::StoreU(hn::InterleaveLower(four, high02, high13), four, to + 2 * stride);
      hn::StoreU(hn::InterleaveUpper(four, high02, high13), four, to + 3 * stride);
    }
  }
  pack_columns_plainly(b, whole_terms, column, whole_columns, stride, panel);
  pack_columns_plainly(b, 0, column + whole_columns, width - whole_columns, stride, panel + whole_columns);
#endif
}

/// kRows rows of kWide vectors: to = sums, or keep·to + sums, in the first `width` columns.
template <std::size_t kRows, std::size_t kWide>
HWY_INLINE void tile(Left a, const float* panel, std::size_t terms, float keep, std::size_t width, std::size_t stride,
                     float* to) {
  const std::size_t lanes = hn::Lanes(kFloats);
  V acc[kRows][kWide];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kWide; ++v) acc[r][v] = hn::Zero(kFloats);
  }
  for (std::size_t k = 0; k < terms; ++k, panel += kWide * lanes, a.data += a.term_step) {
    V b[kWide];
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kWide; ++v) b[v] = hn::Load(kFloats, panel + v * lanes);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const V factor = hn::Set(kFloats, a.data[r * a.row_step]);
#pragma GCC unroll 3
      for (std::size_t v = 0; v < kWide; ++v) acc[r][v] = hn::MulAdd(factor, b[v], acc[r][v]);
    }
  }
  HWY_ALIGN float edge[kMostWidth];
  const bool whole = width == kWide * lanes;
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r, to += stride) {
    float* const row = whole ? to : edge;
    if (!whole && keep != 0) std::copy_n(to, width, edge);
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kWide; ++v) {
      V sum = acc[r][v];
      if (keep != 0) sum = hn::MulAdd(hn::Set(kFloats, keep), hn::LoadU(kFloats, row + v * lanes), sum);
      hn::StoreU(sum, kFloats, row + v * lanes);
    }
    if (!whole) std::copy_n(edge, width, to);
  }
}

template <std::size_t kWide>
void columns(Left a, const float* panel, std::size_t terms, float keep, std::size_t column, std::size_t width,
             MatrixView<float> c) {
  std::size_t i = 0;
  const auto left = [&] { return Left{a.data + i * a.row_step, a.row_step, a.term_step}; };
  const auto to = [&] { return c.row(i).data() + column; };
  for (; i + kHigh <= c.rows; i += kHigh) tile<kHigh, kWide>(left(), panel, terms, keep, width, c.stride, to());
  for (; i + 2 <= c.rows; i += 2) tile<2, kWide>(left(), panel, terms, keep, width, c.stride, to());
  for (; i < c.rows; ++i) tile<1, kWide>(left(), panel, terms, keep, width, c.stride, to());
}

void MatrixProduct(bool transpose_a, bool transpose_b, MatrixView<const float> a, MatrixView<const float> b, float keep,
                   MatrixView<float> c) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const Left left{a.data, transpose_a ? 1 : a.stride, transpose_a ? a.stride : 1};
  const std::size_t all_terms = transpose_a ? a.rows : a.cols;
  Panel panel;  // NOLINT(cppcoreguidelines-pro-type-member-init): packing writes what is read
  for (std::size_t term = 0; term == 0 || term < all_terms; term += kMostTerms) {  // without terms c is scaled
    const std::size_t terms = std::min(all_terms - term, kMostTerms);
    const Left part{left.data + term * left.term_step, left.row_step, left.term_step};
    const float kept = term == 0 ? keep : 1.0F;
    const MatrixView<const float> right =
        transpose_b ? MatrixView<const float>(b.data + term, b.rows, terms, b.stride) : b.row_range(term, terms);
    for (std::size_t column = 0; column < c.cols; column += kVectors * lanes) {
      const std::size_t width = std::min(c.cols - column, kVectors * lanes);
      const std::size_t vectors = (width + lanes - 1) / lanes;
      (transpose_b ? pack_columns : pack_rows)(right, column, width, vectors * lanes, panel.values);
      if (vectors == 1) columns<1>(part, panel.values, terms, kept, column, width, c);
      if (vectors == 2) columns<2>(part, panel.values, terms, kept, column, width, c);
      if (vectors == 3) columns<3>(part, panel.values, terms, kept, column, width, c);
    }
  }
}

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signfold::simd {
namespace {

HWY_EXPORT(MatrixProduct);

}  // namespace

void matrix_product(bool transpose_a, bool transpose_b, MatrixView<const float> a, MatrixView<const float> b,
                    float keep, MatrixView<float> c) {
  const std::size_t rows = transpose_a ? a.cols : a.rows;
  const std::size_t terms = transpose_a ? a.rows : a.cols;
  const std::size_t cols = transpose_b ? b.rows : b.cols;
  if (terms != (transpose_b ? b.cols : b.rows) || c.rows != rows || c.cols != cols) {
    fail("matrix_product: {} x {} and {} x {} numbers do not give {} x {}", rows, terms, transpose_b ? b.cols : b.rows,
         cols, c.rows, c.cols);
  }
  HWY_DYNAMIC_DISPATCH(MatrixProduct)(transpose_a, transpose_b, a, b, keep, c);
}

}  // namespace signfold::simd
#endif  // HWY_ONCE
