// Orthonormal bases in which the decoder may look at a vector: identity, PCA, 2-D DCT and wavelets.
#pragma once

#include <memory>
#include <string>

#include "signfold/base/matrix.h"

namespace signfold {

/// An orthonormal change of coordinates θ = Q x. Immutable, thread-safe; rows are samples.
class Basis {
 public:
  virtual ~Basis() = default;
  /// Stable textual form: "identity", "pca", "dct2:28x28", "wavelet2:32x32x3".
  virtual std::string name() const = 0;
  virtual bool is_identity() const { return false; }
  /// θ = Q x for every row of x (k × d → k × d); x and theta must not overlap.
  virtual void forward(MatrixView<const float> x, MatrixView<float> theta) const = 0;
  /// x = Qᵀ θ.
  virtual void inverse(MatrixView<const float> theta, MatrixView<float> x) const = 0;
  /// The d × d matrix Q, rows = basis vectors, for bases that are stored as one; empty otherwise.
  virtual MatrixView<const float> matrix() const { return {}; }
};

using BasisPtr = std::shared_ptr<const Basis>;

/// "identity", "dct2:HxW" (a cosine transform) or "wavelet2:HxW" with dim = H·W·planes, each plane of H·W values
/// transformed alone, or with one more size P, which also mixes groups of P planes: see transform/separable.h. Throws
/// Error for unknown names or sizes that do not divide dim. "pca" needs data: make_pca_basis.
BasisPtr make_basis(const std::string& name, std::size_t dim);
/// A basis given by its matrix (rows = basis vectors), checked to be orthonormal to 1e-3.
BasisPtr make_matrix_basis(std::string name, Matrix<float> rows);
/// The principal axes of a covariance, decreasing variance.
BasisPtr make_pca_basis(MatrixView<const double> covariance);

}  // namespace signfold
