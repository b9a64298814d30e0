#include "signfold/codec/learn_shapes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "signfold/base/random.h"

namespace signfold {
namespace {

/// Rows offset_j + scale_j w_j, w_j of the law named for the coordinate, standardised.
Matrix<float> rows_of(const VectorPrior& prior, const std::vector<PriorPtr>& laws, std::size_t rows,
                      std::uint64_t seed) {
  const std::size_t dim = prior.scale.size();
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    RandomStream stream(seed, Purpose::test, i);
    for (std::size_t j = 0; j < dim; ++j) {
      x(i, j) = static_cast<float>(prior.offset[j] + prior.scale[j] * laws[j]->sample(stream));
    }
  }
  return x;
}

/// Scales as given, offsets of 0.1.
VectorPrior profile(std::vector<float> scale) {
  VectorPrior prior;
  prior.offset.assign(scale.size(), 0.1F);
  prior.scale = std::move(scale);
  return prior;
}

VectorPrior learned(MatrixView<const float> x, VectorPrior prior, int threads = 1) {
  learn_shapes(x, std::vector<double>(x.rows, 1.0), 1, threads, prior);
  check_vector_prior(prior, x.cols);
  return prior;
}

/// 24 coordinates: every third has scale 1 and the first law, the others scale ½ and the second. Either law has half
/// the sum of scales, so that the first cut falls between them.
struct TwoLaws {
  VectorPrior prior;
  std::vector<PriorPtr> laws;

  TwoLaws(const char* first, const char* second) {
    std::vector<float> scale;
    for (std::size_t j = 0; j < 24; ++j) {
      scale.push_back(j % 3 == 0 ? 1 : 0.5F);
      laws.push_back(parse_prior(j % 3 == 0 ? first : second));
    }
    prior = profile(std::move(scale));
  }
};

TEST(LearnShapes, FindsTheBandsOfTwoLaws) {
  constexpr std::size_t kRows = 2000;
  SCOPED_TRACE("seed 1");
  for (const auto& [first, second] :
       {std::pair("sparse-gaussian:0.1", "gaussian"), {"gaussian", "sparse-laplace:0.5"}}) {
    const TwoLaws truth(first, second);
    const VectorPrior prior = learned(rows_of(truth.prior, truth.laws, kRows, 1), truth.prior);
    std::set<std::uint16_t> of_first;
    std::set<std::uint16_t> of_second;
    for (std::size_t j = 0; j < 24; ++j) {
      (j % 3 == 0 ? of_first : of_second).insert(prior.shape_of[j]);
      const Moments moments = prior.shapes[prior.shape_of[j]]->moments();
      EXPECT_NEAR(moments.second, 1, 1e-3);  // standardised in float32 and binned
      // 5 standard errors of a mean of |w|, Var |w| ≤ 1, over the 8 coordinates or more of a law.
      EXPECT_NEAR(moments.mean_abs, truth.laws[j]->moments().mean_abs, 5 / std::sqrt(8.0 * kRows)) << j;
    }
    for (const std::uint16_t shape : of_first) EXPECT_FALSE(of_second.contains(shape)) << "a band of both laws";
    EXPECT_LE(prior.shapes.size(), 4U) << "two laws were cut into many";
  }
}

TEST(LearnShapes, BehindNoiseTheCutRaisesTheLikelihoodOfNewRows) {
  const TwoLaws truth("sparse-gaussian:0.1", "gaussian");
  VectorPrior cut = learned(rows_of(truth.prior, truth.laws, 2000, 2), truth.prior);
  VectorPrior one = cut;
  // All coordinates as one law: those of scale 1, as if there were no others.
  one.shape_of.assign(24, cut.shape_of[0]);
  const Matrix<float> fresh = rows_of(truth.prior, truth.laws, 200, 3);
  double gain = 0;
  for (std::size_t i = 0; i < fresh.rows(); ++i) {
    RandomStream noise(1, Purpose::test, 1000 + i);
    for (std::size_t j = 0; j < 24; ++j) {
      const double precision = 10 * std::pow(truth.prior.scale[j], 2);
      const double y = (fresh(i, j) - 0.1) / truth.prior.scale[j] + noise.normal() / std::sqrt(precision);
      gain += cut.shapes[cut.shape_of[j]]->log_marginal(y, precision) -
              one.shapes[one.shape_of[j]]->log_marginal(y, precision);
    }
  }
  EXPECT_GT(gain, 0);
}

TEST(LearnShapes, DoesNotCutIndependentEqualLaws) {
  SCOPED_TRACE("seeds 1 and 2");
  for (const char* law : {"gaussian", "sparse-gaussian:0.1", "sparse-rademacher:0.5", "sparse-laplace:0.5"}) {
    for (const std::uint64_t seed : {1, 2}) {
      const VectorPrior flat = profile(std::vector<float>(16, 1.0F));
      const Matrix<float> x = rows_of(flat, std::vector<PriorPtr>(16, parse_prior(law)), 500, seed);
      EXPECT_EQ(learned(x, flat).shapes.size(), 1U) << law << " " << seed;
    }
  }
}

TEST(LearnShapes, DoesNotCutWhatIsTooFewForALaw) {
  const TwoLaws truth("sparse-gaussian:0.1", "gaussian");
  // 14 rows decide nothing: 12 of them and 16 coordinates are fewer than 200 values.
  EXPECT_EQ(learned(rows_of(truth.prior, truth.laws, 14, 1), truth.prior).shapes.size(), 1U);
}

TEST(LearnShapes, DoesNotDependOnThreads) {
  const TwoLaws truth("sparse-gaussian:0.1", "sparse-laplace:0.5");
  const Matrix<float> x = rows_of(truth.prior, truth.laws, 500, 4);
  const VectorPrior one = learned(x, truth.prior, 1);
  EXPECT_GT(one.shapes.size(), 1U);
  for (const int threads : {2, 5}) {
    const VectorPrior many = learned(x, truth.prior, threads);
    EXPECT_EQ(many.shape_of, one.shape_of);
    ASSERT_EQ(many.shapes.size(), one.shapes.size());
    for (std::size_t s = 0; s < one.shapes.size(); ++s) {
      EXPECT_EQ(many.shapes[s]->to_json(), one.shapes[s]->to_json());
    }
  }
}

TEST(LearnShapes, WeightsCount) {
  // Rows of weight 0 have another law; every second row, so that they are among the held-out ones too.
  const VectorPrior flat = profile(std::vector<float>(32, 1.0F));
  Matrix<float> x = rows_of(flat, std::vector<PriorPtr>(32, parse_prior("gaussian")), 2000, 5);
  const Matrix<float> other = rows_of(flat, std::vector<PriorPtr>(32, parse_prior("sparse-gaussian:0.1")), 2000, 6);
  std::vector<double> weights(2000, 1.0);
  for (std::size_t i = 0; i < 2000; i += 2) {
    std::ranges::copy(other.row(i), x.row(i).begin());
    weights[i] = 0;
  }
  VectorPrior prior = flat;
  learn_shapes(x, weights, 1, 1, prior);
  // 5 standard errors over 1000 rows; the sparse law has 0.25 instead of 0.80.
  EXPECT_NEAR(prior.shapes[0]->moments().mean_abs, std::sqrt(2 / M_PI), 5 / std::sqrt(32.0 * 1000));
}

TEST(LearnShapes, ConstantCoordinatesHaveNoLaw) {
  std::vector<float> scale(32, 1.0F);
  scale[3] = scale[20] = 0;
  const VectorPrior some = profile(scale);
  const Matrix<float> x = rows_of(some, std::vector<PriorPtr>(32, parse_prior("sparse-gaussian:0.1")), 1000, 7);
  const VectorPrior prior = learned(x, some);
  ASSERT_EQ(prior.shapes.size(), 1U);
  // As if they were not there: with their zeros counted, E|w| would be 1 - √(30/32) = 3 % less.
  EXPECT_NEAR(prior.shapes[0]->moments().mean_abs, parse_prior("sparse-gaussian:0.1")->moments().mean_abs,
              5 / std::sqrt(30.0 * 1000));

  const VectorPrior none = profile(std::vector<float>(4, 0.0F));
  const VectorPrior known = learned(rows_of(none, std::vector<PriorPtr>(4, parse_prior("gaussian")), 10, 8), none);
  EXPECT_EQ(known.shapes.size(), 1U);
  EXPECT_EQ(known.shape_of, (std::vector<std::uint16_t>(4, 0)));
}

}  // namespace
}  // namespace signfold
