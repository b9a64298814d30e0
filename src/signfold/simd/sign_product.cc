#include "signfold/simd/sign_product.h"

#include <algorithm>
#include <cstring>

#include "hwy/cache_control.h"
#include "signfold/base/error.h"

// Highway compiles this file once per instruction set, each time inside its own HWY_NAMESPACE.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "signfold/simd/sign_product.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace signfold::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using V = hn::Vec<Floats>;
constexpr Floats kFloats;

// Four rows of `a` have 16 signed sums; looking one up replaces four additions. The sums of 32 rows over a strip of
// columns fit in the first-level cache while every row of codes passes by.
constexpr std::size_t kGroup = 4;
constexpr std::size_t kGroups = 8;
constexpr std::size_t kBlock = kGroup * kGroups;
constexpr std::size_t kSums = 16;
constexpr std::size_t kVectors = 4;
constexpr std::size_t kMostWidth = kVectors * 16;

/// Results over one strip of columns are gathered where no other column of the matrix interferes in the caches.
constexpr std::size_t kTileRows = 256;

struct Workspace {
  HWY_ALIGN float sums[kGroups * kSums * kMostWidth];
  HWY_ALIGN float tile[kTileRows * kMostWidth];
};

/// The first `count` numbers from p on, zeros behind them, without a look at what lies there.
HWY_INLINE V load_first(const float* p, std::size_t count) {
  if (count >= hn::Lanes(kFloats)) return hn::LoadU(kFloats, p);
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN float padded[16] = {};
  std::copy_n(p, count, padded);
  return hn::Load(kFloats, padded);
#else
  return hn::MaskedLoad(hn::FirstN(kFloats, count), kFloats, p);
#endif
}

/// The 16 signed sums of four vectors; bit i of the index set = +vector i. Consecutive sums are `step` apart.
HWY_INLINE void fill_group(V a, V b, V c, V d, std::size_t step, float* sums) {
  const V low[4] = {hn::Sub(hn::Neg(a), b), hn::Sub(a, b), hn::Sub(b, a), hn::Add(a, b)};
  const V high[4] = {hn::Sub(hn::Neg(c), d), hn::Sub(c, d), hn::Sub(d, c), hn::Add(c, d)};
#pragma GCC unroll 16
  for (std::size_t s = 0; s < kSums; ++s) hn::Store(hn::Add(low[s % 4], high[s / 4]), kFloats, sums + s * step);
}

/// The sums of rows [begin, end) of a, end − begin ≤ 32, over `width` columns from `column` on. Rows and columns that
/// are missing count as zero.
template <std::size_t kWide>
HWY_INLINE void fill(MatrixView<const float> a, std::size_t begin, std::size_t end, std::size_t column,
                     std::size_t width, float* sums) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const auto load = [&](std::size_t k, std::size_t v) {
    return k < end ? load_first(a.row(k).data() + column + v * lanes, width - v * lanes) : hn::Zero(kFloats);
  };
  for (std::size_t k = begin; k < end; k += kGroup, sums += kSums * kWide * lanes) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kWide; ++v) {
      fill_group(load(k, v), load(k + 1, v), load(k + 2, v), load(k + 3, v), kWide * lanes, sums + v * lanes);
    }
  }
}

template <std::size_t kWide>
HWY_INLINE void add_group(const float* sums, std::uint32_t& bits, V (&acc)[kWide]) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const float* sum = sums + (bits % kSums) * kWide * lanes;
  bits /= kSums;
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kWide; ++v) acc[v] = hn::Add(acc[v], hn::Load(kFloats, sum + v * lanes));
}

/// to = from (nullptr: zero) + the sums chosen by the bits, kWide vectors.
template <std::size_t kWide>
HWY_INLINE void add_row(const float* sums, std::size_t groups, std::uint32_t bits, const float* from, float* to) {
  const std::size_t lanes = hn::Lanes(kFloats);
  V acc[kWide];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kWide; ++v) {
    acc[v] = from == nullptr ? hn::Zero(kFloats) : hn::LoadU(kFloats, from + v * lanes);
  }
  if (groups == kGroups) {
#pragma GCC unroll 8
    for (std::size_t g = 0; g < kGroups; ++g) add_group<kWide>(sums + g * kSums * kWide * lanes, bits, acc);
  } else {
    for (std::size_t g = 0; g < groups; ++g) add_group<kWide>(sums + g * kSums * kWide * lanes, bits, acc);
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kWide; ++v) hn::StoreU(acc[v], kFloats, to + v * lanes);
}

HWY_INLINE std::uint32_t load_block(const std::uint8_t* codes, std::size_t bytes) {
  std::uint32_t bits = 0;
  if (bytes == sizeof(bits)) {
    std::memcpy(&bits, codes, sizeof(bits));
  } else {
    for (std::size_t i = 0; i < bytes; ++i) bits |= std::uint32_t{codes[i]} << (8 * i);
  }
  return bits;
}

/// Rows of a wide matrix are too far apart for the processor to guess which it needs next.
template <std::size_t kWide>
HWY_INLINE void prefetch(const float* p) {
  for (std::size_t v = 0; v < kWide; ++v) hwy::Prefetch(p + v * hn::Lanes(kFloats));
}

/// At most kTileRows rows of one strip of `width` columns, at most kWide vectors.
template <std::size_t kWide>
HWY_INLINE void strip(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                      std::size_t column, std::size_t width, Workspace& work, MatrixView<float> out) {
  const std::size_t stride = kWide * hn::Lanes(kFloats);
  const bool whole = width == stride;
  if (accumulate && !whole) {
    for (std::size_t i = 0; i < out.rows; ++i) std::copy_n(out.row(i).data() + column, width, work.tile + i * stride);
  }
  for (std::size_t k = 0; k < a.rows; k += kBlock) {
    const std::size_t end = std::min(a.rows, k + kBlock);
    const std::size_t groups = (end - k + kGroup - 1) / kGroup;
    const std::size_t bytes = (end - k + 7) / 8;
    const bool from_zero = k == 0 && !accumulate;
    const bool from_out = k == 0 && accumulate && whole;
    const bool to_out = whole && end == a.rows;
    fill<kWide>(a, k, end, column, width, work.sums);
    for (std::size_t i = 0; i < codes.rows; ++i) {
      if (i < kBlock && end + i < a.rows) prefetch<kWide>(a.row(end + i).data() + column);
      const std::uint32_t bits = load_block(codes.row(i).data() + k / 8, bytes);
      float* const tile = work.tile + i * stride;
      float* const result = out.row(i).data() + column;
      add_row<kWide>(work.sums, groups, bits, from_zero ? nullptr : from_out ? result : tile, to_out ? result : tile);
    }
  }
  if (whole) return;
  for (std::size_t i = 0; i < out.rows; ++i) std::copy_n(work.tile + i * stride, width, out.row(i).data() + column);
}

void SignProduct(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                 MatrixView<float> out) {
  const std::size_t lanes = hn::Lanes(kFloats);
  Workspace work;  // NOLINT(cppcoreguidelines-pro-type-member-init): what is read was written
  for (std::size_t row = 0; row < out.rows; row += kTileRows) {
    const std::size_t rows = std::min(out.rows - row, kTileRows);
    const MatrixView<const std::uint8_t> c = codes.row_range(row, rows);
    const MatrixView<float> o = out.row_range(row, rows);
    for (std::size_t column = 0; column < out.cols; column += kVectors * lanes) {
      const std::size_t width = std::min(out.cols - column, kVectors * lanes);
      const std::size_t vectors = (width + lanes - 1) / lanes;
      if (vectors == 1) strip<1>(c, a, accumulate, column, width, work, o);
      if (vectors == 2) strip<2>(c, a, accumulate, column, width, work, o);
      if (vectors == 3) strip<3>(c, a, accumulate, column, width, work, o);
      if (vectors == 4) strip<4>(c, a, accumulate, column, width, work, o);
    }
  }
}

}  // namespace
}  // namespace signfold::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signfold::simd {
namespace {

HWY_EXPORT(SignProduct);

/// An 8 × 8 matrix of bits, row i in byte i, transposed by swapping ever larger blocks across the diagonal.
std::uint64_t transpose_8x8(std::uint64_t x) {
  std::uint64_t t = (x ^ (x >> 7)) & 0x00AA00AA00AA00AAULL;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000CCCC0000CCCCULL;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000F0F0F0F0ULL;
  return x ^ t ^ (t << 28);
}

}  // namespace

void sign_product(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                  MatrixView<float> out) {
  if (codes.cols != (a.rows + 7) / 8 || out.rows != codes.rows || out.cols != a.cols) {
    fail("sign_product: {} x {} bytes of signs and {} x {} numbers do not give {} x {}", codes.rows, codes.cols, a.rows,
         a.cols, out.rows, out.cols);
  }
  if (a.rows == 0) {
    for (std::size_t i = 0; i < out.rows && !accumulate; ++i) std::ranges::fill(out.row(i), 0.0F);
    return;
  }
  HWY_DYNAMIC_DISPATCH(SignProduct)(codes, a, accumulate, out);
}

void transpose_bits(MatrixView<const std::uint8_t> from, std::size_t n, MatrixView<std::uint8_t> to) {
  if (from.cols != (n + 7) / 8 || to.rows != n || to.cols != (from.rows + 7) / 8) {
    fail("transpose_bits: {} x {} bytes do not become {} x {} for {} bits a row", from.rows, from.cols, to.rows,
         to.cols, n);
  }
  for (std::size_t i = 0; i < from.rows; i += 8) {
    const std::size_t high = std::min<std::size_t>(8, from.rows - i);
    for (std::size_t j = 0; j < from.cols; ++j) {
      std::uint64_t square = 0;
      for (std::size_t k = 0; k < high; ++k) square |= std::uint64_t{from(i + k, j)} << (8 * k);
      square = transpose_8x8(square);
      const std::size_t wide = std::min<std::size_t>(8, n - 8 * j);
      for (std::size_t k = 0; k < wide; ++k) to(8 * j + k, i / 8) = static_cast<std::uint8_t>(square >> (8 * k));
    }
  }
}

}  // namespace signfold::simd
#endif  // HWY_ONCE
