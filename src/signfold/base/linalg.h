// Dense linear algebra on row-major matrices, through OpenBLAS and LAPACKE. The only header that stands for them.
#pragma once

#include <vector>

#include "signfold/base/matrix.h"

namespace signfold {

/// Sets the number of BLAS threads for its lifetime (0 = default_threads()) and restores it afterwards. The setting is
/// process-wide, which is how OpenBLAS keeps it: where several live at once, nested or on several threads, the last one
/// made decides, and when all are gone the setting is what the first one found.
class BlasThreads {
 public:
  explicit BlasThreads(int threads);
  ~BlasThreads();
  BlasThreads(const BlasThreads&) = delete;
  BlasThreads& operator=(const BlasThreads&) = delete;
};

/// Keeps BLAS on the calling thread for its lifetime, whatever BlasThreads say meanwhile: results that depend on the
/// number of threads stay the same. Any number may live at once, nested or on several threads.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas();
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;
};

/// C = alpha·op(A)·op(B) + beta·C with op = transpose where asked. Throws Error when the shapes do not match.
void gemm(bool transpose_a, bool transpose_b, float alpha, MatrixView<const float> a, MatrixView<const float> b,
          float beta, MatrixView<float> c);
void gemm(bool transpose_a, bool transpose_b, double alpha, MatrixView<const double> a, MatrixView<const double> b,
          double beta, MatrixView<double> c);

/// Replaces the rows of `a` (rows ≤ cols) by an orthonormal basis of their span: the Q of the QR decomposition of aᵀ
/// with positive diagonal of R, so Gaussian rows become Haar-distributed. Throws Error when the rows are dependent.
void orthonormalize_rows(MatrixView<double> a);

/// The eigen-decomposition of a symmetric n × n matrix, eigenvalues in decreasing order. Row k of `vectors` is the
/// k-th unit eigenvector, with the sign that makes its largest entry positive.
struct SymmetricEigen {
  std::vector<double> values;
  Matrix<double> vectors;
};
SymmetricEigen symmetric_eigen(MatrixView<const double> a);
/// Eigenvalues only, in decreasing order.
std::vector<double> symmetric_eigenvalues(MatrixView<const double> a);

/// Solves a·X = b for symmetric positive definite a (n × n) and b (n × k), in place in b. Throws Error when a is not
/// positive definite.
void solve_spd(MatrixView<const double> a, MatrixView<double> b);

}  // namespace signfold
