#include "signfold/codec/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/base/error.h"
#include "signfold/codec/fit.h"
#include "signfold/source/source.h"

namespace signfold {
namespace {
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

SimulateOptions small(const std::string& decoder) {
  SimulateOptions options;
  options.prior = "sparse-gaussian:0.2";
  options.dim = 64;
  options.samples = 40;
  options.decoder = decoder;
  return options;
}

TEST(Simulate, IsEvaluateOnSyntheticVectors) {
  const SimulateOptions options = small("rigamp:2");
  const Simulation simulation = simulate(options);
  const PriorPtr prior = parse_prior(options.prior);
  FitOptions fit_options;
  fit_options.encoder = "hadamard";
  fit_options.decoder = "rigamp:2";
  fit_options.scale = ScaleKind::f32;
  const Model model = model_for_prior(prior, 64, fit_options);
  const auto source = synthetic_source(prior, 40, 64, 1, Norms::equal);
  const Evaluation wanted = evaluate(model, *source, {});
  ASSERT_EQ(simulation.evaluation.layers.size(), 3U);
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_EQ(simulation.evaluation.layers[t].measured, wanted.layers[t].measured);
    EXPECT_EQ(simulation.evaluation.layers[t].predicted, wanted.layers[t].predicted);
  }
  EXPECT_EQ(simulation.encoder, "hadamard");
  EXPECT_FALSE(simulation.default_layers);
}

TEST(Simulate, PromisesTheLayersThatWereAskedFor) {
  SimulateOptions options = small("rigamp:5");
  options.prior = "gaussian";  // converges after one layer
  const std::vector<LayerRisk> layers = simulate(options).evaluation.layers;
  ASSERT_EQ(layers.size(), 6U);
  EXPECT_EQ(layers[5].measured, layers[1].measured);
}

TEST(Simulate, SaysHowManyLayersItChose) {
  const Simulation simulation = simulate(small("auto"));
  ASSERT_TRUE(simulation.default_layers);
  EXPECT_EQ(simulation.evaluation.layers.size(), static_cast<std::size_t>(*simulation.default_layers) + 1);
  EXPECT_FALSE(simulate(small("linear")).default_layers);
}

TEST(Simulate, ComplainsAboutNames) {
  SimulateOptions options = small("linaer");
  EXPECT_THAT([&] { simulate(options); }, ThrowsMessage<Error>(HasSubstr("did you mean 'linear'?")));
}

}  // namespace
}  // namespace signfold
