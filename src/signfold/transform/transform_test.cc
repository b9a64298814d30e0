#include "signfold/transform/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "signfold/base/random.h"
#include "signfold/transform/random_for_test.h"

namespace signfold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Mean and ZCA whitening learned from data, as `fit` does.
Transform learned(const Matrix<float>& x, double relative_epsilon) {
  CovarianceAccumulator accumulator(x.cols());
  accumulator.add(x);
  Transform transform;
  for (const double m : accumulator.mean()) transform.mean.push_back(static_cast<float>(m));
  set_whitening(transform, accumulator.covariance(true), relative_epsilon);
  return transform;
}

TEST(Transform, NothingToDoLeavesTheBytes) {
  Matrix<float> x = correlated_rows(3, 5, 1);
  const Matrix<float> before = x.clone();
  const Transform nothing;
  EXPECT_TRUE(nothing.identity());
  forward(nothing, x);
  inverse(nothing, x);
  EXPECT_TRUE(same_bytes<float>(x.values(), before.values()));
}

TEST(Transform, WhitenedDataHaveTheUnitCovariance) {
  const std::size_t dim = 40;
  Matrix<float> x = correlated_rows(3000, dim, 2);
  const Transform transform = learned(x, 0);
  forward(transform, x);
  CovarianceAccumulator accumulator(dim);
  accumulator.add(x);
  const Matrix<double> covariance = accumulator.covariance(true);
  // The same data, so no statistical error: float32 rounding (2^-24) times the condition number of W (below 300).
  for (std::size_t i = 0; i < dim; ++i) {
    EXPECT_NEAR(accumulator.mean()[i], 0, 1e-4);
    for (std::size_t j = 0; j < dim; ++j) EXPECT_NEAR(covariance(i, j), i == j ? 1 : 0, 1e-4);
  }
}

TEST(Transform, IsZcaWrittenOutInDoubles) {
  const std::size_t dim = 20;
  const Matrix<float> x = correlated_rows(500, dim, 3);
  const Transform t = learned(x, 1e-2);
  Matrix<float> whitened = x.clone();
  forward(t, whitened);
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      double expected = 0;
      for (std::size_t k = 0; k < dim; ++k) {
        double coefficient = 0;
        for (std::size_t l = 0; l < dim; ++l) coefficient += double{t.eigenvectors(k, l)} * (x(i, l) - t.mean[l]);
        expected += coefficient / std::sqrt(t.eigenvalues[k] + t.epsilon) * t.eigenvectors(k, j);
      }
      EXPECT_NEAR(whitened(i, j), expected, 1e-4);  // 2 sums of 20 float terms of size up to 10
    }
  }
}

TEST(Transform, InverseGivesTheVectorsBack) {
  for (const double epsilon : {0.0, 1e-2}) {
    Matrix<float> x = correlated_rows(600, 33, 4);
    const Matrix<float> before = x.clone();
    const Transform transform = learned(x, epsilon);
    forward(transform, x);
    inverse(transform, x);
    // Values of size 10, condition number below 300, float32: 10·300·2^-24.
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x.data()[i], before.data()[i], 2e-4);
  }
}

TEST(Transform, BytesOfARowDoNotDependOnItsBatch) {
  const Matrix<float> x = correlated_rows(300, 21, 5);
  const Transform transform = learned(x, 1e-2);
  for (void (*apply)(const Transform&, MatrixView<float>) : {&forward, &inverse}) {
    Matrix<float> batch = x.clone();
    apply(transform, batch);
    for (const std::size_t i : {0, 5, 6, 15, 16, 36, 255, 256, 299}) {
      Matrix<float> alone(1, 21);
      std::ranges::copy(x.row(i), alone.row(0).begin());
      apply(transform, alone);
      EXPECT_TRUE(same_bytes<float>(alone.values(), batch.row(i))) << "row " << i;
    }
  }
}

TEST(Transform, SingularCovarianceNeedsEpsilon) {
  Matrix<double> covariance(3, 3);
  covariance(0, 0) = 2, covariance(1, 1) = 1;
  Transform transform;
  EXPECT_THAT([&] { set_whitening(transform, covariance, 0); }, ThrowsMessage<Error>(HasSubstr("epsilon")));
  EXPECT_THROW(set_whitening(transform, covariance, -1), Error);
  EXPECT_THROW(set_whitening(transform, covariance, NAN), Error);
  EXPECT_THROW(set_whitening(transform, Matrix<double>(3, 3), 1), Error);  // no energy at all
  EXPECT_TRUE(transform.identity());
  set_whitening(transform, covariance, 0.5);
  EXPECT_DOUBLE_EQ(transform.epsilon, 0.5);  // relative to the mean eigenvalue, 1
}

TEST(Transform, RefusesVectorsOfAnotherDimensionAndBrokenEigenvalues) {
  Matrix<float> x(2, 4);
  Transform transform;
  transform.mean.resize(3);
  EXPECT_THROW(forward(transform, x), Error);
  transform.mean.clear();
  transform.eigenvectors = Matrix<float>(4, 4);
  EXPECT_THROW(forward(transform, x), Error);  // no eigenvalues
  transform.eigenvalues = {1, 1, 1, 0};
  EXPECT_THROW(inverse(transform, x), Error);  // 1/√0
  transform.epsilon = 1;
  EXPECT_NO_THROW(forward(transform, x));
}

}  // namespace
}  // namespace signfold
