#include "signfold/simd/sign_product.h"

#include <algorithm>
#include <cstring>

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

struct Sums {
  HWY_ALIGN float values[kGroups * kSums * kMostWidth];
};

/// The 16 signed sums of four rows of kWide vectors each; bit i of the index set = +row i.
template <std::size_t kWide>
HWY_INLINE void fill_group(const float* const rows[kGroup], float* sums) {
  const std::size_t lanes = hn::Lanes(kFloats);
  for (std::size_t v = 0; v < kWide; ++v) {
    const V a = hn::LoadU(kFloats, rows[0] + v * lanes);
    const V b = hn::LoadU(kFloats, rows[1] + v * lanes);
    const V c = hn::LoadU(kFloats, rows[2] + v * lanes);
    const V d = hn::LoadU(kFloats, rows[3] + v * lanes);
    const V low[4] = {hn::Sub(hn::Neg(a), b), hn::Sub(a, b), hn::Sub(b, a), hn::Add(a, b)};
    const V high[4] = {hn::Sub(hn::Neg(c), d), hn::Sub(c, d), hn::Sub(d, c), hn::Add(c, d)};
#pragma GCC unroll 16
    for (std::size_t s = 0; s < kSums; ++s) {
      hn::Store(hn::Add(low[s % 4], high[s / 4]), kFloats, sums + (s * kWide + v) * lanes);
    }
  }
}

/// The sums of rows [begin, end) of a, end − begin ≤ 32, over `width` columns from `column` on. Rows and columns that
/// are missing count as zero.
template <std::size_t kWide>
HWY_INLINE void fill(MatrixView<const float> a, std::size_t begin, std::size_t end, std::size_t column,
                     std::size_t width, float* sums) {
  const std::size_t lanes = hn::Lanes(kFloats);
  const bool whole = width == kWide * lanes;
  HWY_ALIGN float padded[kGroup][kMostWidth] = {};
  for (std::size_t k = begin; k < end; k += kGroup, sums += kSums * kWide * lanes) {
    const float* rows[kGroup];
    for (std::size_t i = 0; i < kGroup; ++i) {
      const bool present = k + i < end;
      const float* source = present ? a.row(k + i).data() + column : padded[i];
      if (!whole || !present) {
        std::fill_n(padded[i], kWide * lanes, 0.0F);
        if (present) std::copy_n(source, width, padded[i]);
        source = padded[i];
      }
      rows[i] = source;
    }
    fill_group<kWide>(rows, sums);
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

/// out[0 … kWide vectors) (+)= the sums chosen by the bits.
template <std::size_t kWide>
HWY_INLINE void add_row(const float* sums, std::size_t groups, std::uint32_t bits, bool accumulate, float* out) {
  const std::size_t lanes = hn::Lanes(kFloats);
  V acc[kWide];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kWide; ++v) {
    acc[v] = accumulate ? hn::LoadU(kFloats, out + v * lanes) : hn::Zero(kFloats);
  }
  if (groups == kGroups) {
#pragma GCC unroll 8
    for (std::size_t g = 0; g < kGroups; ++g) add_group<kWide>(sums + g * kSums * kWide * lanes, bits, acc);
  } else {
    for (std::size_t g = 0; g < groups; ++g) add_group<kWide>(sums + g * kSums * kWide * lanes, bits, acc);
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kWide; ++v) hn::StoreU(acc[v], kFloats, out + v * lanes);
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

/// One strip of `width` columns, at most kWide vectors.
template <std::size_t kWide>
HWY_INLINE void strip(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                      std::size_t column, std::size_t width, MatrixView<float> out) {
  Sums sums;  // NOLINT(cppcoreguidelines-pro-type-member-init): fill() writes what is read
  HWY_ALIGN float edge[kMostWidth] = {};
  const bool whole = width == kWide * hn::Lanes(kFloats);
  for (std::size_t k = 0; k < a.rows; k += kBlock) {
    const std::size_t end = std::min(a.rows, k + kBlock);
    const std::size_t groups = (end - k + kGroup - 1) / kGroup;
    const std::size_t bytes = (end - k + 7) / 8;
    fill<kWide>(a, k, end, column, width, sums.values);
    for (std::size_t i = 0; i < codes.rows; ++i) {
      const std::uint32_t bits = load_block(codes.row(i).data() + k / 8, bytes);
      float* const row = out.row(i).data() + column;
      if (whole) {
        add_row<kWide>(sums.values, groups, bits, accumulate || k > 0, row);
      } else {
        std::copy_n(row, width, edge);
        add_row<kWide>(sums.values, groups, bits, accumulate || k > 0, edge);
        std::copy_n(edge, width, row);
      }
    }
  }
}

void SignProduct(MatrixView<const std::uint8_t> codes, MatrixView<const float> a, bool accumulate,
                 MatrixView<float> out) {
  const std::size_t lanes = hn::Lanes(kFloats);
  for (std::size_t column = 0; column < out.cols; column += kVectors * lanes) {
    const std::size_t width = std::min(out.cols - column, kVectors * lanes);
    const std::size_t vectors = (width + lanes - 1) / lanes;
    if (vectors == 1) strip<1>(codes, a, accumulate, column, width, out);
    if (vectors == 2) strip<2>(codes, a, accumulate, column, width, out);
    if (vectors == 3) strip<3>(codes, a, accumulate, column, width, out);
    if (vectors == 4) strip<4>(codes, a, accumulate, column, width, out);
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
  HWY_DYNAMIC_DISPATCH(SignProduct)(codes, a, accumulate, out);
}

void transpose_bits(MatrixView<const std::uint8_t> from, std::size_t n, MatrixView<std::uint8_t> to) {
  if (from.cols != (n + 7) / 8 || to.rows != n || to.cols != (from.rows + 7) / 8) {
    fail("transpose_bits: {} x {} bytes do not become {} x {} for {} bits a row", from.rows, from.cols, to.rows, to.cols,
         n);
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
