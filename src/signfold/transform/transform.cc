#include "signfold/transform/transform.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/linalg.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"

namespace signfold {
namespace {

constexpr std::size_t kRows = 256;  // rows in flight: bounds the scratch memory, changes no result

void check(const Transform& t, std::size_t dim) {
  if (!t.mean.empty() && t.mean.size() != dim) {
    fail("transform: vectors have {} coordinates, its mean has {}", dim, t.mean.size());
  }
  if (t.eigenvectors.empty()) return;
  if (t.eigenvectors.rows() != dim || t.eigenvectors.cols() != dim || t.eigenvalues.size() != dim) {
    fail("transform: vectors have {} coordinates, its whitening is for {}", dim, t.eigenvectors.cols());
  }
  for (const float value : t.eigenvalues) {
    if (!(value + t.epsilon > 0) || !std::isfinite(value)) fail("transform: it has an eigenvalue of {}", value);
  }
}

/// x.row(i) ↦ V diag((λ + ε)^power) Vᵀ x.row(i), V with the eigenvectors as columns.
void scale_along_eigenvectors(const Transform& t, double power, MatrixView<float> x) {
  std::vector<float> factors(x.cols);
  for (std::size_t k = 0; k < x.cols; ++k) {
    factors[k] = static_cast<float>(std::pow(t.eigenvalues[k] + t.epsilon, power));
  }
  Matrix<float> scratch(std::min(kRows, x.rows), x.cols);
  for (std::size_t begin = 0; begin < x.rows; begin += kRows) {
    const MatrixView<float> rows = x.row_range(begin, std::min(kRows, x.rows - begin));
    const MatrixView<float> coefficients = scratch.view().row_range(0, rows.rows);
    simd::matrix_product(false, true, rows, t.eigenvectors, 0, coefficients);
    for (std::size_t i = 0; i < rows.rows; ++i) {
      for (std::size_t k = 0; k < x.cols; ++k) coefficients(i, k) *= factors[k];
    }
    simd::matrix_product(false, false, coefficients, t.eigenvectors, 0, rows);
  }
}

void add_to_rows(float factor, std::span<const float> mean, MatrixView<float> x) {
  if (mean.empty()) return;
  for (std::size_t i = 0; i < x.rows; ++i) simd::add_scaled(factor, mean, x.row(i));
}

}  // namespace

void forward(const Transform& transform, MatrixView<float> x) {
  check(transform, x.cols);
  add_to_rows(-1, transform.mean, x);
  if (!transform.eigenvectors.empty()) scale_along_eigenvectors(transform, -0.5, x);
}

void inverse(const Transform& transform, MatrixView<float> x) {
  check(transform, x.cols);
  if (!transform.eigenvectors.empty()) scale_along_eigenvectors(transform, 0.5, x);
  add_to_rows(1, transform.mean, x);
}

void set_whitening(Transform& transform, MatrixView<const double> covariance, double relative_epsilon) {
  if (!(relative_epsilon >= 0) || !std::isfinite(relative_epsilon)) {
    fail("whitening: epsilon is {}; it must be 0 or more", relative_epsilon);
  }
  const SymmetricEigen eigen = symmetric_eigen(covariance);
  const std::size_t dim = eigen.values.size();
  double trace = 0;
  for (const double value : eigen.values) trace += value;
  const double epsilon = relative_epsilon * trace / static_cast<double>(dim);
  // Below the first bound an eigenvalue is rounding noise of the double covariance, and so is its direction.
  const double noise = 1e-13 * static_cast<double>(dim) * eigen.values.front();
  if (!(eigen.values.back() + epsilon > noise)) {
    fail("whitening: the covariance is singular (eigenvalues from {:.3g} to {:.3g}); give a positive epsilon",
         eigen.values.front(), eigen.values.back());
  }
  Matrix<float> vectors(dim, dim);
  std::ranges::transform(eigen.vectors.values(), vectors.values().begin(),
                         [](double v) { return static_cast<float>(v); });
  transform.eigenvectors = std::move(vectors);
  transform.eigenvalues.resize(dim);
  std::ranges::transform(eigen.values, transform.eigenvalues.begin(),
                         [](double v) { return static_cast<float>(std::max(v, 0.0)); });
  transform.epsilon = epsilon;
}

}  // namespace signfold
