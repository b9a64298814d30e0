// What several tests of encoders need: random data, matrix algebra in double precision, distances.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/encoder/encoder.h"

namespace signfold::testing {

/// Independent uniform numbers in [−1, 1), made of integers only, so the same on every machine.
inline Matrix<float> random_matrix(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> x(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    RandomStream stream(seed, Purpose::test, i);
    for (float& v : x.row(i)) v = static_cast<float>(static_cast<std::int32_t>(stream.bits32())) * 0x1p-31F;
  }
  return x;
}

inline Matrix<double> to_double(MatrixView<const float> a) {
  Matrix<double> out(a.rows, a.cols);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) out(i, j) = a(i, j);
  }
  return out;
}

inline Matrix<double> product(bool transpose_a, bool transpose_b, const Matrix<double>& a, const Matrix<double>& b) {
  Matrix<double> c(transpose_a ? a.cols() : a.rows(), transpose_b ? b.rows() : b.cols());
  gemm(transpose_a, transpose_b, 1.0, a, b, 0.0, c);
  return c;
}

inline Matrix<double> scaled_identity(std::size_t n, double factor) {
  Matrix<double> out(n, n);
  for (std::size_t i = 0; i < n; ++i) out(i, i) = factor;
  return out;
}

/// max |a_ij − b_ij|; infinite when the shapes differ or an entry is not finite.
inline double distance(const Matrix<double>& a, const Matrix<double>& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return INFINITY;
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double difference = std::abs(a.values()[k] - b.values()[k]);
    if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
  }
  return largest;
}

/// Equality of representations: −0 differs from 0.
inline bool same_bytes(std::span<const float> a, std::span<const float> b) {
  return std::ranges::equal(std::as_bytes(a), std::as_bytes(b));
}

/// Bound for an entry of a product of orthogonal matrices whose own entries come from float32 butterflies: at most some
/// 130 roundings of relative size 2^-24 on every path through ten Hadamard transforms of up to 2^12, adding at random.
inline constexpr double kRounding = 100 * 0x1p-24;

}  // namespace signfold::testing
