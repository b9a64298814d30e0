#include "signfold/prior/learn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "signfold/base/error.h"
#include "signfold/prior/mixture.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 77;

std::vector<float> draw(const Prior& law, std::size_t count) {
  std::vector<float> x(count);
  sample_row(law, kSeed, 0, x);
  return x;
}

/// Mean and second moment of the data, in double.
Moments data_moments(const std::vector<float>& x) {
  Moments m{0, 0, 0, 0};
  for (const double v : x) {
    m.mean += v / static_cast<double>(x.size());
    m.second += v * v / static_cast<double>(x.size());
  }
  return m;
}

void expect_moments_of_data(const Prior& law, const std::vector<float>& x) {
  const Moments data = data_moments(x);
  const Moments learned = law.moments();
  // Sums of up to 10^6 numbers in another order.
  EXPECT_NEAR(learned.mean, data.mean, 1e-10 * std::sqrt(data.second));
  EXPECT_NEAR(learned.second / data.second, 1, 1e-9);
}

/// The learned law must predict nearly the risk of the true one.
void expect_mmse_of(const Prior& truth, const Prior& learned, double tolerance) {
  for (double precision : {0.3, 1.0, 3.0, 30.0, 1e3}) {
    EXPECT_NEAR(learned.mmse(precision) / truth.mmse(precision), 1, tolerance) << "precision = " << precision;
  }
}

class LearnPrior : public testing::TestWithParam<PriorPtr> {};
INSTANTIATE_TEST_SUITE_P(
    Truth, LearnPrior,
    testing::Values(parse_prior("sparse-gaussian:0.1"), parse_prior("sparse-laplace:0.3"), parse_prior("gaussian"),
                    parse_prior("sparse-laplace:1"),
                    make_mixture("two humps", {{0.7, -0.6, 0.16}, {0.3, 1.4, 0.16}}, false),
                    make_mixture("heavy tails", {{0.6, 0, 1e-3}, {0.3, 0, 0.1}, {0.08, 0, 2}, {0.02, 0, 40}}, true)));

TEST_P(LearnPrior, RecoversTheLaw) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  const std::vector<float> x = draw(*GetParam(), 200000);
  const PriorPtr learned = learn_prior(x, {}, {});
  EXPECT_EQ(learned->name(), "learned");
  expect_moments_of_data(*learned, x);
  // The variance of the draws itself differs from 1 by sqrt((E x⁴ − 1)/n), up to 2 % here at one sigma.
  expect_mmse_of(*GetParam(), *learned, 0.05);
}

TEST(Learn, FindsTheSpikeExactly) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  std::vector<float> x = draw(*parse_prior("sparse-gaussian:0.3"), 50000);
  for (float& v : x) v += 0.1F;
  const PriorPtr learned = learn_prior(x, {}, {});
  ASSERT_EQ(learned->atoms().size(), 1U);
  EXPECT_EQ(learned->atoms()[0].value, static_cast<double>(0.1F));
  const auto share = static_cast<double>(std::count(x.begin(), x.end(), 0.1F)) / 50000;
  EXPECT_NEAR(learned->atoms()[0].weight, share, 1e-12);
  expect_moments_of_data(*learned, x);
}

TEST(Learn, SpikeOfMinusZeroIsZero) {
  std::vector<float> x = draw(*make_gaussian(), 1000);
  for (std::size_t i = 0; i < 500; ++i) x[i] = i % 2 == 0 ? -0.0F : 0.0F;
  const PriorPtr learned = learn_prior(x, {}, {});
  ASSERT_EQ(learned->atoms().size(), 1U);
  EXPECT_FALSE(std::signbit(learned->atoms()[0].value));
  EXPECT_EQ(learned->atoms()[0].weight, 0.5);
}

TEST(Learn, RareRepeatsAreNoSpike) {
  std::vector<float> x = draw(*make_gaussian(), 10000);
  for (std::size_t i = 0; i < 150; ++i) x[i] = 0.5F;  // 1.5 %, below the share
  EXPECT_TRUE(learn_prior(x, {}, {})->atoms().empty());
  LearnOptions options;
  options.spike_share = 0.01;
  EXPECT_EQ(learn_prior(x, {}, options)->atoms().size(), 1U);
}

TEST(Learn, WeightsCountAsRepeats) {
  const std::vector<float> once = draw(*parse_prior("sparse-laplace:0.5"), 20000);
  std::vector<float> weights(once.size());
  std::vector<float> repeated;
  for (std::size_t i = 0; i < once.size(); ++i) {
    weights[i] = static_cast<float>(i % 4);
    repeated.insert(repeated.end(), i % 4, once[i]);
  }
  const PriorPtr a = learn_prior(once, weights, {});
  const PriorPtr b = learn_prior(repeated, {}, {});
  EXPECT_NEAR(a->atoms()[0].weight, b->atoms()[0].weight, 1e-12);
  // The same sums in another order; EM carries the rounding along.
  for (double precision : {0.3, 3.0, 30.0}) EXPECT_NEAR(a->mmse(precision), b->mmse(precision), 1e-8);
}

TEST(Learn, ConstantDataAreOneSpike) {
  const std::vector<float> x(1000, 0.1F);
  const PriorPtr learned = learn_prior(x, {}, {});
  ASSERT_EQ(learned->atoms().size(), 1U);
  EXPECT_EQ(learned->atoms()[0].value, static_cast<double>(0.1F));
  EXPECT_EQ(learned->atoms()[0].weight, 1);
  EXPECT_EQ(learned->mmse(1), 0);
  EXPECT_EQ(learn_prior(std::vector<float>{2, 2}, {}, {})->atoms()[0].value, 2);
}

TEST(Learn, TwoValuesAreTwoSpikes) {
  std::vector<float> x(100, 0.3F);
  std::fill_n(x.begin(), 30, -0.7F);
  const PriorPtr learned = learn_prior(x, {}, {});
  ASSERT_EQ(learned->atoms().size(), 2U);
  EXPECT_EQ(learned->atoms()[0].value, static_cast<double>(0.3F));
  EXPECT_NEAR(learned->atoms()[1].value, -0.7, 1e-7);  // float32
  expect_moments_of_data(*learned, x);
}

TEST(Learn, TinyDataGiveTheirMoments) {
  for (const std::vector<float>& x : {std::vector<float>{1, 2},
                                      {0, 0, 1},
                                      {-1e-30F, 3e-30F, 2e-30F},
                                      {1e30F, -1e30F, 0, 3e29F},
                                      {5, 5, 5, 5, 6, 7}}) {
    const PriorPtr learned = learn_prior(x, {}, {});
    expect_moments_of_data(*learned, x);
    const Posterior p = learned->posterior(x[0], 1);
    EXPECT_TRUE(std::isfinite(p.mean) && std::isfinite(p.variance));
  }
}

TEST(Learn, FollowsShiftAndScaleOfTheData) {
  std::vector<float> x = draw(*parse_prior("sparse-laplace:1"), 30000);
  for (float& v : x) v = 1000 + 3 * v;
  const PriorPtr learned = learn_prior(x, {}, {});
  expect_moments_of_data(*learned, x);
  const Moments m = learned->moments();
  EXPECT_NEAR(m.second - m.mean * m.mean, 9, 9 * 5 * std::sqrt(5 / 30000.0));  // 5 sigma: Var x² = E x⁴ − 1 = 5
  EXPECT_NEAR(learned->mmse(1) / (9 * parse_prior("sparse-laplace:1")->mmse(9)), 1, 0.05);
}

TEST(Learn, QuantisedDataKeepTheirSpikeAndMoments) {
  std::vector<float> x = draw(*make_gaussian(), 20000);
  for (float& v : x) v = std::clamp(std::round(16 * v + 10), 0.0F, 255.0F);  // gray levels, many of them 0
  const PriorPtr learned = learn_prior(x, {}, {});
  ASSERT_FALSE(learned->atoms().empty());
  EXPECT_EQ(learned->atoms()[0].value, 0);
  expect_moments_of_data(*learned, x);
}

TEST(Learn, IsDeterministic) {
  const std::vector<float> x = draw(*parse_prior("sparse-gaussian:0.3"), 100000);  // more than the sample of candidates
  EXPECT_EQ(learn_prior(x, {}, {})->to_json(), learn_prior(x, {}, {})->to_json());
}

TEST(Learn, RefusesBadInput) {
  const auto message = [](const std::vector<float>& x, const std::vector<float>& w, const LearnOptions& options) {
    try {
      learn_prior(x, w, options);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(message({}, {}, {}), testing::HasSubstr("at least 2 values, not 0"));
  EXPECT_THAT(message({1}, {}, {}), testing::HasSubstr("at least 2 values, not 1"));
  EXPECT_THAT(message({1, NAN, 2}, {}, {}), testing::HasSubstr("value 1 is nan"));
  EXPECT_THAT(message({1, 2, -INFINITY}, {}, {}), testing::HasSubstr("value 2 is -inf"));
  EXPECT_THAT(message({1, 2}, {1}, {}), testing::HasSubstr("1 weights for 2 values"));
  EXPECT_THAT(message({1, 2}, {1, -1}, {}), testing::HasSubstr("weight 1 is -1"));
  EXPECT_THAT(message({1, 2}, {0, 0}, {}), testing::HasSubstr("all weights are 0"));
  LearnOptions options;
  options.components = 0;
  EXPECT_THAT(message({1, 2}, {}, options), testing::HasSubstr("0 components"));
}

}  // namespace
}  // namespace signfold
