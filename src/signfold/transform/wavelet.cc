#include "signfold/transform/wavelet.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "signfold/base/linalg.h"
#include "signfold/transform/separable.h"

namespace signfold {
namespace {

constexpr std::size_t kCoarsest = 4;  // averages that are not split further

/// The lifting steps of CDF 9/7 (Daubechies and Sweldens 1998), and the gain of the averages.
constexpr double kLifting[] = {-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971};
constexpr double kGain = 1.230174104914001;

/// x[i] += factor·(x[i − 1] + x[i + 1]) for every second i from `first` on; at the ends the neighbour inside counts
/// twice (whole-sample symmetric extension).
void lift(std::vector<double>& x, std::size_t first, double factor) {
  const std::size_t n = x.size();
  for (std::size_t i = first; i < n; i += 2) {
    const double left = x[i > 0 ? i - 1 : 1];
    const double right = x[i + 1 < n ? i + 1 : n - 2];
    x[i] += factor * (left + right);
  }
}

/// One level of CDF 9/7 on n ≥ 2 values as a matrix, averages before details, both of about unit norm.
Matrix<double> biorthogonal_level(std::size_t n) {
  const std::size_t averages = (n + 1) / 2;
  Matrix<double> level(n, n);
  for (std::size_t j = 0; j < n; ++j) {
    std::vector<double> x(n);
    x[j] = 1;
    for (std::size_t step = 0; step < std::size(kLifting); ++step) lift(x, (step + 1) % 2, kLifting[step]);
    for (std::size_t i = 0; i < n; ++i) {
      level(i % 2 == 0 ? i / 2 : averages + i / 2, j) =
          i % 2 == 0 ? x[i] * std::numbers::sqrt2 / kGain : x[i] * kGain / std::numbers::sqrt2;
    }
  }
  return level;
}

/// The matrix of orthonormal rows nearest to a, for singular values between 0 and √3 (Newton–Schulz:
/// A ← (3 − AAᵀ)A/2).
Matrix<double> nearest_orthonormal(Matrix<double> a) {
  constexpr int kMostIterations = 50;
  Matrix<double> correction(a.rows(), a.rows());
  Matrix<double> next(a.rows(), a.cols());
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    gemm(false, true, -0.5, a, a, 0.0, correction);
    double distance = 0;
    for (std::size_t i = 0; i < a.rows(); ++i) {
      correction(i, i) += 1.5;
      for (std::size_t j = 0; j < a.rows(); ++j) {
        distance = std::max(distance, std::abs(correction(i, j) - (i == j ? 1 : 0)));
      }
    }
    gemm(false, false, 1.0, correction, a, 0.0, next);
    std::swap(a, next);
    if (distance < 1e-9) break;  // convergence is quadratic: the error is now rounding
  }
  return a;
}

/// Takes the part in the span of the orthonormal rows q out of every row of a.
void project_out(const Matrix<double>& q, Matrix<double>& a) {
  Matrix<double> products(a.rows(), q.rows());
  gemm(false, true, 1.0, a, q, 0.0, products);
  gemm(false, false, -1.0, products, q, 1.0, a);
}

/// One level on n ≥ 2 values. The details come first: they keep their span, so whatever the details of CDF 9/7 do not
/// see (constants, and cubics away from the ends) stays in the averages.
Matrix<double> orthonormal_level(std::size_t n) {
  const std::size_t count = (n + 1) / 2;
  const Matrix<double> level = biorthogonal_level(n);
  Matrix<double> averages(count, n);
  Matrix<double> details(n - count, n);
  std::copy_n(level.data(), averages.size(), averages.data());
  std::copy_n(level.data() + averages.size(), details.size(), details.data());
  details = nearest_orthonormal(std::move(details));
  project_out(details, averages);
  averages = nearest_orthonormal(std::move(averages));
  Matrix<double> out(n, n);
  std::ranges::copy(averages.values(), out.data());
  std::ranges::copy(details.values(), out.data() + averages.size());
  return out;
}

}  // namespace

Matrix<double> wavelet_matrix(std::size_t n) {
  Matrix<double> all(n, n);
  for (std::size_t i = 0; i < n; ++i) all(i, i) = 1;
  for (std::size_t m = n; m > kCoarsest; m = (m + 1) / 2) {
    const Matrix<double> level = orthonormal_level(m);
    Matrix<double> split(m, n);
    gemm(false, false, 1.0, level, all.view().row_range(0, m), 0.0, split);
    std::ranges::copy(split.values(), all.values().begin());
  }
  return all;
}

BasisPtr make_wavelet2_basis(const std::string& name, std::size_t dim) {
  return make_separable_basis("wavelet2", wavelet_matrix, name, dim);
}

}  // namespace signfold
