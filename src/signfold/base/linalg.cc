#include "signfold/base/linalg.h"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "signfold/base/parallel.h"

namespace signfold {
namespace {

/// Who wants how many BLAS threads, in the order they came: shared by all, because OpenBLAS has one setting for the
/// process. A wish for one thread that is `strict` goes before every other.
struct Wish {
  const void* owner;
  int threads;
  bool strict;
};
std::mutex wishes_mutex;
std::vector<Wish> wishes;
int threads_before_wishes = 1;

void grant() {
  int threads = wishes.empty() ? threads_before_wishes : wishes.back().threads;
  if (std::ranges::any_of(wishes, &Wish::strict)) threads = 1;
  openblas_set_num_threads(threads);
}

void add_wish(const void* owner, int threads, bool strict) {
  const std::lock_guard lock(wishes_mutex);
  if (wishes.empty()) threads_before_wishes = openblas_get_num_threads();
  wishes.push_back({owner, threads, strict});
  grant();
}

void remove_wish(const void* owner) {
  const std::lock_guard lock(wishes_mutex);
  std::erase_if(wishes, [owner](const Wish& wish) { return wish.owner == owner; });
  grant();
}

int blas_int(std::size_t n) {
  if (n > 2147483647) fail("linear algebra: a dimension of {} is too large for BLAS", n);
  return static_cast<int>(n);
}

template <class T>
struct GemmShape {
  std::size_t m, n, k;
  GemmShape(bool ta, bool tb, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c) {
    m = ta ? a.cols : a.rows;
    k = ta ? a.rows : a.cols;
    n = tb ? b.rows : b.cols;
    const std::size_t kb = tb ? b.cols : b.rows;
    if (k != kb || c.rows != m || c.cols != n) {
      fail("gemm: shapes {}x{} and {}x{} do not give {}x{}", m, k, kb, n, c.rows, c.cols);
    }
  }
};

int stride_of(std::size_t stride) { return blas_int(std::max<std::size_t>(1, stride)); }

std::vector<double> eigen_into(MatrixView<const double> a, Matrix<double>& work, char job) {
  // LAPACK computes 1 + 6n + 2n², the numbers it works in, with 32 bits, and writes where it has not asked for memory.
  constexpr std::size_t kLargest = 32766;
  if (a.rows != a.cols) fail("symmetric_eigen: the matrix is {}x{}, not square", a.rows, a.cols);
  if (a.rows > kLargest) fail("symmetric_eigen: {} rows are more than LAPACK can take, {}", a.rows, kLargest);
  work = Matrix<double>(a.rows, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) std::copy_n(a.row(i).data(), a.cols, work.row(i).data());
  std::vector<double> values(a.rows);
  const int n = blas_int(a.rows);
  const int info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, job, 'L', n, work.data(), std::max(1, n), values.data());
  if (info != 0) fail("symmetric_eigen: no convergence (LAPACK dsyevd says {})", info);
  return values;
}

}  // namespace

BlasThreads::BlasThreads(int threads) { add_wish(this, threads <= 0 ? default_threads() : threads, false); }
BlasThreads::~BlasThreads() { remove_wish(this); }

SingleThreadedBlas::SingleThreadedBlas() { add_wish(this, 1, true); }
SingleThreadedBlas::~SingleThreadedBlas() { remove_wish(this); }

void gemm(bool ta, bool tb, float alpha, MatrixView<const float> a, MatrixView<const float> b, float beta,
          MatrixView<float> c) {
  const GemmShape<float> s(ta, tb, a, b, c);
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, blas_int(s.m),
              blas_int(s.n), blas_int(s.k), alpha, a.data, stride_of(a.stride), b.data, stride_of(b.stride), beta,
              c.data, stride_of(c.stride));
}

void gemm(bool ta, bool tb, double alpha, MatrixView<const double> a, MatrixView<const double> b, double beta,
          MatrixView<double> c) {
  const GemmShape<double> s(ta, tb, a, b, c);
  cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, blas_int(s.m),
              blas_int(s.n), blas_int(s.k), alpha, a.data, stride_of(a.stride), b.data, stride_of(b.stride), beta,
              c.data, stride_of(c.stride));
}

void orthonormalize_rows(MatrixView<double> a) {
  if (a.rows > a.cols) fail("orthonormalize_rows: {} rows of {} numbers cannot be orthonormal", a.rows, a.cols);
  // Read by columns, the row-major n×d matrix is its own transpose: a QR of it orthonormalises our rows.
  const int d = blas_int(a.cols);
  const int n = blas_int(a.rows);
  std::vector<double> tau(a.rows);
  int info = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, d, n, a.data, stride_of(a.stride), tau.data());
  if (info != 0) fail("orthonormalize_rows: LAPACK dgeqrf says {}", info);
  std::vector<double> diagonal(a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) diagonal[i] = a(i, i);
  info = LAPACKE_dorgqr(LAPACK_COL_MAJOR, d, n, n, a.data, stride_of(a.stride), tau.data());
  if (info != 0) fail("orthonormalize_rows: LAPACK dorgqr says {}", info);
  for (std::size_t i = 0; i < a.rows; ++i) {
    if (!(std::abs(diagonal[i]) > 1e-12)) fail("orthonormalize_rows: row {} depends on the rows before it", i);
    if (diagonal[i] < 0) {
      for (double& v : a.row(i)) v = -v;
    }
  }
}

SymmetricEigen symmetric_eigen(MatrixView<const double> a) {
  Matrix<double> columns;
  const std::vector<double> ascending = eigen_into(a, columns, 'V');
  const std::size_t n = a.rows;
  SymmetricEigen out{std::vector<double>(ascending.rbegin(), ascending.rend()), Matrix<double>(n, n)};
  for (std::size_t k = 0; k < n; ++k) {
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double v = columns(i, n - 1 - k);
      out.vectors(k, i) = v;
      if (std::abs(v) > std::abs(largest)) largest = v;
    }
    if (largest < 0) {
      for (double& v : out.vectors.row(k)) v = -v;
    }
  }
  return out;
}

std::vector<double> symmetric_eigenvalues(MatrixView<const double> a) {
  Matrix<double> work;
  std::vector<double> values = eigen_into(a, work, 'N');
  std::reverse(values.begin(), values.end());
  return values;
}

void solve_spd(MatrixView<const double> a, MatrixView<double> b) {
  if (a.rows != a.cols || b.rows != a.rows) {
    fail("solve_spd: shapes {}x{} and {}x{} do not match", a.rows, a.cols, b.rows, b.cols);
  }
  Matrix<double> factor(a.rows, a.cols);
  for (std::size_t i = 0; i < a.rows; ++i) std::copy_n(a.row(i).data(), a.cols, factor.row(i).data());
  const int info = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', blas_int(a.rows), blas_int(b.cols), factor.data(),
                                 stride_of(a.cols), b.data, stride_of(b.stride));
  if (info != 0) fail("solve_spd: the matrix is not positive definite (LAPACK dposv says {})", info);
}

}  // namespace signfold
