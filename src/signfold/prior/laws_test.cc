// What every law promises, checked on every family against integration, differences and sampling.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/prior/law_oracle_test.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 20240613;

class Law : public testing::TestWithParam<PriorPtr> {
 protected:
  const Prior& law() const { return *GetParam(); }
};
std::string test_name(const testing::TestParamInfo<PriorPtr>& tested) {
  std::string name = tested.param->name();
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Law, testing::ValuesIn(laws_under_test()), test_name);

TEST_P(Law, PosteriorAgreesWithIntegration) {
  for (double precision : {1e-3, 0.3, 1.75, 40.0, 1e4, 1e8}) {
    for (double y : {0.0, 1e-4, -0.02, 0.3, -1.0, 2.5, -7.0}) {
      const Posterior fast = law().posterior(y, precision);
      const OraclePosterior slow = integrate_posterior(law(), y, precision);
      SCOPED_TRACE(fmt::format("y = {}, precision = {}", y, precision));
      // The oracle sums some 10^4 positive terms whose exponents, up to 1e3 in size, carry relative errors of 1e-16;
      // at precision 1e8 and far out they reach 1e9, and errors of 1e-7 come with them.
      const double tolerance = 1e-10 + 1e-16 * precision * y * y;
      EXPECT_NEAR(fast.mean, slow.mean, tolerance * (1 + std::abs(slow.mean)));
      EXPECT_NEAR(fast.variance, slow.variance, tolerance * std::max(slow.variance, 1e-10));
      EXPECT_NEAR(law().log_marginal(y, precision), slow.log_marginal,
                  tolerance * std::max(1.0, std::abs(slow.log_marginal)));
    }
  }
}

TEST_P(Law, PosteriorVarianceIsTheSlopeOfTheMean) {
  for (double precision : {1e-2, 1.0, 30.0, 1e3}) {
    const double step = 1e-3 / std::sqrt(precision);
    for (double y : {-3.1, -0.4, 0.05, 0.9, 2.2}) {
      const double slope =
          (law().posterior(y + step, precision).mean - law().posterior(y - step, precision).mean) / (2 * step);
      const double expected = precision * law().posterior(y, precision).variance;
      // A central difference errs by step²/6 times the third derivative, which is at most of order precision times
      // (jump/noise)³ where two components far apart change over; elsewhere rounding of 1e-16/step is all.
      EXPECT_NEAR(slope, expected, 1e-4 * (expected + 1e-3)) << "y = " << y << ", precision = " << precision;
    }
  }
}

/// E f(y) over the marginal, by panels an eighth as wide as those of mmse(), reaching further.
template <class F>
double over_marginal(const Prior& law, double precision, const F& f) {
  std::vector<double> edges;
  for (const Feature& feature : law.features()) {
    const double deviation = std::hypot(feature.width, 1 / std::sqrt(precision));
    for (int k = -64; k <= 64; ++k) edges.push_back(feature.center + 0.25 * k * deviation);
  }
  std::sort(edges.begin(), edges.end());
  return integrate(edges, [&](double y) { return std::exp(law.log_marginal(y, precision)) * f(y); });
}

TEST_P(Law, MmseAgreesWithAFinerRule) {
  for (double precision : {1e-8, 1e-3, 0.1, 1.75, 10.0, 300.0, 1e5, 1e8}) {
    // 1e-10 is the promise; the finer rule is good to 1e-13.
    const auto variance = [&](double y) { return law().posterior(y, precision).variance; };
    EXPECT_NEAR(law().mmse(precision), over_marginal(law(), precision, variance), 1e-10) << "precision = " << precision;
  }
}

TEST_P(Law, MmseAgreesWithMonteCarlo) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  constexpr int kDraws = 20000;
  for (double precision : {0.1, 1.75, 30.0}) {
    RandomStream stream(kSeed, Purpose::test);
    double sum = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double y = law().sample(stream) + stream.normal() / std::sqrt(precision);
      sum += law().posterior(y, precision).variance;
    }
    double largest = 0;
    const double second = over_marginal(law(), precision, [&](double y) {
      const double v = law().posterior(y, precision).variance;
      largest = std::max(largest, v);
      return v * v;
    });
    // Bernstein's bound at the level of 5 sigma: the variances are bounded but may be large and rare.
    const double bound = 5 * std::sqrt(second / kDraws) + 25 * largest / (3 * kDraws);
    EXPECT_NEAR(law().mmse(precision), sum / kDraws, bound) << "precision = " << precision;
  }
}

TEST_P(Law, MmseFallsFromTheVarianceToZero) {
  const Moments m = law().moments();
  double before = m.second - m.mean * m.mean;
  EXPECT_DOUBLE_EQ(law().mmse(0), before);
  for (double e = -8; e <= 8; e += 0.25) {
    const double now = law().mmse(std::pow(10, e));
    EXPECT_GE(now, 0);
    EXPECT_LE(now, before + 1e-10) << "precision = 1e" << e;  // the accuracy of the quadrature
    EXPECT_LE(now, std::pow(10, -e) * (1 + 1e-10));           // never worse than x̂ = y
    before = now;
  }
}

TEST_P(Law, MomentsAgreeWithIntegration) {
  const Moments m = law().moments();
  const double tolerance = 1e-11;  // some 10^4 roundings
  EXPECT_NEAR(expectation(law(), [](double) { return 1.0; }), 1, tolerance);
  EXPECT_NEAR(expectation(law(), [](double x) { return x; }), m.mean, tolerance);
  EXPECT_NEAR(expectation(law(), [](double x) { return std::abs(x); }, {0}), m.mean_abs, tolerance);
  EXPECT_NEAR(expectation(law(), [](double x) { return x * x; }), m.second, tolerance * m.second);
  EXPECT_NEAR(expectation(law(), [](double x) { return x * x * x * x; }), m.fourth, tolerance * m.fourth);
}

TEST_P(Law, FoldedMeanAgreesWithIntegration) {
  for (double m : {0.0, 0.3, 0.9, 1.0, -0.5}) {
    for (double s : {0.0, 1e-3, 0.2, 1.0}) {
      // E over the noise in closed form, E over x by points: |m x + s g| given x is a folded normal.
      const auto folded_normal = [&](double x) {
        const double mean = m * x;
        if (s == 0) return std::abs(mean);
        return s * std::sqrt(2 / std::numbers::pi) * std::exp(-0.5 * mean * mean / (s * s)) +
               mean * std::erf(mean / (s * std::numbers::sqrt2));
      };
      std::vector<double> breaks{0};
      for (int k = -20; k <= 20 && m != 0; ++k) breaks.push_back(k * s / std::abs(m));
      EXPECT_NEAR(law().folded_mean(m, s), expectation(law(), folded_normal, breaks), 1e-11)  // 10^4 roundings
          << "m = " << m << ", s = " << s;
    }
  }
}

TEST_P(Law, SamplesHaveTheMoments) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  constexpr int kDraws = 100000;
  std::vector<float> x(kDraws);
  sample_row(law(), kSeed, 7, x);
  double mean = 0;
  double mean_abs = 0;
  double second = 0;
  for (const float value : x) {
    mean += value;
    mean_abs += std::abs(value);
    second += static_cast<double>(value) * value;
  }
  const Moments m = law().moments();
  const double sigma = std::sqrt(m.second / kDraws);
  EXPECT_NEAR(mean / kDraws, m.mean, 5 * sigma);
  EXPECT_NEAR(mean_abs / kDraws, m.mean_abs, 5 * sigma);
  EXPECT_NEAR(second / kDraws, m.second, 5 * std::sqrt((m.fourth - m.second * m.second) / kDraws) + 1e-6);  // float32
}

TEST_P(Law, SamplesFollowTheDistribution) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  constexpr int kDraws = 100000;
  RandomStream stream(kSeed, Purpose::test, 1);
  std::vector<double> x(kDraws);
  for (double& value : x) value = law().sample(stream);
  for (double t : {-2.0, -0.5, -0.011, 0.0, 0.25, 1.2}) {
    const auto below = static_cast<double>(std::count_if(x.begin(), x.end(), [t](double v) { return v < t; }));
    const double p = expectation(law(), [t](double v) { return v < t ? 1.0 : 0.0; }, {t});
    const double sigma = std::sqrt(std::max(0.0, p * (1 - p)) / kDraws);
    EXPECT_NEAR(below / kDraws, p, 5 * sigma + 1e-4) << "t = " << t;  // 1e-4: a few draws where p is tiny
  }
}

TEST_P(Law, RefusesPrecisionsThatMakeNoSense) {
  EXPECT_THROW(law().posterior(0, -1), Error);
  EXPECT_THROW(law().posterior(0, NAN), Error);
  EXPECT_THROW(law().log_marginal(0, INFINITY), Error);
  EXPECT_THROW(law().mmse(-1e-9), Error);
}

TEST_P(Law, PosteriorWithoutInformationIsThePrior) {
  const Moments m = law().moments();
  const Posterior p = law().posterior(3, 0);
  EXPECT_NEAR(p.mean, m.mean, 1e-15);
  EXPECT_NEAR(p.variance, m.second - m.mean * m.mean, 1e-14);
}

/// Any real number a double can hold, evenly over the exponents.
double any_real() {
  const double exponent = *rc::gen::inRange(-3000, 3001) / 10.0;
  const int sign = *rc::gen::element(-1, 0, 1);
  return sign * std::pow(10, exponent);
}

double any_precision() { return std::pow(10, *rc::gen::inRange(-800, 801) / 100.0); }

void check_finite(const Prior& law, double y, double precision) {
  const Posterior p = law.posterior(y, precision);
  RC_ASSERT(std::isfinite(p.mean));
  RC_ASSERT(std::isfinite(p.variance));
  RC_ASSERT(p.variance >= 0);
  RC_ASSERT(std::isfinite(law.log_marginal(y, precision)));
  // The posterior mean lies between the prior mean and y, or at an atom: never further out than either, up to the
  // rounding of a sum of parts as wide as the law.
  double reach = std::abs(y);
  double width = 0;
  for (const Feature& f : law.features()) {
    reach = std::max(reach, std::abs(f.center));
    width = std::max(width, f.width);
  }
  RC_ASSERT(std::abs(p.mean) <= reach * (1 + 1e-12) + 1e-14 * width);
}

RC_GTEST_PROP(Laws, EverythingIsFinite, ()) {
  const PriorPtr law = *rc::gen::elementOf(laws_under_test());
  check_finite(*law, any_real(), any_precision());
}

RC_GTEST_PROP(Laws, AnyMixtureIsFinite, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 7);
  std::vector<Component> components;
  for (std::size_t k = 0; k < count; ++k) {
    const double mean = *rc::gen::inRange(-1000, 1001) / 100.0;
    const double variance = *rc::gen::element(0, 1) * std::pow(10, *rc::gen::inRange(-120, 30) / 10.0);
    components.push_back({1.0 / static_cast<double>(count), mean, variance});
  }
  const PriorPtr law = make_mixture("any", components, false);
  const double precision = any_precision();
  check_finite(*law, any_real(), precision);
  const Moments m = law->moments();
  const double mmse = law->mmse(precision);
  RC_ASSERT(mmse >= 0);
  RC_ASSERT(mmse <= (m.second - m.mean * m.mean) * (1 + 1e-9) + 1e-10);
}

RC_GTEST_PROP(Laws, AnySparsityIsFinite, ()) {
  const double p = std::pow(10, *rc::gen::inRange(-1200, 1) / 100.0);
  const char* family = *rc::gen::element("sparse-gaussian", "sparse-rademacher", "sparse-laplace");
  check_finite(*parse_prior(fmt::format("{}:{}", family, p)), any_real(), any_precision());
}

TEST(Laws, FarOutThePosteriorIsThatOfTheWidestPart) {
  for (double precision : {1e-8, 1.0, 1e8}) {
    for (double y : {1e18, -1e100, 1e200, -1e300}) {
      SCOPED_TRACE(fmt::format("y = {}, precision = {}", y, precision));
      const double sign = y < 0 ? -1 : 1;
      const Posterior gauss = parse_prior("sparse-gaussian:0.1")->posterior(y, precision);
      EXPECT_DOUBLE_EQ(gauss.mean, y * (10 * precision / (1 + 10 * precision)));
      EXPECT_DOUBLE_EQ(gauss.variance, 10 / (1 + 10 * precision));
      const Posterior rademacher = parse_prior("sparse-rademacher:0.25")->posterior(y, precision);
      EXPECT_EQ(rademacher.mean, 2 * sign);
      EXPECT_EQ(rademacher.variance, 0);
      const Posterior laplace = parse_prior("sparse-laplace:0.5")->posterior(y, precision);  // λ = 1
      EXPECT_DOUBLE_EQ(laplace.mean, y - sign / precision);
      EXPECT_DOUBLE_EQ(laplace.variance, 1 / precision);
    }
  }
}

}  // namespace
}  // namespace signfold
