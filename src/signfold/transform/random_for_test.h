// Data for the tests of this folder.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "signfold/base/linalg.h"
#include "signfold/base/random.h"

namespace signfold {

/// Equal in every bit, which == on floats does not say.
template <class T>
bool same_bytes(std::span<const T> a, std::span<const T> b) {
  return std::ranges::equal(std::as_bytes(a), std::as_bytes(b));
}

inline Matrix<float> gaussian_rows(std::size_t rows, std::size_t dim, std::uint64_t index) {
  RandomStream stream(20240608, Purpose::test, index);
  Matrix<float> x(rows, dim);
  for (float& v : x.values()) v = static_cast<float>(stream.normal());
  return x;
}

/// Gaussian rows with standard deviations from 0.3 to 3 along random orthonormal axes, and a mean of size 10.
inline Matrix<float> correlated_rows(std::size_t rows, std::size_t dim, std::uint64_t index) {
  RandomStream stream(20240608, Purpose::test, index + 1000);
  Matrix<double> axes(dim, dim);
  for (double& v : axes.values()) v = stream.normal();
  orthonormalize_rows(axes);
  Matrix<float> spread(dim, dim);
  for (std::size_t k = 0; k < dim; ++k) {
    const double deviation = 0.3 * std::pow(10.0, static_cast<double>(k) / static_cast<double>(dim));
    for (std::size_t j = 0; j < dim; ++j) spread(k, j) = static_cast<float>(deviation * axes(k, j));
  }
  const Matrix<float> white = gaussian_rows(rows, dim, index);
  Matrix<float> x(rows, dim);
  gemm(false, false, 1.0F, white, spread, 0.0F, x);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) x(i, j) += 10.0F * std::cos(static_cast<float>(j));
  }
  return x;
}

}  // namespace signfold
