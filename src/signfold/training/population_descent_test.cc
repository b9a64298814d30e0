#include "signfold/training/population_descent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/theory/linear_risk.h"

namespace signfold {
namespace {

PopulationState copy(const PopulationState& s) {
  return {.step = s.step, .step_size = s.step_size, .risk = s.risk, .converged = s.converged, .rows = s.rows.clone()};
}

void expect_same_bytes(const PopulationState& a, const PopulationState& b) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.step_size, b.step_size);
  EXPECT_EQ(a.risk, b.risk);
  EXPECT_EQ(a.converged, b.converged);
  EXPECT_TRUE(std::ranges::equal(a.rows.values(), b.rows.values()));
}

// The theorem: any start ends at the limit of orthonormal rows, already at finite d.
TEST(PopulationDescent, GaussianReachesTheLimitUpToRateOne) {
  for (const std::size_t n : {50, 100, 200}) {
    DescentOptions options{.steps = 100, .seed = 1};
    PopulationState state = start_descent(n, 200, options);
    double before = 1;
    descend(state, 1, options, [&](const PopulationState& s) {
      EXPECT_LE(s.risk, before + 1e-12);  // never uphill but for rounding
      before = s.risk;
    });
    const double limit = linear_risk_limit(static_cast<double>(n) / 200);
    EXPECT_NEAR(state.risk, limit, 1e-9) << n << " bits, seed 1";
    EXPECT_NEAR(gaussian_linear_risk(state.rows), limit, 1e-9);
    EXPECT_TRUE(state.converged);
    EXPECT_LT(state.step, 30U);
  }
}

TEST(PopulationDescent, GoesOnExactlyWhereACopyOfItsStateStands) {
  const DescentOptions options{.steps = 6, .masks = 7, .noise = 0.01, .seed = 3};
  PopulationState whole = start_descent(30, 20, options);
  PopulationState half = copy(whole);
  descend(whole, 0.4, options, [&](const PopulationState& s) {
    if (s.step == 3) half = copy(s);
  });
  ASSERT_EQ(half.step, 3U);
  descend(half, 0.4, options);
  expect_same_bytes(whole, half);
}

TEST(PopulationDescent, DoesNotDependOnThreads) {
  DescentOptions options{.steps = 3, .masks = 5, .seed = 4};
  std::vector<PopulationState> ends;
  for (const int threads : {1, 3}) {
    options.threads = threads;
    ends.push_back(start_descent(110, 60, options));
    descend(ends.back(), 0.3, options);
  }
  expect_same_bytes(ends[0], ends[1]);
}

TEST(PopulationDescent, AnInterruptLeavesTheLastCompleteStep) {
  const DescentOptions options{.steps = 8, .masks = 5, .seed = 5};
  PopulationState whole = start_descent(12, 10, options);
  PopulationState stopped = copy(whole);
  descend(whole, 0.5, options);
  try {
    descend(stopped, 0.5, options, [](const PopulationState& s) {
      if (s.step == 3) request_interrupt();
    });
    ADD_FAILURE() << "was not interrupted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::interrupted);
  }
  clear_interrupt();
  EXPECT_EQ(stopped.step, 3U);
  descend(stopped, 0.5, options);
  expect_same_bytes(whole, stopped);
}

TEST(PopulationDescent, StepsThatAreTooLongAreHalved) {
  DescentOptions options{.steps = 60, .step_size = 1e4, .seed = 6};
  PopulationState state = start_descent(20, 20, options);
  double before = 1;
  descend(state, 1, options, [&](const PopulationState& s) {
    EXPECT_LE(s.risk, before + 1e-12);
    before = s.risk;
  });
  EXPECT_LT(state.step_size, 100);
  EXPECT_NEAR(state.risk, linear_risk_limit(1), 1e-9);
}

TEST(PopulationDescent, NoiseMovesTheEndByItsSizeOnly) {
  DescentOptions options{.steps = 40, .noise = 0.01, .seed = 7};
  PopulationState state = start_descent(50, 50, options);
  descend(state, 1, options);
  EXPECT_EQ(state.step, 40U);  // noise never converges
  const double excess = gaussian_linear_risk(state.rows) - linear_risk_limit(1);
  EXPECT_GT(excess, 1e-8);
  EXPECT_LT(excess, 1e-3);  // of the order of the noise squared
}

TEST(PopulationDescent, StartsFromGivenDirections) {
  Matrix<double> rows(2, 2);
  rows(0, 0) = 3;
  rows(1, 0) = 5;
  rows(1, 1) = 5;
  DescentOptions options;
  PopulationState state = start_descent(rows, options);
  EXPECT_DOUBLE_EQ(state.rows(0, 0), 1);
  EXPECT_DOUBLE_EQ(state.rows(1, 1), std::sqrt(0.5));
  descend(state, 1, options);
  EXPECT_NEAR(state.risk, linear_risk_limit(1), 1e-9);
}

TEST(PopulationDescent, TinyProblemsStayFinite) {
  struct Case {
    std::size_t n, d;
    double p;
  };
  for (const auto& [n, d, p] : {Case{1, 1, 1}, {4, 1, 1}, {4, 1, 0.01}, {3, 2, 0.3}, {1, 9, 0.02}, {7, 3, 0.9}}) {
    SCOPED_TRACE(testing::Message() << n << " rows of " << d << ", p = " << p);
    const DescentOptions options{.steps = 30, .masks = 3, .seed = 8};
    PopulationState state = start_descent(n, d, options);
    descend(state, p, options);
    EXPECT_TRUE(std::isfinite(state.risk));
    for (std::size_t i = 0; i < n; ++i) {
      double norm = 0;
      for (const double v : state.rows.row(i)) norm += v * v;
      EXPECT_NEAR(norm, 1, 1e-14);
    }
  }
}

TEST(PopulationDescent, RefusesWhatMakesNoSense) {
  EXPECT_THROW(start_descent(0, 5, {}), Error);
  EXPECT_THROW(start_descent(5, 0, {}), Error);
  EXPECT_THROW(start_descent(Matrix<double>(2, 3), {}), Error);  // zero rows
  Matrix<double> broken(1, 2);
  broken(0, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(start_descent(broken, {}), Error);
  EXPECT_THROW(start_descent(2, 3, {.step_size = 0}), Error);
  EXPECT_THROW(start_descent(2, 3, {.step_size = std::numeric_limits<double>::infinity()}), Error);
  EXPECT_THROW(start_descent(2, 3, {.masks = 0}), Error);
  EXPECT_THROW(start_descent(2, 3, {.noise = -1}), Error);
  PopulationState state = start_descent(2, 3, {});
  EXPECT_THROW(descend(state, 0, {}), Error);
}

}  // namespace
}  // namespace signfold
