#include "signfold/encoder/dense.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "signfold/encoder/hadamard.h"
#include "signfold/encoder/mixed.h"
#include "signfold/encoder/testing.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using testing::random_matrix;
using testing::same_bytes;
using ::testing::ThrowsMessage;

TEST(Dense, ScalesRowsToUnitNormAndKeepsTheirDirection) {
  const Matrix<float> b = random_matrix(7, 11, 1);
  const EncoderPtr encoder = make_dense(b);
  const MatrixView<const float> unit = dense_matrix(*encoder);
  for (std::size_t i = 0; i < 7; ++i) {
    double norm = 0;
    for (const float v : b.row(i)) norm += double{v} * v;
    norm = std::sqrt(norm);
    // One division and one rounding to float32.
    for (std::size_t j = 0; j < 11; ++j) EXPECT_NEAR(unit(i, j), b(i, j) / norm, 0x1p-24);
  }
}

TEST(Dense, RefusesRowsWithoutADirection) {
  Matrix<float> b = random_matrix(3, 4, 1);
  b(1, 2) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT([&] { make_dense(b); }, ThrowsMessage<Error>(HasSubstr("row 1 holds a number that is not finite")));
  b(1, 2) = std::numeric_limits<float>::infinity();
  EXPECT_THAT([&] { make_dense(b); }, ThrowsMessage<Error>(HasSubstr("row 1 holds a number that is not finite")));
  std::ranges::fill(b.row(1), 0.0F);
  EXPECT_THAT([&] { make_dense(b); }, ThrowsMessage<Error>(HasSubstr("row 1 is zero")));
  EXPECT_THAT([] { make_dense(MatrixView<const float>()); }, ThrowsMessage<Error>(HasSubstr("at least 1")));
}

TEST(Dense, ARowDoesNotFeelItsNeighbours) {
  const std::size_t d = 57;
  const std::size_t n = 91;
  const EncoderPtr encoder = make_dense(random_matrix(n, d, 2));
  const Matrix<float> x = random_matrix(1, d, 3);
  const Matrix<float> s = random_matrix(1, n, 4);
  Matrix<float> u(1, n);
  Matrix<float> v(1, d);
  encoder->apply(x, u);
  encoder->adjoint(s, v);
  for (std::size_t place = 0; place < 37; ++place) {
    Matrix<float> xs = random_matrix(37, d, 5);
    Matrix<float> ss = random_matrix(37, n, 6);
    std::ranges::copy(x.row(0), xs.row(place).begin());
    std::ranges::copy(s.row(0), ss.row(place).begin());
    Matrix<float> us(37, n);
    Matrix<float> vs(37, d);
    encoder->apply(xs, us);
    encoder->adjoint(ss, vs);
    EXPECT_TRUE(same_bytes(us.row(place), u.row(0))) << "apply, row " << place;
    EXPECT_TRUE(same_bytes(vs.row(place), v.row(0))) << "adjoint, row " << place;
  }
}

TEST(Dense, TellsAlignedMatricesFromDelocalisedOnes) {
  EXPECT_TRUE(make_dense(random_matrix(64, 64, 1))->delocalised());
  EXPECT_TRUE(make_dense(explicit_matrix(*make_hadamard({64, 32}, 1)))->delocalised());
  EXPECT_FALSE(make_dense(explicit_matrix(*make_identity({64, 32}, 1)))->delocalised());
  EXPECT_FALSE(make_dense(explicit_matrix(*make_mixed({64, 64}, 0.8, 1)))->delocalised());
}

TEST(Dense, OnlyDenseEncodersHaveAMatrix) {
  EXPECT_EQ(dense_matrix(*make_hadamard({4, 4}, 1)).data, nullptr);
  const EncoderPtr haar = make_haar({4, 3}, 1);
  const Matrix<float> b = explicit_matrix(*haar);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) EXPECT_EQ(dense_matrix(*haar)(i, j), b(i, j));
  }
}

TEST(Haar, HasTheMomentsOfAUniformRotation) {
  constexpr std::uint64_t kSeeds = 4000;
  constexpr std::size_t kDim = 4;
  // An entry b of a uniform rotation of R^d: E b = 0, E b² = 1/d, E b⁴ = 3/(d(d + 2)), E b⁸ = 105/(d(d+2)(d+4)(d+6)).
  const double second = 1.0 / 4;
  const double fourth = 3.0 / (4 * 6);
  const double eighth = 105.0 / (4 * 6 * 8 * 10);
  const auto seeds = static_cast<double>(kSeeds);
  Matrix<double> sums(3, kDim * kDim);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const EncoderPtr encoder = make_haar({kDim, kDim}, seed);
    const MatrixView<const float> b = dense_matrix(*encoder);
    for (std::size_t k = 0; k < kDim * kDim; ++k) {
      const double v = b(k / kDim, k % kDim);
      sums(0, k) += v / seeds;
      sums(1, k) += v * v / seeds;
      sums(2, k) += v * v * v * v / seeds;
    }
  }
  for (std::size_t k = 0; k < kDim * kDim; ++k) {
    SCOPED_TRACE(fmt::format("entry {} of {} encoders, seeds 0..{}", k, kSeeds, kSeeds - 1));
    EXPECT_NEAR(sums(0, k), 0, 5 * std::sqrt(second / seeds));
    EXPECT_NEAR(sums(1, k), second, 5 * std::sqrt((fourth - second * second) / seeds));
    EXPECT_NEAR(sums(2, k), fourth, 5 * std::sqrt((eighth - fourth * fourth) / seeds));
  }
}

}  // namespace
}  // namespace signfold
