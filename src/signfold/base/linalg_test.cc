#include "signfold/base/linalg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "signfold/base/random.h"

extern "C" int openblas_get_num_threads();  // cblas.h is for linalg.cc only

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 11;

template <class T>
Matrix<T> gaussian(std::size_t rows, std::size_t cols, std::uint64_t index) {
  RandomStream stream(kSeed, Purpose::test, index);
  Matrix<T> m(rows, cols);
  for (T& v : m.values()) v = static_cast<T>(stream.normal());
  return m;
}

/// Every entry of alpha·op(a)·op(b) + beta·c against the sum written out. Double sums of k ≤ 40 normal products are
/// exact to 1e-14; float ones to k·2^-24·(a few) < 1e-4.
template <class T>
void check_gemm(bool ta, bool tb, double tolerance) {
  const std::size_t m = 7, n = 13, k = 40;
  const Matrix<T> a = ta ? gaussian<T>(k, m, 1) : gaussian<T>(m, k, 1);
  const Matrix<T> b = tb ? gaussian<T>(n, k, 2) : gaussian<T>(k, n, 2);
  Matrix<T> wide = gaussian<T>(m, n + 3, 3);
  const Matrix<T> before = wide.clone();
  gemm(ta, tb, T{2}, a, b, T{0.5}, MatrixView<T>(wide.data(), m, n, n + 3));
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n + 3; ++j) {
      double expected = before(i, j);
      if (j < n) {
        expected *= 0.5;
        for (std::size_t l = 0; l < k; ++l) {
          expected += 2.0 * (ta ? a(l, i) : a(i, l)) * (tb ? b(j, l) : b(l, j));
        }
      }
      ASSERT_NEAR(wide(i, j), expected, tolerance) << ta << tb << " " << i << " " << j;
    }
  }
}

TEST(Linalg, GemmEqualsTheSumWrittenOut) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      check_gemm<float>(ta, tb, 1e-4);
      check_gemm<double>(ta, tb, 1e-12);
    }
  }
  const Matrix<float> a(2, 3);
  Matrix<float> c(2, 2);
  EXPECT_THROW(gemm(false, false, 1.0F, a, a, 0.0F, c), Error);
}

TEST(Linalg, OrthonormalizeKeepsTheSpanAndTheOrder) {
  Matrix<double> a = gaussian<double>(5, 9, 4);
  const Matrix<double> before = a.clone();
  orthonormalize_rows(a);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double dot = 0, old = 0;
      for (std::size_t l = 0; l < 9; ++l) dot += a(i, l) * a(j, l), old += before(i, l) * a(i, l);
      EXPECT_NEAR(dot, i == j ? 1 : 0, 1e-13);  // QR is backward stable: a few units of 2^-52
      EXPECT_GT(old, 0) << "R must have a positive diagonal";
    }
    // Gram-Schmidt: the old row i has no part outside the first i + 1 new ones.
    for (std::size_t l = 0; l < 9; ++l) {
      double rest = before(i, l);
      for (std::size_t j = 0; j <= i; ++j) {
        double dot = 0;
        for (std::size_t s = 0; s < 9; ++s) dot += before(i, s) * a(j, s);
        rest -= dot * a(j, l);
      }
      EXPECT_NEAR(rest, 0, 1e-13);
    }
  }
  Matrix<double> tall(3, 2);
  EXPECT_THROW(orthonormalize_rows(tall), Error);
  Matrix<double> dependent(2, 3);
  EXPECT_THROW(orthonormalize_rows(dependent), Error);
}

TEST(Linalg, SymmetricEigenRebuildsTheMatrix) {
  const std::size_t n = 12;
  const Matrix<double> g = gaussian<double>(n, n, 5);
  Matrix<double> a(n, n);
  gemm(false, true, 1.0, g, g, 0.0, a);
  const SymmetricEigen eigen = symmetric_eigen(a);
  for (std::size_t k = 1; k < n; ++k) EXPECT_GE(eigen.values[k - 1], eigen.values[k]);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += eigen.values[k] * eigen.vectors(k, i) * eigen.vectors(k, j);
      EXPECT_NEAR(sum, a(i, j), 1e-12 * eigen.values[0]);  // backward stable
    }
    double largest = 0;
    for (const double v : eigen.vectors.row(i)) largest = std::abs(v) > std::abs(largest) ? v : largest;
    EXPECT_GT(largest, 0);
  }
  const std::vector<double> values = symmetric_eigenvalues(a);
  for (std::size_t k = 0; k < n; ++k) EXPECT_NEAR(values[k], eigen.values[k], 1e-12 * eigen.values[0]);
  EXPECT_THROW(symmetric_eigen(Matrix<double>(2, 3)), Error);
}

TEST(Linalg, SolveSpdSolves) {
  const std::size_t n = 10;
  const Matrix<double> g = gaussian<double>(n, n, 6);
  Matrix<double> a(n, n);
  gemm(false, true, 1.0, g, g, 0.0, a);
  for (std::size_t i = 0; i < n; ++i) a(i, i) += 1;  // condition number below ~50
  const Matrix<double> b = gaussian<double>(n, 3, 7);
  Matrix<double> x = b.clone();
  solve_spd(a, x);
  Matrix<double> product(n, 3);
  gemm(false, false, 1.0, a, x, 0.0, product);
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_NEAR(product.data()[i], b.data()[i], 1e-12);
  Matrix<double> indefinite(2, 2);
  indefinite(0, 0) = 1, indefinite(1, 1) = -1;
  Matrix<double> rhs(2, 1);
  EXPECT_THROW(solve_spd(indefinite, rhs), Error);
}

TEST(BlasThreads, TheLastOneDecidesAndTheFirstSettingComesBack) {
  const int before = openblas_get_num_threads();
  auto two = std::make_unique<BlasThreads>(2);
  auto one = std::make_unique<BlasThreads>(1);
  EXPECT_EQ(openblas_get_num_threads(), 1);
  two.reset();  // not in the order in which they came, as on several threads
  EXPECT_EQ(openblas_get_num_threads(), 1);
  one.reset();
  EXPECT_EQ(openblas_get_num_threads(), before);
}

TEST(BlasThreads, ASingleThreadGoesBeforeAll) {
  const BlasThreads outer(2);
  {
    const SingleThreadedBlas single;
    const BlasThreads inner(2);
    EXPECT_EQ(openblas_get_num_threads(), 1);
  }
  EXPECT_EQ(openblas_get_num_threads(), 2);
}

}  // namespace
}  // namespace signfold
