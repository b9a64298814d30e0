#include "signfold/encoder/hadamard.h"

#include <gtest/gtest.h>

#include "signfold/encoder/dense.h"
#include "signfold/encoder/testing.h"

namespace signfold {
namespace {

using testing::distance;
using testing::kRounding;
using testing::to_double;

TEST(Hadamard, WithFewerBitsKeepsRandomRowsOfTheSquareOne) {
  const std::size_t d = 100;
  const std::size_t n = 37;
  const Matrix<float> all = explicit_matrix(*make_hadamard({d, d}, 3));
  RandomStream stream(3, Purpose::hadamard_keep);
  const std::vector<std::uint32_t> keep = random_subset(stream, d, n);
  Matrix<double> expected(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) expected(i, j) = all(keep[i], j);
  }
  EXPECT_EQ(distance(to_double(explicit_matrix(*make_hadamard({d, n}, 3))), expected), 0);
}

TEST(Hadamard, WithMoreBitsPlacesTheVectorOnRandomCoordinatesOfTheSquareOne) {
  const std::size_t d = 37;
  const std::size_t n = 100;
  const Matrix<float> all = explicit_matrix(*make_hadamard({n, n}, 3));
  RandomStream stream(3, Purpose::hadamard_place);
  const std::vector<std::uint32_t> place = random_subset(stream, n, d);
  Matrix<double> expected(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) expected(i, j) = std::sqrt(100.0 / 37.0) * all(i, place[j]);
  }
  EXPECT_LT(distance(to_double(explicit_matrix(*make_hadamard({d, n}, 3))), expected), kRounding);
}

/// Σ u⁴/n over random encoders, u = Bx for a vector with `nonzeros` equal entries and ‖x‖² = d.
double fourth_moment(EncoderShape shape, std::size_t nonzeros, std::uint64_t seeds) {
  double sum = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    RandomStream stream(seed, Purpose::test);
    Matrix<float> x(1, shape.dim);
    for (const std::uint32_t j : random_subset(stream, shape.dim, nonzeros)) {
      x(0, j) = std::sqrt(static_cast<float>(shape.dim) / static_cast<float>(nonzeros));
    }
    Matrix<float> u(1, shape.bits);
    make_hadamard(shape, seed)->apply(x, u);
    for (const float v : u.values()) sum += std::pow(static_cast<double>(v), 4);
  }
  return sum / static_cast<double>(seeds * shape.bits);
}

TEST(Hadamard, MakesSparseVectorsGaussian) {
  constexpr std::uint64_t kSeeds = 200;
  struct Case {
    EncoderShape shape;
    std::size_t nonzeros = 1;  // unit vectors for powers of two; otherwise as sparse as p = 0.02
  };
  for (const auto& [shape, nonzeros] : {Case{{1024, 1024}, 1},
                                        {{1024, 512}, 1},
                                        {{512, 1024}, 1},
                                        {{784, 784}, 784 / 50},
                                        {{1000, 500}, 1000 / 50},
                                        {{1536, 3072}, 1536 / 50}}) {
    // Var g⁴ = 96 for a Gaussian. The fixed sum of squares makes the numbers of one vector negatively dependent, and
    // three rounds of signs on a unit vector give 3 − O(6/n) rather than 3.
    const double sigma = std::sqrt(96.0 / static_cast<double>(kSeeds * shape.bits));
    EXPECT_NEAR(fourth_moment(shape, nonzeros, kSeeds), 3, 5 * sigma + 6.0 / static_cast<double>(shape.bits))
        << "d = " << shape.dim << ", n = " << shape.bits << ", seeds 0.." << kSeeds - 1;
  }
}

}  // namespace
}  // namespace signfold
