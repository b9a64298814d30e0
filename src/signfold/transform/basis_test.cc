#include "signfold/transform/basis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "signfold/transform/random_for_test.h"
#include "signfold/transform/transform.h"

namespace signfold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Matrix<float> random_orthonormal(std::size_t dim) {
  Matrix<float> gaussian = gaussian_rows(dim, dim, 40);
  Matrix<double> q(dim, dim);
  std::ranges::copy(gaussian.values(), q.values().begin());
  orthonormalize_rows(q);
  std::ranges::transform(q.values(), gaussian.values().begin(), [](double v) { return static_cast<float>(v); });
  return gaussian;
}

BasisPtr pca_of(std::size_t dim) {
  CovarianceAccumulator accumulator(dim);
  accumulator.add(correlated_rows(2000, dim, 41));
  return make_pca_basis(accumulator.covariance(true));
}

struct Case {
  std::string label;
  BasisPtr basis;
  std::size_t dim;
};

std::vector<Case> all_bases() {
  return {{"identity", make_basis("identity", 30), 30},
          {"dct2:28x28", make_basis("dct2:28x28", 784), 784},
          {"dct2:4x6", make_basis("dct2:4x6", 72), 72},  // three planes, not square
          {"dct2:1x5", make_basis("dct2:1x5", 5), 5},
          {"dct2:3x5x2", make_basis("dct2:3x5x2", 60), 60},  // two groups of two planes
          {"wavelet2:28x28", make_basis("wavelet2:28x28", 784), 784},
          {"wavelet2:7x11x3", make_basis("wavelet2:7x11x3", 231), 231},
          {"mine", make_matrix_basis("mine", random_orthonormal(33)), 33},
          {"pca", pca_of(25), 25}};
}

TEST(Basis, ForwardKeepsInnerProductsAndInverseUndoesIt) {
  for (const Case& c : all_bases()) {
    SCOPED_TRACE(c.label);
    EXPECT_EQ(c.basis->name(), c.label);
    EXPECT_EQ(c.basis->is_identity(), c.label == "identity");
    const Matrix<float> x = gaussian_rows(100, c.dim, 42);
    Matrix<float> theta(100, c.dim), back(100, c.dim);
    c.basis->forward(x, theta);
    c.basis->inverse(theta, back);
    // Float sums of at most 784 terms, values of size 4: 2 · 784^½ · 4 · 2^-24 with room to spare.
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(back.data()[i], x.data()[i], 5e-5);
    for (std::size_t i = 1; i < 100; ++i) {
      double before = 0, after = 0;
      for (std::size_t j = 0; j < c.dim; ++j) {
        before += double{x(i, j)} * x(i - 1, j);
        after += double{theta(i, j)} * theta(i - 1, j);
      }
      ASSERT_NEAR(after, before, 1e-6 * static_cast<double>(c.dim) + 1e-5);  // float rounding of norm² ≈ dim
    }
  }
}

TEST(Basis, BytesOfARowDoNotDependOnItsBatch) {
  for (const Case& c : all_bases()) {
    SCOPED_TRACE(c.label);
    const Matrix<float> x = gaussian_rows(137, c.dim, 43);
    Matrix<float> forwards(137, c.dim), inverses(137, c.dim), alone(1, c.dim);
    c.basis->forward(x, forwards);
    c.basis->inverse(x, inverses);
    for (const std::size_t i : {0, 5, 6, 16, 36, 63, 64, 136}) {
      c.basis->forward(x.view().row_range(i, 1), alone);
      EXPECT_TRUE(same_bytes<float>(alone.values(), forwards.row(i))) << "row " << i;
      c.basis->inverse(x.view().row_range(i, 1), alone);
      EXPECT_TRUE(same_bytes<float>(alone.values(), inverses.row(i))) << "row " << i;
    }
  }
}

TEST(Basis, Dct2IsTheSumWrittenOutOnEveryPlane) {
  const std::size_t height = 4, width = 6, planes = 3, dim = height * width * planes;
  const BasisPtr basis = make_basis("dct2:4x6", dim);
  const Matrix<float> x = gaussian_rows(2, dim, 44);
  // A padded view: strides must be respected.
  Matrix<float> wide(2, dim + 5);
  const MatrixView<float> theta(wide.data(), 2, dim, dim + 5);
  basis->forward(x, theta);
  const auto cosine = [](std::size_t n, std::size_t k, std::size_t i) {
    const auto size = static_cast<double>(n);
    return std::sqrt((k == 0 ? 1 : 2) / size) *
           std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) * static_cast<double>(k) / size);
  };
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t plane = 0; plane < dim; plane += height * width) {
      for (std::size_t p = 0; p < height; ++p) {
        for (std::size_t q = 0; q < width; ++q) {
          double expected = 0;
          for (std::size_t i = 0; i < height; ++i) {
            for (std::size_t j = 0; j < width; ++j) {
              expected += cosine(height, p, i) * x(row, plane + i * width + j) * cosine(width, q, j);
            }
          }
          EXPECT_NEAR(theta(row, plane + p * width + q), expected, 1e-5);  // float sums of 24 terms of size 3
        }
      }
    }
  }
}

TEST(Basis, PcaDecorrelatesInDecreasingOrder) {
  const std::size_t dim = 25;
  const Matrix<float> x = correlated_rows(2000, dim, 41);
  const BasisPtr basis = pca_of(dim);
  Matrix<float> theta(2000, dim);
  basis->forward(x, theta);
  CovarianceAccumulator accumulator(dim);
  accumulator.add(theta);
  const Matrix<double> covariance = accumulator.covariance(true);
  for (std::size_t i = 0; i < dim; ++i) {
    if (i > 0) {
      EXPECT_GE(covariance(i - 1, i - 1), covariance(i, i));
    }
    for (std::size_t j = 0; j < i; ++j) EXPECT_NEAR(covariance(i, j), 0, 1e-4);  // float data of variance 9, size 30
  }
  EXPECT_EQ(basis->matrix().rows, dim);
}

TEST(Basis, NamesThatAreWrongSayWhatIsRight) {
  EXPECT_THAT([] { make_basis("wavelet", 4); },
              ThrowsMessage<Error>(HasSubstr("identity, pca, dct2:HxW and wavelet2:HxW")));
  EXPECT_THAT([] { make_basis("pca", 4); }, ThrowsMessage<Error>(HasSubstr("data")));
  EXPECT_THAT([] { make_basis("dct2:5x5", 784); }, ThrowsMessage<Error>(HasSubstr("784")));
  for (const char* name :
       {"dct2:", "dct2:28", "dct2:28x", "dct2:x28", "dct2:0x28", "dct2:-1x28", "dct2:28x28x0", "dct2:28x28x1x1",
        "dct2:28 x28", "dct2:28x28x", "dct2:4097x1", "dct2:99999999999999999999x1"}) {
    EXPECT_THAT([&] { make_basis(name, 784); }, ThrowsMessage<Error>(HasSubstr("dct2:HxW"))) << name;
  }
}

TEST(Basis, MatricesMustBeOrthonormal) {
  Matrix<float> q = random_orthonormal(8);
  q(0, 0) += 0.01F;
  EXPECT_THAT([&] { make_matrix_basis("mine", q.clone()); }, ThrowsMessage<Error>(HasSubstr("orthonormal")));
  q(0, 0) = NAN;
  EXPECT_THROW(make_matrix_basis("mine", q.clone()), Error);
  EXPECT_THROW(make_matrix_basis("mine", Matrix<float>(2, 3)), Error);
}

TEST(Basis, ShapesMustFit) {
  for (const Case& c : all_bases()) {
    Matrix<float> out(2, c.dim), short_rows(2, c.dim - 1);
    EXPECT_THROW(c.basis->forward(Matrix<float>(3, c.dim), out), Error) << c.label;
    EXPECT_THROW(c.basis->inverse(out, short_rows), Error) << c.label;
  }
}

}  // namespace
}  // namespace signfold
