#include "signfold/transform/wavelet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "signfold/base/linalg.h"
#include "signfold/transform/dct.h"
#include "signfold/transform/random_for_test.h"

namespace signfold {
namespace {

double distance_from_identity(const Matrix<double>& q) {
  Matrix<double> gram(q.rows(), q.rows());
  gemm(false, true, 1.0, q, q, 0.0, gram);
  double worst = 0;
  for (std::size_t i = 0; i < q.rows(); ++i) {
    for (std::size_t j = 0; j < q.rows(); ++j) worst = std::max(worst, std::abs(gram(i, j) - (i == j ? 1 : 0)));
  }
  return worst;
}

TEST(Wavelet, IsOrthonormalForEveryLength) {
  for (std::size_t n = 1; n <= 70; ++n) EXPECT_LT(distance_from_identity(wavelet_matrix(n)), 1e-13) << n;
  EXPECT_LT(distance_from_identity(wavelet_matrix(301)), 1e-13);  // sums of 301 doubles
}

TEST(Wavelet, ShortLinesAreLeftAlone) {
  for (std::size_t n = 1; n <= 4; ++n) {
    const Matrix<double> w = wavelet_matrix(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) EXPECT_EQ(w(i, j), i == j ? 1 : 0);
    }
  }
}

/// The share of the energy of the samples of f in the first `kept` coefficients.
template <class F>
double energy_in_front(const Matrix<double>& w, std::size_t kept, const F& f) {
  double front = 0;
  double all = 0;
  for (std::size_t k = 0; k < w.rows(); ++k) {
    double coefficient = 0;
    for (std::size_t i = 0; i < w.cols(); ++i) coefficient += w(k, i) * f(static_cast<double>(i));
    all += coefficient * coefficient;
    if (k < kept) front += coefficient * coefficient;
  }
  return front / all;
}

TEST(Wavelet, DetailsDoNotSeeAConstant) {
  for (const std::size_t n : {5, 8}) {  // one level
    const Matrix<double> w = wavelet_matrix(n);
    for (std::size_t k = (n + 1) / 2; k < n; ++k) {
      double sum = 0;
      for (const double v : w.row(k)) sum += v;
      EXPECT_NEAR(sum, 0, 1e-12) << n;  // the lifting constants have 15 digits
    }
  }
}

TEST(Wavelet, SmoothLinesAreCoarseRightUpToTheEnds) {
  for (const std::size_t n : {28, 31, 32}) {
    const Matrix<double> w = wavelet_matrix(n);
    // A constant and a ramp, which would jump if the line were taken for a circle. Averages of averages are only nearly
    // constant at the ends: 0.5 % and 3 % are in the details. A random rotation would have 1 − 4/n ≈ 87 % there.
    EXPECT_GT(energy_in_front(w, 4, [](double) { return 1.0; }), 0.99) << n;
    EXPECT_GT(energy_in_front(w, 4, [](double i) { return i; }), 0.95) << n;
  }
}

TEST(Wavelet, ASpikeTouchesFewCoefficients) {
  const Matrix<double> w = wavelet_matrix(32);
  const Matrix<double> c = dct_matrix(32);
  // Σ of fourth powers of a unit vector: 1 over the number of coefficients that matter.
  const auto concentration = [](const Matrix<double>& q, std::size_t place) {
    double sum = 0;
    for (std::size_t k = 0; k < q.rows(); ++k) sum += std::pow(q(k, place), 4);
    return sum;
  };
  for (std::size_t place = 0; place < 32; ++place) {
    EXPECT_GT(concentration(w, place), 0.12) << place;  // at most 8 coefficients
    EXPECT_LT(concentration(c, place), 0.06) << place;  // at least 16
  }
}

TEST(Wavelet2, IsTheProductAlongThreeAxes) {
  const std::size_t height = 6, width = 5, planes = 3, dim = height * width * planes;
  const BasisPtr basis = make_basis("wavelet2:6x5x3", dim);
  const Matrix<double> along_height = wavelet_matrix(height);
  const Matrix<double> along_width = wavelet_matrix(width);
  const Matrix<double> across = dct_matrix(planes);
  const Matrix<float> x = gaussian_rows(2, dim, 60);
  Matrix<float> theta(2, dim);
  basis->forward(x, theta);
  const auto place = [&](std::size_t c, std::size_t i, std::size_t j) { return (c * height + i) * width + j; };
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t out = 0; out < dim; ++out) {
      const std::size_t q = out % width, p = out / width % height, b = out / width / height;
      double expected = 0;
      for (std::size_t c = 0; c < planes; ++c) {
        for (std::size_t i = 0; i < height; ++i) {
          for (std::size_t j = 0; j < width; ++j) {
            expected += across(b, c) * along_height(p, i) * along_width(q, j) * x(row, place(c, i, j));
          }
        }
      }
      EXPECT_NEAR(theta(row, out), expected, 2e-5);  // float sums of 90 terms of size 3
    }
  }
}

TEST(Dct2, GreyIsTheFirstOfThreePlanes) {
  const Matrix<double> c = dct_matrix(3);
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(c(0, j), 1 / std::numbers::sqrt3, 1e-15);
}

}  // namespace
}  // namespace signfold
