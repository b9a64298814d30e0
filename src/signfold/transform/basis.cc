#include "signfold/transform/basis.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/linalg.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/transform/dct.h"
#include "signfold/transform/wavelet.h"

namespace signfold {
namespace {

class IdentityBasis final : public Basis {
 public:
  std::string name() const override { return "identity"; }
  bool is_identity() const override { return true; }
  void forward(MatrixView<const float> x, MatrixView<float> theta) const override { copy(x, theta); }
  void inverse(MatrixView<const float> theta, MatrixView<float> x) const override { copy(theta, x); }

 private:
  static void copy(MatrixView<const float> from, MatrixView<float> to) {
    if (from.rows != to.rows || from.cols != to.cols) {
      fail("identity basis: {}x{} does not fit {}x{}", from.rows, from.cols, to.rows, to.cols);
    }
    for (std::size_t i = 0; i < from.rows; ++i) std::ranges::copy(from.row(i), to.row(i).begin());
  }
};

class MatrixBasis final : public Basis {
 public:
  MatrixBasis(std::string name, Matrix<float> rows) : name_(std::move(name)), rows_(std::move(rows)) {}
  std::string name() const override { return name_; }
  void forward(MatrixView<const float> x, MatrixView<float> theta) const override {
    simd::matrix_product(false, true, x, rows_, 0, theta);
  }
  void inverse(MatrixView<const float> theta, MatrixView<float> x) const override {
    simd::matrix_product(false, false, theta, rows_, 0, x);
  }
  MatrixView<const float> matrix() const override { return rows_; }

 private:
  std::string name_;
  Matrix<float> rows_;
};

/// The largest entry of |Q Qᵀ − I|; NaN counts as infinitely far.
double distance_from_orthonormal(const Matrix<float>& q) {
  Matrix<float> gram(q.rows(), q.rows());
  gemm(false, true, 1.0F, q, q, 0.0F, gram);
  double worst = 0;
  for (std::size_t i = 0; i < q.rows(); ++i) {
    for (std::size_t j = 0; j < q.rows(); ++j) {
      const double off = std::abs(double{gram(i, j)} - (i == j ? 1 : 0));
      worst = std::isnan(off) ? HUGE_VAL : std::max(worst, off);
    }
  }
  return worst;
}

}  // namespace

BasisPtr make_basis(const std::string& name, std::size_t dim) {
  if (name == "identity") return std::make_shared<IdentityBasis>();
  if (name.starts_with("dct2:")) return make_dct2_basis(name, dim);
  if (name.starts_with("wavelet2:")) return make_wavelet2_basis(name, dim);
  if (name == "pca") fail("the basis 'pca' comes from data: it cannot be made from its name alone");
  fail("unknown basis '{}'; known are identity, pca, dct2:HxW and wavelet2:HxW (for example dct2:28x28)", name);
}

BasisPtr make_matrix_basis(std::string name, Matrix<float> rows) {
  if (rows.rows() != rows.cols()) {
    fail("basis '{}': its matrix is {}x{}, not square", name, rows.rows(), rows.cols());
  }
  const double distance = distance_from_orthonormal(rows);
  if (!(distance <= 1e-3)) fail("basis '{}' is not orthonormal: Q·Qᵀ is off by {:.3g}", name, distance);
  return std::make_shared<MatrixBasis>(std::move(name), std::move(rows));
}

BasisPtr make_pca_basis(MatrixView<const double> covariance) {
  const SymmetricEigen eigen = symmetric_eigen(covariance);
  Matrix<float> rows(covariance.rows, covariance.rows);
  std::ranges::transform(eigen.vectors.values(), rows.values().begin(), [](double v) { return static_cast<float>(v); });
  return std::make_shared<MatrixBasis>("pca", std::move(rows));
}

}  // namespace signfold
