#include "signfold/experiment/simulate.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"

namespace signfold::experiment {
namespace {

Evaluation evaluate_one(const Settings& settings, const Context& context, std::uint64_t seed) {
  const bool stored = settings.at("norm") == "stored";
  const int layers = settings.at("layers");
  FitOptions options;
  options.rate = settings.at("rate");
  options.encoder = settings.at("encoder");
  options.decoder = layers == 0 ? "linear" : fmt::format("rigamp:{}", layers);
  options.scale = stored ? ScaleKind::f32 : ScaleKind::none;
  options.seed = seed;
  options.threads = context.threads;
  const PriorPtr prior = prior_of(settings);
  const std::size_t dim = settings.at("dim");
  const Model model = model_for_prior(prior, dim, options);
  const auto source = synthetic_source(prior, settings.at("vectors"), dim, seed, stored ? Norms::equal : Norms::drawn);
  return evaluate(model, *source, {context.threads, {}});
}

/// Of one layer, over encoders.
Measurement combine(const std::vector<Evaluation>& evaluations, std::size_t layer) {
  const auto count = static_cast<double>(evaluations.size());
  const auto of = [&](const Evaluation& e) { return e.layers[std::min(layer, e.layers.size() - 1)]; };
  double mean = 0;
  double within = 0;
  for (const Evaluation& e : evaluations) {
    mean += of(e).measured / count;
    within += of(e).stderr_ * of(e).stderr_ / (count * count);
  }
  double between = 0;
  for (const Evaluation& e : evaluations) between += (of(e).measured - mean) * (of(e).measured - mean);
  if (count > 1) between /= count * (count - 1);
  return {"risk", {{"layer", layer}}, mean, std::sqrt(std::max(within, between))};
}

}  // namespace

PriorPtr prior_of(const Settings& settings) {
  return parse_prior(fmt::format("{}:{}", settings.at("prior").get<std::string>(), settings.at("p").get<double>()));
}

PointResult measure_layers(const Settings& settings, const Context& context) {
  constexpr std::uint64_t kBetweenEncoders = 1000;  // seeds of different points may meet, those of one point may not
  std::vector<Evaluation> evaluations;
  for (std::uint64_t k = 0; k < settings.at("encoders").get<std::uint64_t>(); ++k) {
    evaluations.push_back(evaluate_one(settings, context, context.seed + kBetweenEncoders * k));
  }
  PointResult result;
  for (std::size_t layer = 0; layer <= settings.at("layers").get<std::size_t>(); ++layer) {
    result.measurements.push_back(combine(evaluations, layer));
  }
  return result;
}

void predict_layers(Table& table, const Laws& laws) {
  for (Row& row : table.rows) {
    if (row.quantity != "risk" || !row.settings.contains("layer")) continue;
    const int layer = row.settings.at("layer");
    const double rate = row.settings.at("rate");
    row.prediction = layer == 0 ? laws.linear(rate) : laws.layers(prior_of(row.settings), rate, layer).back();
  }
}

}  // namespace signfold::experiment
