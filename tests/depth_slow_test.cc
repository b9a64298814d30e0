// Depth at small dimensions: the guards of docs/rigamp.md section 5 and the default depth.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 77;

class Depth : public testing::TestWithParam<std::tuple<std::size_t, double>> {
 protected:
  static Evaluation run(const std::string& prior, double rate, const std::string& decoder, ScaleKind scale) {
    FitOptions options;
    options.rate = rate;
    options.decoder = decoder;
    options.encoder = "hadamard";
    options.scale = scale;
    options.seed = kSeed;
    const std::size_t dim = std::get<0>(GetParam());
    const PriorPtr law = parse_prior(prior);
    const Model model = model_for_prior(law, dim, options);
    const auto source =
        synthetic_source(law, 500, dim, kSeed + 1, scale == ScaleKind::none ? Norms::drawn : Norms::equal);
    return evaluate(model, *source, {});
  }

  static double best(const Evaluation& e) {
    return std::ranges::min_element(e.layers, {}, &LayerRisk::measured)->measured;
  }
};

TEST_P(Depth, TwelveLayersNeverBlowUpAndTheDefaultIsNearTheBest) {
  for (const char* prior : {"sparse-gaussian:0.05", "sparse-gaussian:0.1", "sparse-gaussian:0.3"}) {
    const double rate = std::get<1>(GetParam());
    for (const ScaleKind scale : {ScaleKind::f32, ScaleKind::none}) {
      SCOPED_TRACE(std::string(prior) + ", rate " + std::to_string(rate) + ", scale " + to_string(scale) + ", seed " +
                   std::to_string(kSeed));
      const Evaluation deep = run(prior, rate, "rigamp:12", scale);
      bool past_best = false;
      for (const LayerRisk& layer : deep.layers) {
        ASSERT_TRUE(std::isfinite(layer.measured));
        past_best = past_best || layer.measured == best(deep);
        if (past_best) {
          EXPECT_LE(layer.measured, 2 * best(deep));
        }
      }
      // Both runs see the same vectors and codes, so the comparison is paired: no statistical slack is needed.
      const Evaluation chosen = run(prior, rate, "rigamp", scale);
      EXPECT_LE(chosen.layers.back().measured, 1.05 * std::min(best(deep), best(chosen)));
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Sizes, Depth,
                         testing::Combine(testing::Values<std::size_t>(128, 256, 512),
                                          testing::Values(0.5, 0.75, 1.0, 1.5, 2.0, 3.0)));

}  // namespace
}  // namespace signfold
