// What happens to a vector before the rotation: centring and whitening, and the exact inverse.
#pragma once

#include <string>
#include <vector>

#include "signfold/base/matrix.h"

namespace signfold {

/// x ↦ W(x − mean), W = V diag(1/√(λ + ε)) Vᵀ (ZCA) or I. Plain data; part of the encode side of a model.
struct Transform {
  std::vector<float> mean;         ///< empty = not centred
  Matrix<float> eigenvectors;      ///< d × d, rows = eigenvectors; empty = not whitened
  std::vector<float> eigenvalues;  ///< of the covariance, decreasing
  double epsilon = 0;              ///< added to every eigenvalue

  bool identity() const { return mean.empty() && eigenvectors.empty(); }
};

/// In place, for every row.
void forward(const Transform& transform, MatrixView<float> x);
/// The exact inverse, in place.
void inverse(const Transform& transform, MatrixView<float> x);

/// Mean and covariance of many vectors, gathered block by block in double precision.
class CovarianceAccumulator {
 public:
  explicit CovarianceAccumulator(std::size_t dim);
  void add(MatrixView<const float> block);
  std::uint64_t count() const { return count_; }
  std::vector<double> mean() const;
  /// (1/count) Σ (x − mean)(x − mean)ᵀ; with centred = false (1/count) Σ x xᵀ.
  Matrix<double> covariance(bool centred) const;

 private:
  std::uint64_t count_ = 0;
  std::vector<double> sum_;
  std::vector<double> shift_;  ///< the first block's mean: differences from it keep the digits
  Matrix<double> products_;
};

/// The ZCA part of a transform from a covariance; epsilon is relative to the mean eigenvalue. Throws Error when the
/// covariance is singular and epsilon is 0.
void set_whitening(Transform& transform, MatrixView<const double> covariance, double relative_epsilon);

}  // namespace signfold
