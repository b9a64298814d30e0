#include "signfold/decoder/pointwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

TEST(ScoreTable, IsTheNormalisedScoreUpToTheClip) {
  for (const double variance : {1.0, 0.3, 0.01, 1e-4}) {
    const double information = sign_information(variance);
    const simd::Cubic table = score_table(variance, information, 3);
    for (double a = -6; a <= 12; a += 0.0137) {
      const auto v = static_cast<float>(a * std::sqrt(variance));
      float score = 0;
      simd::table(table, {&v, 1}, {&score, 1});
      const double height = std::sqrt(variance) / information;
      // The table's own tolerance is 1e-6 of the height; rounding v to float32 moves a by up to 1e-6.
      EXPECT_NEAR(score / height, hazard(std::max(a, -3.0)), 5e-6) << "V = " << variance << ", a = " << a;
    }
  }
}

TEST(ScoreCurve, IsCoarseAndClose) {
  for (const double variance : {1.0, 0.3, 0.01, 1e-4}) {
    const double information = sign_information(variance);
    const double height = std::sqrt(variance) / information;
    const Curve curve = score_curve(variance, information, 3);
    EXPECT_TRUE(curve.coarse());
    for (double a = -6; a <= 12; a += 0.0137) {
      const auto v = static_cast<float>(a * std::sqrt(variance));
      float score = 0;
      curve.apply({&v, 1}, {&score, 1});
      // h(5) = 1.5e-6 is where the table ends; 1e-5 is what 30 pieces of a width of 0.27 are good for.
      EXPECT_NEAR(score / height, hazard(std::max(a, -3.0)), 2e-5) << "V = " << variance << ", a = " << a;
    }
  }
}

// The precisions of five layers at one bit per coordinate lie between 1.7 and 3.2; a range that ends 20 % too far out
// needs the fine table at some of them, which takes four times as long.
TEST(PosteriorCurve, IsCoarseForTheLayersOfSparseGaussianVectors) {
  const PriorPtr prior = make_sparse_gaussian(0.1);
  for (double precision = 0.5; precision < 3.3; precision *= 1.02) {
    EXPECT_TRUE(posterior_curve(*prior, precision).coarse()) << precision;
  }
}

class PosteriorMeanTest : public testing::TestWithParam<double> {};

TEST_P(PosteriorMeanTest, IidTablesMatchThePriorEverywhere) {
  const double precision = GetParam();
  const auto atom_in_slab = [](double at) {
    return make_mixture("atom in a slab", {{0.7, at, 0}, {0.3, 0, (1 - 0.7 * at * at) / 0.3}}, false);
  };
  for (const PriorPtr& prior :
       {make_gaussian(), make_sparse_gaussian(0.1), make_sparse_gaussian(0.001), make_sparse_rademacher(0.5),
        make_sparse_laplace(0.3), atom_in_slab(-0.4), atom_in_slab(0.6), atom_in_slab(-1)}) {
    const std::size_t dim = 2000;
    Matrix<float> y(1, dim);
    for (std::size_t j = 0; j < dim / 2; ++j) {
      y(0, j) = static_cast<float>((static_cast<double>(j) - 500) / 50 * (1 + 1 / std::sqrt(precision)));
    }
    const std::vector<Feature> features = prior->features();
    for (std::size_t j = dim / 2; j < dim; ++j) {  // 15 standard deviations of the noise around every feature
      const double steps = (static_cast<double>(j) - 1500) / 33;
      y(0, j) = static_cast<float>(features[j % features.size()].center + steps / std::sqrt(precision));
    }
    double reach = 0;
    for (const Feature& f : features) reach = std::max(reach, 24 * std::hypot(f.width, 1 / std::sqrt(precision)));
    Matrix<float> x(1, dim);
    PosteriorMean(iid_prior(prior), dim, precision).apply(y, x);
    for (std::size_t j = 0; j < dim; ++j) {
      const double exact = prior->posterior(y(0, j), precision).mean;
      // What the table promises, and a little between the points where it was looked at; y is measured from the left
      // end of the table, where float32 has a spacing of 1.2e-7 of that distance, and the slope of the posterior mean
      // amplifies this.
      const double slope = precision * prior->posterior(y(0, j), precision).variance;
      const double tolerance = 1.1 * kCoarseTolerance + 1.2e-7 * (reach + std::abs(y(0, j))) * (1 + slope);
      ASSERT_NEAR(x(0, j), exact, tolerance) << prior->name() << " at y = " << y(0, j) << ", precision " << precision;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Precisions, PosteriorMeanTest, testing::Values(1e-3, 0.5, 2.5, 30, 1e3, 3e3, 1e4, 1e5));

TEST(PosteriorMean, ProfileCoordinatesShareTablesWithinOnePercent) {
  VectorPrior prior;
  prior.shapes = {make_sparse_laplace(0.3)};
  const std::size_t dim = 500;
  RandomStream stream(11, Purpose::test);
  for (std::size_t j = 0; j < dim; ++j) {
    prior.offset.push_back(static_cast<float>(0.1 * stream.normal()));
    prior.scale.push_back(static_cast<float>(std::exp(stream.normal() - 1)));
  }
  prior.scale[7] = 0;
  prior.scale[8] = 1e-40F;  // its inverse is beyond float32
  const double precision = 3;
  Matrix<float> y(1, dim);
  for (float& v : y.values()) v = static_cast<float>(stream.normal());
  Matrix<float> x(1, dim);
  PosteriorMean(prior, dim, precision).apply(y, x);
  EXPECT_EQ(x(0, 7), prior.offset[7]);
  EXPECT_EQ(x(0, 8), prior.offset[8]);
  for (std::size_t j = 0; j < dim; ++j) {
    const double exact = coordinate_posterior(prior, j, y(0, j), precision).mean;
    // σ is off by at most 1 %, so the precision by 2 %; the posterior mean moves by less than 2 % of its argument.
    EXPECT_NEAR(x(0, j), exact, 1.1 * kCoarseTolerance * prior.scale[j] + 0.02 * std::abs(y(0, j) - prior.offset[j]))
        << "coordinate " << j << ", seed 11";
  }
}

TEST(PosteriorMean, NoOffsetsAreZeros) {
  VectorPrior prior{.shapes = {make_sparse_gaussian(0.1)}, .offset = {}, .scale = {1, 0.5F, 0, 2}, .shape_of = {}};
  VectorPrior zeros = prior;
  zeros.offset.assign(4, 0.0F);
  Matrix<float> y(1, 4);
  std::ranges::copy(std::array{0.1F, -2.0F, 3.0F, 0.7F}, y.data());
  Matrix<float> x(1, 4);
  Matrix<float> expected(1, 4);
  PosteriorMean(prior, 4, 2.0).apply(y, x);
  PosteriorMean(zeros, 4, 2.0).apply(y, expected);
  EXPECT_TRUE(std::ranges::equal(x.values(), expected.values()));
}

TEST(PosteriorMean, ManyTablesShareTheRoom) {
  VectorPrior prior;
  prior.shapes = {make_sparse_gaussian(0.1)};
  EXPECT_EQ(PosteriorMean::tables(prior, 5), 1U);
  prior.scale = {1, 1.001F, 0, 2, 1};
  EXPECT_EQ(PosteriorMean::tables(prior, 5), 2U);
  EXPECT_EQ(most_intervals(5), 1 << 15);
  for (const std::size_t tables : {1, 64, 100, 3'000, 20'000}) {
    EXPECT_LE(tables * static_cast<std::size_t>(most_intervals(tables)) * 4 * sizeof(float), std::size_t{48} << 20);
  }
  EXPECT_THAT([] { most_intervals(100'000); }, testing::ThrowsMessage<Error>(testing::HasSubstr("100000 tables")));
}

// Two atoms and little noise: a step where hardly any y lies. A table that is too coarse for it costs no risk.
TEST(PosteriorMean, ACoarserTableOfAtomsHasTheSameRisk) {
  const PriorPtr prior = make_sparse_rademacher(0.5);
  for (const double precision : {3.0, 30.0, 300.0, 3000.0}) {
    const std::size_t dim = 20'000;
    RandomStream stream(5, Purpose::test);
    Matrix<float> y(1, dim);
    std::vector<double> x(dim);
    for (std::size_t j = 0; j < dim; ++j) {
      x[j] = prior->sample(stream);
      y(0, j) = static_cast<float>(x[j] + stream.normal() / std::sqrt(precision));
    }
    const auto risk = [&](int intervals) {
      Matrix<float> mean(1, dim);
      PosteriorMean(iid_prior(prior), dim, precision, intervals).apply(y, mean);
      double sum = 0;
      for (std::size_t j = 0; j < dim; ++j) sum += (mean(0, j) - x[j]) * (mean(0, j) - x[j]);
      return sum / static_cast<double>(dim);
    };
    EXPECT_NEAR(risk(128), risk(1 << 15), 1e-4) << precision;
  }
}

}  // namespace
}  // namespace signfold
