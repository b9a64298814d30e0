// Learned encoders against what theory says of them: the theorem, the phase transition, and real images.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "signfold/codec/train.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"

namespace signfold {
namespace {

constexpr std::size_t kDim = 200;

TrainRequest request_for(const std::string& prior, double rate, std::size_t steps) {
  TrainRequest request;
  request.prior = parse_prior(prior);
  request.dim = kDim;
  request.rate = rate;
  request.steps = steps;
  return request;
}

std::string described(const TrainReport& report) {
  return fmt::format(
      "risk {:.6f} +- {:.6f}, orthogonality {:.3g}, diagonal weight {:.3f}, {} steps in {:.1f} s, seed 1", report.risk,
      report.stderr_, report.shape.orthogonality, report.shape.diagonal_weight, report.steps, report.seconds);
}

class GaussianPopulation : public testing::TestWithParam<double> {};

// Up to r = 1 rows can be orthonormal and the limit is reached at any dimension: to nine digits. Above,
// 200 coordinates are a little short of infinitely many.
TEST_P(GaussianPopulation, ReachesTheLimitWithinAHundredSteps) {
  const double rate = GetParam();
  TrainRequest request = request_for("gaussian", rate, 100);
  request.method = TrainMethod::population;
  request.decoder = TrainedDecoder::untied;
  const TrainReport report = train(request).report;
  SCOPED_TRACE(described(report));
  const double limit = linear_risk_limit(rate);
  EXPECT_EQ(report.stderr_, 0);
  EXPECT_LE(report.steps, 100U);
  EXPECT_NEAR(report.risk, limit, rate <= 1 ? 1e-9 : 0.01 * limit);
  if (rate > 1) {
    EXPECT_GT(report.risk, limit);
  }
}

INSTANTIATE_TEST_SUITE_P(Train, GaussianPopulation, testing::Values(0.25, 0.5, 1.0, 1.5, 2.0, 3.0),
                         [](const auto& test) { return fmt::format("Rate{:.0f}percent", 100 * test.param); });

// The theorem of docs/math.md section 3: a linear decoder cannot see sparsity. 1.5 % is for 200 coordinates, of which
// finitely many are not zero; at r = 1 and p = .1 even the best rows known lie 2 % above the limit
// (population_descent_slow_test.cc).
TEST(TrainedOnSparseGaussian, CannotSeeSparsity) {
  struct Case {
    double rate;
    const char* prior;
    TrainMethod method;
    std::size_t steps;
  };
  for (const auto& [rate, prior, method, steps] :
       {Case{1, "sparse-gaussian:0.3", TrainMethod::population, 50},
        Case{1, "sparse-gaussian:0.3", TrainMethod::straight_through, 500},
        Case{1, "sparse-gaussian:0.6", TrainMethod::straight_through, 500},
        Case{0.5, "sparse-gaussian:0.1", TrainMethod::straight_through, 500}}) {
    TrainRequest request = request_for(prior, rate, steps);
    request.method = method;
    const TrainReport report = train(request).report;
    SCOPED_TRACE(fmt::format("{} {} at rate {}: {}", to_string(method), prior, rate, described(report)));
    EXPECT_NEAR(report.risk, linear_risk_limit(rate), 0.015 * linear_risk_limit(rate) + 5 * report.stderr_);
    EXPECT_LT(report.shape.orthogonality, 0.02);
  }
}

struct Transition {
  const char* prior;
  std::size_t steps;  // fewer than the default of 8000 where that is enough
};
class PhaseTransition : public testing::TestWithParam<Transition> {};

// Section 4: the rows stay delocalised as long as E x⁴ > 3, and go to the axes below, with the weight of the best mixed
// encoder. 3 % of the risk is what the issue asks for at 200 coordinates (found: 0.7 %, at p = .5).
TEST_P(PhaseTransition, FollowsTheBestMixedEncoder) {
  const auto [prior, steps] = GetParam();
  const TrainRequest request = request_for(prior, 1, steps);
  const TrainReport report = train(request).report;
  const MixedOptimum best = optimal_mix(*request.prior, 1);
  SCOPED_TRACE(fmt::format("{}: predicted {:.6f} at m = {:.3f}; {}", prior, best.risk, best.m, described(report)));
  EXPECT_NEAR(report.risk, best.risk, 0.03 * best.risk + 5 * report.stderr_);
  if (best.m == 0) {
    // The largest of 200 numbers of deviation 1/√200 is about 0.2; rows that go to an axis pass 0.4.
    EXPECT_LT(report.shape.diagonal_weight, 0.3);
  } else {
    EXPECT_LT(report.risk, 0.97 * std::min(*report.rotation, *report.identity));
    // Near its minimum the risk is flat in m: at p = .5, ±0.05 change it by 1 %.
    EXPECT_NEAR(report.shape.diagonal_weight, best.m, 0.05);
  }
}

INSTANTIATE_TEST_SUITE_P(Train, PhaseTransition,
                         testing::Values(Transition{"sparse-rademacher:0.3", 1000},
                                         Transition{"sparse-rademacher:0.5", 6000},
                                         Transition{"sparse-rademacher:0.8", 3000}),
                         [](const auto& test) { return fmt::format("Case{}", test.index); });

// Section 9: a law with E x⁴ = 6.65 for which 1 − ψ² has two minima, at m = 0 and m = 1, and between them a maximum at
// m = 0.51. Training goes down on the side where it starts.
TEST(TrainedOnOutliers, HasTwoStableShapes) {
  const PriorPtr prior = make_mixture("outliers", {{0.49, 0.9035, 0}, {0.49, -0.9035, 0}, {0.02, 0, 10}}, true);
  TrainRequest request = request_for("gaussian", 1, 700);
  request.prior = prior;
  request.start = "mixed:0.4";
  const TrainReport stays = train(request).report;
  EXPECT_NEAR(stays.risk, linear_risk_limit(1), 0.01) << described(stays);
  EXPECT_LT(stays.shape.diagonal_weight, 0.3) << described(stays);
  request.start = "mixed:0.65";
  const TrainReport report = train(request).report;
  SCOPED_TRACE(described(report));
  // The N(0, 10) that make .02 of the law make most of the error, and vary: 5 standard errors are 3 % here.
  EXPECT_NEAR(report.risk, optimal_mix(*prior, 1).risk, 0.01 * report.risk + 5 * report.stderr_);
  EXPECT_GT(report.shape.diagonal_weight, 0.99);
}

// With the default steps and no tuning. 0.198 is what the issue asks for; the default seed gives 0.195 with a standard
// error of 0.001, most of it common to all encoders, because the test images are the same.
TEST(TrainedOnFashionMnist, NeedsNinetyEightBits) {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "install the Debian package dataset-fashion-mnist";
  TrainRequest request;
  request.data = folder + "train-images-idx3-ubyte.gz";
  request.test = folder + "t10k-images-idx3-ubyte.gz";
  request.rate = 0.125;
  request.decoder = TrainedDecoder::untied;
  const Trained trained = train(request);
  EXPECT_EQ(trained.model.bits(), 98U);
  EXPECT_LE(trained.report.risk, 0.198) << described(trained.report);
}

}  // namespace
}  // namespace signfold
