// Theory against simulation: the risk that was predicted is the risk that is measured.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 20240701;

Evaluation simulate(const std::string& prior, double rate, std::size_t dim, std::uint64_t samples,
                    const std::string& encoder, const std::string& decoder) {
  FitOptions options;
  options.rate = rate;
  options.encoder = encoder;
  options.decoder = decoder;
  options.scale = ScaleKind::f32;
  options.seed = kSeed;
  const PriorPtr law = parse_prior(prior);
  const Model model = model_for_prior(law, dim, options);
  const auto source = synthetic_source(law, samples, dim, kSeed + 1, Norms::equal);
  return evaluate(model, *source, {});
}

struct Case {
  const char* prior;
  double rate;
  std::size_t dim;
  const char* encoder;
  double relative;  ///< tolerance where the standard error is smaller
};

void PrintTo(const Case& c, std::ostream* os) {
  *os << c.prior << " r=" << c.rate << " d=" << c.dim << " " << c.encoder;
}

class Simulation : public testing::TestWithParam<Case> {};

TEST_P(Simulation, AgreesWithStateEvolution) {
  const Case c = GetParam();
  const std::string decoder = std::string(c.encoder).starts_with("mixed") ? "linear" : "rigamp:4";
  const Evaluation result = simulate(c.prior, c.rate, c.dim, 400, c.encoder, decoder);
  for (std::size_t t = 0; t < result.layers.size(); ++t) {
    const LayerRisk& layer = result.layers[t];
    // 5 standard errors of the 400 vectors; below that, the O(1/d) distance between d and infinity.
    const double tolerance = std::max(c.relative * layer.predicted, 5 * layer.stderr_);
    EXPECT_NEAR(layer.measured, layer.predicted, tolerance) << "layer " << t << ", seed " << kSeed;
  }
}

constexpr Case kHadamard[] = {
    {"sparse-gaussian:0.1", 0.5, 4096, "hadamard", 0.02}, {"sparse-gaussian:0.1", 1, 4096, "hadamard", 0.02},
    {"sparse-gaussian:0.1", 2, 4096, "hadamard", 0.02},   {"sparse-gaussian:0.3", 1, 4096, "hadamard", 0.02},
    {"sparse-rademacher:0.5", 1, 4096, "hadamard", 0.02}, {"sparse-laplace:0.3", 1, 4096, "hadamard", 0.02},
};
INSTANTIATE_TEST_SUITE_P(FastRotation, Simulation, testing::ValuesIn(kHadamard));

constexpr Case kMixed[] = {
    {"sparse-rademacher:0.5", 1, 4096, "mixed", 0.02},     {"sparse-rademacher:0.8", 1, 4096, "mixed", 0.02},
    {"sparse-rademacher:0.5", 0.5, 4096, "mixed", 0.02},   {"sparse-rademacher:0.5", 1.5, 4096, "mixed", 0.02},
    {"sparse-rademacher:0.8", 2, 4096, "mixed:0.9", 0.02},
};
INSTANTIATE_TEST_SUITE_P(MixedEncoder, Simulation, testing::ValuesIn(kMixed));

// One Haar case at full size here (its QR decomposition takes seconds); the others at d = 1024.
constexpr Case kHaar[] = {
    {"sparse-gaussian:0.1", 1, 4096, "haar", 0.02},   {"sparse-gaussian:0.1", 0.5, 1024, "haar", 0.03},
    {"sparse-gaussian:0.1", 2, 1024, "haar", 0.03},   {"sparse-gaussian:0.3", 1, 1024, "haar", 0.03},
    {"sparse-rademacher:0.5", 1, 1024, "haar", 0.03}, {"sparse-laplace:0.3", 1, 1024, "haar", 0.03},
};
INSTANTIATE_TEST_SUITE_P(Haar, Simulation, testing::ValuesIn(kHaar));

constexpr Case kOddSizes[] = {
    {"sparse-gaussian:0.1", 1, 784, "hadamard", 0.05},    {"sparse-gaussian:0.1", 0.5, 1000, "hadamard", 0.05},
    {"sparse-gaussian:0.1", 2, 1000, "hadamard", 0.05},   {"sparse-gaussian:0.3", 1, 3072, "hadamard", 0.05},
    {"sparse-rademacher:0.5", 1, 1000, "hadamard", 0.05}, {"sparse-laplace:0.3", 1.5, 784, "hadamard", 0.05},
    {"sparse-gaussian:0.1", 1, 3072, "hadamard", 0.05},
};
INSTANTIATE_TEST_SUITE_P(NonPowersOfTwo, Simulation, testing::ValuesIn(kOddSizes));

}  // namespace
}  // namespace signfold
