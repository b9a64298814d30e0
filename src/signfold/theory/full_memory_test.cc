#include "signfold/theory/full_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "signfold/base/error.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/free_cumulants.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/sign_channel.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {

using Vector = std::vector<double>;

/// Without guards, as the document's values were computed.
constexpr MemoryOptions kPlain = {.stop = 0, .ridge = 0};

VectorPrior law(const std::string& text) { return iid_prior(parse_prior(text)); }

MemorySchedule evolution(const VectorPrior& prior, double rate, const Vector& eigenvalues, int layers,
                         const MemoryOptions& options = {}) {
  return full_memory_evolution(prior, rate, free_cumulants(eigenvalues, rate, cumulants_for(layers)), layers, options);
}

Vector orthonormal_spectrum(double rate, std::size_t n) {
  Vector values(n, 0.0);
  std::fill_n(values.begin(), std::lround(static_cast<double>(n) / std::max(1.0, rate)), std::max(1.0, rate));
  return values;
}

void expect_close(const Vector& found, const Vector& expected, double tolerance, const char* what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << what << " " << i + 1;
}

class TwoAtoms : public testing::Test {  // docs/rigamp.md section 4.6
 protected:
  static constexpr double kDigits = 1e-8;       // printed with 9
  static constexpr double kCoefficient = 1e-6;  // printed with 6
  const Vector eigenvalues_ = {1.5, 0.5};
};

TEST_F(TwoAtoms, ReproducesTheDocumentForSparseGaussians) {
  const auto layers = evolution(law("sparse-gaussian:0.1"), 1, eigenvalues_, 20, kPlain).layers;
  ASSERT_EQ(layers.size(), 20U);
  const double risks[] = {.170357639, .098746538, .078500484, .070791959};
  const double precisions[] = {1.218329039, 2.065576903, 2.557957763, 2.813495403};
  const double variances[] = {1, .209247568, .118033027, .093242267};
  for (std::size_t t = 0; t < 4; ++t) {
    EXPECT_NEAR(layers[t].risk, risks[t], kDigits) << t + 1;
    EXPECT_NEAR(layers[t].precision, precisions[t], kDigits) << t + 1;
    EXPECT_NEAR(layers[t].variance, variances[t], kDigits) << t + 1;
  }
  EXPECT_NEAR(layers[7].risk, .065033870, kDigits);
  EXPECT_NEAR(layers[19].risk, .064757822, kDigits);

  expect_close(layers[1].inputs, {-.111685, .940008}, kCoefficient, "a_2");
  expect_close(layers[1].outputs, {1.17326}, 1e-5, "b_2");
  expect_close(layers[1].onsager, {.012237, .191732}, kCoefficient, "alpha_2");
  expect_close(layers[1].correction, {-1.17326}, 1e-5, "beta_2");
  expect_close(layers[2].inputs, {.018838, -.150281, .974975}, kCoefficient, "a_3");
  expect_close(layers[2].outputs, {-.202771, 1.18978}, 1e-5, "b_3");
  expect_close(layers[2].correction, {.002039, -1.18978}, 1e-5, "beta_3");
  // Unit gain: a_2 μ_1 + a_2 μ_2 = 1, μ_1 = r.
  EXPECT_NEAR((1 - layers[1].inputs[0]) / layers[1].inputs[1], 1.182634109, kDigits);
}

TEST_F(TwoAtoms, ReproducesTheDocumentForSparseRademachers) {
  const auto layers = evolution(law("sparse-rademacher:0.5"), 1, eigenvalues_, 8, kPlain).layers;
  ASSERT_EQ(layers.size(), 8U);
  const double risks[] = {.441418015, .391400442, .390484276, .390358489};
  for (std::size_t t = 0; t < 4; ++t) EXPECT_NEAR(layers[t].risk, risks[t], kDigits) << t + 1;
  EXPECT_NEAR(layers[7].risk, .390338403, kDigits);
}

TEST_F(TwoAtoms, GuardsCostLessThanTheyTolerate) {
  // The ridge changes the printed digits by a few units of the seventh, and G1 stops within 1e-4 of the fixed point.
  for (const auto& [name, fixed_point] :
       {std::pair("sparse-gaussian:0.1", .064757791), std::pair("sparse-rademacher:0.5", .390338402)}) {
    const auto layers = evolution(law(name), 1, eigenvalues_, kMostMemoryLayers).layers;
    EXPECT_LT(layers.size(), 20U) << name;
    EXPECT_GT(layers.back().risk, fixed_point) << name;
    EXPECT_LT(layers.back().risk, fixed_point * (1 + 3e-4)) << name;
  }
}

struct Ensemble {
  const char* prior;
  double rate;
};
void PrintTo(const Ensemble& e, std::ostream* os) { *os << e.prior << " r=" << e.rate; }

class Orthonormal : public testing::TestWithParam<Ensemble> {};

TEST_P(Orthonormal, IsTheTwoTermForm) {
  const auto [name, rate] = GetParam();
  constexpr int kLayers = 12;
  const Schedule two_term = state_evolution(law(name), rate, kLayers);
  const auto full = evolution(law(name), rate, orthonormal_spectrum(rate, 20), kLayers).layers;
  ASSERT_GE(full.size() + 1, two_term.layers.size());  // G1 may fall on either side of its bound
  for (std::size_t t = 0; t < std::min(full.size(), two_term.layers.size()); ++t) {
    const LayerScalars& expected = two_term.layers[t];
    // What the ridge of 1e-6 changes: at most 1e-5 in these cases, more with every layer.
    EXPECT_NEAR(full[t].risk / expected.risk, 1, 2e-5) << "layer " << t + 1;
    EXPECT_NEAR(full[t].precision / expected.precision, 1, 2e-5) << "layer " << t + 1;
    EXPECT_NEAR(full[t].variance / expected.variance, 1, 2e-5) << "layer " << t + 1;
  }
}

constexpr Ensemble kEnsembles[] = {
    {"sparse-gaussian:0.1", 0.5},   {"sparse-gaussian:0.1", 1},    {"sparse-gaussian:0.1", 2},
    {"sparse-gaussian:0.3", 1},     {"sparse-gaussian:0.05", 0.2}, {"sparse-rademacher:0.5", 1},
    {"sparse-rademacher:0.5", 2},   {"sparse-laplace:0.3", 1.25},  {"gaussian", 4},
    {"sparse-rademacher:0.8", 1.25}};
INSTANTIATE_TEST_SUITE_P(Ensembles, Orthonormal, testing::ValuesIn(kEnsembles));

TEST(FullMemory, WithoutARidgeTheMemoryCollapses) {
  // docs/rigamp.md section 3: α_{ti} = 0 for i < t and β_{ti} = 0 for i < t − 1.
  const double rate = 0.8;
  const auto layers = evolution(law("sparse-gaussian:0.1"), rate, orthonormal_spectrum(rate, 1), 5, kPlain).layers;
  const Schedule two_term = state_evolution(law("sparse-gaussian:0.1"), rate, 5, 0);
  ASSERT_EQ(layers.size(), 5U);
  for (std::size_t t = 0; t < 5; ++t) {
    // Double precision through systems whose condition number grows to 1e4.
    EXPECT_NEAR(layers[t].risk, two_term.layers[t].risk, 1e-11);
    for (std::size_t i = 0; i < t; ++i) EXPECT_NEAR(layers[t].onsager[i], 0, 1e-9) << t + 1 << " " << i + 1;
    EXPECT_NEAR(layers[t].onsager[t], two_term.layers[t].onsager, 1e-9);
    for (std::size_t i = 0; i + 1 < t; ++i) EXPECT_NEAR(layers[t].correction[i], 0, 1e-9) << t + 1 << " " << i + 1;
    if (t == 0) continue;
    EXPECT_NEAR(layers[t].correction[t - 1], -rate * two_term.layers[t].memory, 1e-9);
  }
}

TEST(FullMemory, OfGaussianMatricesIsApproximateMessagePassing) {
  const double rate = 1.5;
  Vector kappa(cumulants_for(8), 0.0);
  kappa[0] = 1;
  const auto layers = full_memory_evolution(law("sparse-gaussian:0.3"), rate, kappa, 8, kPlain).layers;
  ASSERT_EQ(layers.size(), 8U);
  double variance = 1;
  for (const MemoryLayer& layer : layers) {
    EXPECT_NEAR(layer.variance, variance, 1e-9);
    EXPECT_NEAR(layer.precision, rate * sign_information(variance) / variance, 1e-8);
    // Only the newest x, r, and one step of memory.
    for (std::size_t i = 0; i + 1 < layer.inputs.size(); ++i) EXPECT_NEAR(layer.inputs[i], 0, 1e-6);
    for (std::size_t i = 0; i + 1 < layer.onsager.size(); ++i) EXPECT_NEAR(layer.onsager[i], 0, 1e-6);
    variance = layer.risk;
  }
}

TEST(FullMemory, LayerOneIsTheDenoiserBehindTheBestScalarDecoder) {
  const Vector eigenvalues = {2.5, 1.5, 1, 0.6, 0.3, 0.1};
  double fourth = 0;
  for (const double v : eigenvalues) fourth += v * v / 6;
  for (const double rate : {0.5, 1.0}) {
    const auto layers = evolution(law("sparse-laplace:0.3"), rate, eigenvalues, 1).layers;
    ASSERT_EQ(layers.size(), 1U);
    const ScalarDecoder scalar = best_scalar_decoder(rate, fourth);
    EXPECT_NEAR(layers[0].precision, scalar.precision, 1e-12);
    EXPECT_NEAR(layers[0].inputs[0], 1 / rate, 1e-12);
    EXPECT_TRUE(layers[0].outputs.empty());
  }
}

TEST(FullMemory, RecoversDiscreteLawsExactlyAndStops) {
  // SR .2 at r = 2: risk 0 for the orthonormal ensemble, and for a spectrum close to it.
  const auto layers = evolution(law("sparse-rademacher:0.2"), 2, {2.1, 1.9, 0, 0}, kMostMemoryLayers).layers;
  EXPECT_EQ(layers.back().risk, 0);
  for (const MemoryLayer& layer : layers) {
    for (const double v : {layer.variance, layer.information, layer.precision}) EXPECT_GT(v, 0);
  }
}

TEST(FullMemory, LayersDoNotDependOnHowManyFollow) {
  const Vector eigenvalues = {1.8, 1.1, 0.1};
  const auto few = evolution(law("sparse-gaussian:0.1"), 1, eigenvalues, 3).layers;
  const auto many = evolution(law("sparse-gaussian:0.1"), 1, eigenvalues, 12).layers;
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_DOUBLE_EQ(few[t].risk, many[t].risk);
    expect_close(few[t].inputs, many[t].inputs, 1e-14, "a");
  }
}

TEST(FullMemory, StaysFiniteFarBeyondConvergence) {
  for (const char* name : {"sparse-rademacher:0.5", "gaussian", "sparse-gaussian:0.02"}) {
    for (const double rate : {0.3, 1.0, 3.0}) {
      Vector eigenvalues(30);  // a spread like that of a Gaussian matrix, zeros included
      for (std::size_t i = 0; i < 30; ++i)
        eigenvalues[i] = std::max(0.0, std::pow((29.0 - static_cast<double>(i)) / 10, 2) - 0.5);
      const auto layers = evolution(law(name), rate, eigenvalues, kMostMemoryLayers, {.stop = 0}).layers;
      double best = 1;
      for (const MemoryLayer& layer : layers) {
        EXPECT_LT(layer.risk, best * (1 + 1e-5)) << name << " r=" << rate;
        best = layer.risk;
        for (const Vector& v : {layer.inputs, layer.outputs, layer.correction, layer.onsager}) {
          for (const double c : v) EXPECT_TRUE(std::isfinite(c)) << name << " r=" << rate;
        }
      }
    }
  }
}

TEST(FullMemory, RefusesImpossibleArguments) {
  const Vector kappa = free_cumulants(Vector{1.5, 0.5}, 1, cumulants_for(2));
  EXPECT_THROW(full_memory_evolution(law("gaussian"), 0, kappa, 2), Error);
  EXPECT_THROW(full_memory_evolution(law("gaussian"), 1, kappa, 0), Error);
  EXPECT_THROW(full_memory_evolution(law("gaussian"), 1, kappa, 3), Error);
  EXPECT_THROW(full_memory_evolution(law("gaussian"), 1, Vector(20, 0.5), 2), Error);
  EXPECT_THROW(full_memory_evolution(law("gaussian"), 1, kappa, 2, {.stop = -1}), Error);
}

}  // namespace
}  // namespace signfold
