#include "signfold/prior/profile.h"

#include <gtest/gtest.h>

#include <cmath>

#include "signfold/base/error.h"
#include "signfold/prior/law_oracle_test.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 5;

/// Coordinates whose scales fall by a factor of 10^decades, of the given shapes in turn, normalised to E x² = 1.
VectorPrior falling_profile(std::vector<PriorPtr> shapes, std::size_t dim, double decades, double offset) {
  VectorPrior prior;
  prior.shapes = std::move(shapes);
  double energy = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    prior.scale.push_back(
        static_cast<float>(std::pow(10, -decades * static_cast<double>(j) / static_cast<double>(dim))));
    prior.offset.push_back(static_cast<float>(offset * std::sin(static_cast<double>(j))));
    prior.shape_of.push_back(static_cast<std::uint16_t>(j % prior.shapes.size()));
    energy +=
        static_cast<double>(prior.scale[j]) * prior.scale[j] + static_cast<double>(prior.offset[j]) * prior.offset[j];
  }
  const auto factor = static_cast<float>(std::sqrt(static_cast<double>(dim) / energy));
  for (float& s : prior.scale) s *= factor;
  for (float& o : prior.offset) o *= factor;
  return prior;
}

/// The average by one mmse per coordinate.
double direct_average(const VectorPrior& prior, double precision) {
  double sum = 0;
  for (std::size_t j = 0; j < prior.scale.size(); ++j) {
    const double square = static_cast<double>(prior.scale[j]) * prior.scale[j];
    sum += square * prior.shapes[prior.shape_of[j]]->mmse(precision * square);
  }
  return sum / static_cast<double>(prior.scale.size());
}

TEST(AverageMmse, AgreesWithTheDirectSum) {
  const std::vector<PriorPtr> shapes = laws_under_test();
  for (double decades : {0.5, 4.0}) {
    for (const PriorPtr& shape : {shapes[0], shapes[1], shapes[7], shapes[10], shapes[11], shapes[12]}) {
      const VectorPrior prior = falling_profile({shape}, 100, decades, 0);
      for (double precision : {1e-8, 1e-2, 1.0, 30.0, 1e4, 1e8}) {
        const double direct = direct_average(prior, precision);
        // 1e-6 is the promise: the error of a polynomial of degree 7 over a factor of 4 in precision.
        EXPECT_NEAR(average_mmse(prior, precision) / direct, 1, 1e-6)
            << shape->name() << ", precision = " << precision << ", decades = " << decades;
      }
    }
  }
}

TEST(AverageMmse, AgreesForAtomsDownToTheAccuracyOfQuadrature) {
  const VectorPrior prior = falling_profile({parse_prior("sparse-rademacher:0.3")}, 300, 2, 0);
  for (double precision : {1e-8, 1e-2, 1.0, 30.0, 1e4, 1e8}) {
    const double direct = direct_average(prior, precision);
    EXPECT_NEAR(average_mmse(prior, precision), direct, 1e-6 * direct + 1e-10) << precision;
  }
}

TEST(AverageMmse, IsExactWhenFewScalesDiffer) {
  VectorPrior prior = falling_profile({parse_prior("sparse-gaussian:0.1"), make_gaussian()}, 100, 0, 0);
  for (std::size_t j = 0; j < 100; ++j) prior.scale[j] = j < 50 ? 0.5F : 2.0F;
  EXPECT_NEAR(average_mmse(prior, 3), direct_average(prior, 3), 1e-15);  // the same numbers in another order
}

TEST(AverageMmse, HandlesKnownAndTinyCoordinates) {
  VectorPrior prior = falling_profile({parse_prior("sparse-laplace:0.3")}, 4, 0, 0);
  prior.scale = {0, 1e-45F, 1e-20F, 2};
  EXPECT_NEAR(average_mmse(prior, 1.75), 4 * prior.shapes[0]->mmse(4 * 1.75) / 4, 1e-15);
  prior.scale = {0, 0, 0, 0};
  EXPECT_EQ(average_mmse(prior, 1), 0);
  prior.scale = {1e-45F, 1e-45F, 1e-45F, 1e-45F};
  EXPECT_NEAR(average_mmse(prior, 1e8) / (static_cast<double>(1e-45F) * 1e-45F), 1, 1e-9);
}

TEST(AverageMmse, OfIidIsTheMmse) {
  const PriorPtr law = parse_prior("sparse-gaussian:0.3");
  EXPECT_EQ(average_mmse(iid_prior(law), 2), law->mmse(2));
}

TEST(CoordinatePosterior, IsTheShapeShiftedAndScaled) {
  const VectorPrior prior = falling_profile(laws_under_test(), 26, 1, 0.7);
  for (std::size_t j = 0; j < 26; ++j) {
    const double scale = prior.scale[j];
    const double offset = prior.offset[j];
    const double precision = 5;
    const double y = offset + 0.8 * scale;
    const OraclePosterior w = integrate_posterior(*prior.shapes[prior.shape_of[j]], 0.8, precision * scale * scale);
    const Posterior x = coordinate_posterior(prior, j, y, precision);
    EXPECT_NEAR(x.mean, offset + scale * w.mean, 1e-10) << j;  // the accuracy of the oracle, see laws_test.cc
    EXPECT_NEAR(x.variance, scale * scale * w.variance, 1e-10) << j;
  }
}

TEST(CoordinatePosterior, IsFiniteForAnyScale) {
  VectorPrior prior;
  prior.shapes = {parse_prior("sparse-gaussian:0.1"), parse_prior("sparse-laplace:0.1")};
  prior.scale = {0, 1e-45F, 1e-30F, 3e38F};
  prior.offset = {0.5F, -1, 0, 1};
  for (std::uint16_t shape : {0, 1}) {
    prior.shape_of = {shape, shape, shape, shape};
    for (std::size_t j = 0; j < 4; ++j) {
      for (double precision : {1e-8, 1.0, 1e8}) {
        for (double y : {0.0, -1.0, 1e10, -1e300}) {
          const Posterior p = coordinate_posterior(prior, j, y, precision);
          EXPECT_TRUE(std::isfinite(p.mean) && p.variance >= 0 && std::isfinite(p.variance))
              << "scale = " << prior.scale[j] << ", y = " << y << ", precision = " << precision;
        }
      }
    }
  }
  EXPECT_EQ(coordinate_posterior(prior, 0, 3, 1).mean, 0.5);
  EXPECT_EQ(coordinate_posterior(prior, 0, 3, 1).variance, 0);
}

TEST(AverageMoments, AgreeWithIntegrationPerCoordinate) {
  for (double offset : {0.0, 0.4}) {
    const VectorPrior prior = falling_profile(laws_under_test(), 39, 1, offset);
    Moments slow{0, 0, 0, 0};
    for (std::size_t j = 0; j < 39; ++j) {
      const Prior& shape = *prior.shapes[prior.shape_of[j]];
      const double o = prior.offset[j];
      const double s = prior.scale[j];
      slow.mean += expectation(shape, [&](double w) { return o + s * w; }) / 39;
      slow.mean_abs += expectation(shape, [&](double w) { return std::abs(o + s * w); }, {-o / s}) / 39;
      slow.second += expectation(shape, [&](double w) { return std::pow(o + s * w, 2); }) / 39;
      slow.fourth += expectation(shape, [&](double w) { return std::pow(o + s * w, 4); }) / 39;
    }
    const Moments fast = average_moments(prior);
    EXPECT_NEAR(fast.mean, slow.mean, 1e-11);  // some 10^4 roundings
    EXPECT_NEAR(fast.mean_abs, slow.mean_abs, 1e-11);
    EXPECT_NEAR(fast.second, 1, 1e-6);  // scales are float32
    EXPECT_NEAR(fast.second, slow.second, 1e-11);
    EXPECT_NEAR(fast.fourth / slow.fourth, 1, 1e-10);
  }
}

TEST(CheckVectorPrior, AcceptsWhatFitsAndNamesWhatDoesNot) {
  const VectorPrior good = falling_profile({make_gaussian()}, 5, 1, 0.1);
  check_vector_prior(good, 5);
  check_vector_prior(iid_prior(make_gaussian()), 12345);
  EXPECT_THROW(check_vector_prior(good, 6), Error);
  EXPECT_THROW(check_vector_prior({}, 5), Error);
  EXPECT_THROW(check_vector_prior(iid_prior(nullptr), 5), Error);
  const auto refused = [&](auto&& damage, const std::string& expected) {
    VectorPrior bad = good;
    damage(bad);
    try {
      check_vector_prior(bad, 5);
      ADD_FAILURE() << "not refused: " << expected;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(expected), std::string::npos) << e.what();
    }
  };
  refused([](VectorPrior& p) { p.scale[2] = -1; }, "coordinate 2");
  refused([](VectorPrior& p) { p.scale[3] = INFINITY; }, "coordinate 3");
  refused([](VectorPrior& p) { p.offset[1] = NAN; }, "coordinate 1");
  refused([](VectorPrior& p) { p.shape_of[4] = 1; }, "coordinate 4");
  refused([](VectorPrior& p) { p.offset.pop_back(); }, "4 offsets for 5");
  refused([](VectorPrior& p) { p.scale.clear(); }, "without scales");
}

TEST(SampleRow, OfAnIidPriorIsAPureFunction) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  const PriorPtr law = parse_prior("sparse-laplace:0.3");
  std::vector<float> a(100);
  std::vector<float> b(100);
  sample_row(*law, kSeed, 3, a);
  sample_row(*law, kSeed, 3, b);
  EXPECT_EQ(a, b);
  sample_row(*law, kSeed, 4, b);
  EXPECT_NE(a, b);
  sample_row(*law, kSeed + 1, 3, b);
  EXPECT_NE(a, b);
  b.resize(40);
  sample_row(*law, kSeed, 3, b);
  EXPECT_TRUE(std::equal(b.begin(), b.end(), a.begin()));  // a shorter row is a prefix
}

}  // namespace
}  // namespace signfold
