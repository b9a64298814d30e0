#include "signfold/theory/staged_evolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

VectorPrior law(const std::string& name) { return iid_prior(parse_prior(name)); }

TEST(StagedEvolution, OneStageIsTheTwoTermForm) {
  for (const char* prior : {"gaussian", "sparse-gaussian:0.1", "sparse-rademacher:0.5", "sparse-laplace:0.5"}) {
    for (const double fraction : {0.25, 1.0}) {
      const Schedule plain = state_evolution(law(prior), fraction, 6, 0);
      const auto stages = staged_evolution(law(prior), {{0, fraction}}, {.layers = 6, .stop = 0});
      ASSERT_EQ(stages[0].layers.size(), 6U);
      for (std::size_t t = 0; t < 6; ++t) {
        EXPECT_NEAR(stages[0].layers[t].risk, plain.layers[t].risk, 1e-10) << prior << " " << t;
        EXPECT_NEAR(stages[0].layers[t].rotations[0].variance, plain.layers[t].variance, 1e-10);
      }
    }
  }
}

TEST(StagedEvolution, OfAGaussianSource) {
  // One rotation in parts tells a Gaussian source what it tells at once; a second rotation has the residual as its
  // source, and knows at once what signs of a Gaussian tell.
  const auto parts = staged_evolution(law("gaussian"), {{0, 0.25}, {0, 0.25}, {0, 0.5}}, {.layers = 30, .stop = 0});
  EXPECT_NEAR(parts[0].risk(), linear_risk_limit(0.25), 1e-10);
  EXPECT_NEAR(parts[1].risk(), linear_risk_limit(0.5), 1e-10);
  EXPECT_NEAR(parts[2].risk(), linear_risk_limit(1), 1e-10);
  const auto two = staged_evolution(law("gaussian"), {{0, 1}, {1, 1}}, {.layers = 1, .stop = 0});
  EXPECT_NEAR(two[1].variance, linear_risk_limit(1), 1e-12);
  // First layer: the old signs are read again with the variance they had, which tells what it told before, and the new
  // ones add c/((1 − c) m): 1/m becomes 1/m + c/((1 − c) m) = 1/((1 − c) m).
  EXPECT_NEAR(two[1].risk(), std::pow(linear_risk_limit(1), 2), 1e-10);
}

TEST(StagedEvolution, OfSparseSources) {
  // From an independent program (numpy and scipy): state evolution with thresholds, until a layer gains less than 0.1
  // %.
  struct Row {
    const char* prior;
    std::vector<RotationRows> stages;
    double risk;
  };
  const std::vector<RotationRows> quarters(4, {0, 0.25});
  std::vector<RotationRows> eight = quarters;
  for (int k = 0; k < 4; ++k) eight.push_back({1, 0.25});
  for (const Row& row :
       {Row{"sparse-gaussian:0.1", quarters, 0.01303}, Row{"sparse-gaussian:0.3", quarters, 0.20758},
        Row{"sparse-gaussian:0.3", {{0, 1}, {1, 1}}, 0.03356}, Row{"gaussian", {{0, 1}, {1, 1}}, 0.12106},
        Row{"sparse-gaussian:0.3", eight, 0.01530}, Row{"gaussian", eight, 0.11750}}) {
    const auto stages = staged_evolution(law(row.prior), row.stages, {.layers = 60, .stop = 1e-3});
    EXPECT_NEAR(stages.back().risk(), row.risk, 1e-5) << row.prior << ", " << row.stages.size() << " stages";
  }
}

TEST(StagedEvolution, EveryLayerLowersTheRiskAndNothingLeavesItsRange) {
  for (const char* prior : {"gaussian", "sparse-gaussian:0.05", "sparse-rademacher:0.2", "sparse-laplace:1"}) {
    double before = 1;
    for (const StageScalars& stage : staged_evolution(law(prior), {{0, 0.5}, {0, 0.5}, {1, 1}, {2, 1}, {3, 1}})) {
      EXPECT_GT(stage.variance, 0);
      for (const StagedLayer& layer : stage.layers) {
        EXPECT_LE(layer.risk, before * (1 + 1e-9)) << prior;
        EXPECT_GE(layer.risk, 1e-10);
        before = layer.risk;
        for (const RotationScalars& rotation : layer.rotations) {
          EXPECT_TRUE(rotation.variance > 0 && rotation.variance <= 1);
          EXPECT_TRUE(rotation.information >= 0 && rotation.information < 1);
          EXPECT_TRUE(std::isfinite(rotation.precision));
        }
      }
    }
  }
}

TEST(StagedEvolution, WhatDecodersWeighByStaysInProportion) {
  const PriorPtr atoms = make_mixture("atoms", {{0.25, -3, 0}, {0.25, -1, 0}, {0.25, 1, 0}, {0.25, 3, 0}}, true);
  for (const PriorPtr& prior : {atoms, make_gaussian()}) {
    std::vector<RotationRows> stages;
    for (std::size_t r = 0; r < 16; ++r) stages.push_back({r, 1});
    double before = 1;
    for (const StageScalars& stage : staged_evolution(iid_prior(prior), stages)) {
      for (const StagedLayer& layer : stage.layers) {
        double precision = 0;
        for (const RotationScalars& rotation : layer.rotations) {
          precision += rotation.precision;
          // Exact, V/m is 1/(1 − γ_r m), not far above 1; limits that do not fit each other make it 0.01 or 100.
          EXPECT_GE(rotation.variance / before, 0.3) << prior->name();
          EXPECT_LE(rotation.variance / before, 10) << prior->name();
        }
        EXPECT_NEAR(precision / layer.precision, 1, 1e-9) << prior->name();
        before = layer.risk;
      }
    }
  }
}

TEST(StagedEvolution, RefusesWhatMakesNoSense) {
  const auto run = [](const std::vector<RotationRows>& stages, StageEvolutionOptions options = {}) {
    return [=] { staged_evolution(law("gaussian"), stages, options); };
  };
  EXPECT_THAT(run({}), ThrowsMessage<Error>(HasSubstr("no stages")));
  EXPECT_THAT(run({{0, 0.6}, {0, 0.5}}), ThrowsMessage<Error>(HasSubstr("1.1 with those before it")));
  EXPECT_THAT(run({{0, 0}}), ThrowsMessage<Error>(HasSubstr("a fraction 0")));
  EXPECT_THAT(run({{3, 1}}), ThrowsMessage<Error>(HasSubstr("rotation 3 of 1")));
  EXPECT_THAT(run({{0, 1}}, {.layers = 0}), ThrowsMessage<Error>(HasSubstr("0 layers")));
}

}  // namespace
}  // namespace signfold
