#include <fmt/format.h>

#include "signfold/cli/demo.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/text.h"
#include "signfold/codec/fit.h"
#include "signfold/theory/rate_distortion.h"

namespace signfold::cli {

Report demo_synthetic(const Common& common) {
  constexpr std::size_t kDim = 4096;
  constexpr std::uint64_t kVectors = 300;
  constexpr std::uint64_t kSeed = 1;
  const PriorPtr prior = parse_prior("sparse-gaussian:0.1");
  FitOptions options;
  options.encoder = "hadamard";
  options.decoder = "rigamp:8";
  options.scale = ScaleKind::f32;
  options.seed = kSeed;
  options.threads = common.threads;
  const Model model = model_for_prior(prior, kDim, options);
  const auto source = synthetic_source(prior, kVectors, kDim, kSeed, Norms::equal);
  const Evaluation evaluation = evaluate(model, *source, {common.threads, progress_line("synthetic vectors")});
  const double fixed_point = fixed_point_risk(iid_prior(prior), options.rate);
  const double limit = shannon_limit(*prior, options.rate);

  Report report;
  report.json = {{"prior", prior->name()}, {"rate", options.rate}, {"dim", kDim}, {"vectors", kVectors}};
  report.json.update(evaluation_json(evaluation));
  report.json["fixed_point"] = fixed_point;
  report.json["limit"] = limit;
  report.json["vectors_per_second"] = speeds_json(evaluation);
  report.text = fmt::format(
      "1. Synthetic vectors\n"
      "{} vectors of {} coordinates, one in ten not zero ({}). Rotated, then one bit per coordinate and one\n"
      "number for the norm are kept. Risk: squared error over energy; 1 = knowing nothing. The prediction was made\n"
      "from the prior and the rate alone.\n\n"
      "{}\n"
      "many layers, infinite dimension: {}   any code of 1 bit per coordinate (Shannon): {}\n{}",
      kVectors, kDim, prior->name(), evaluation_table(evaluation), number(fixed_point), number(limit),
      speeds_text(evaluation));
  return report;
}

}  // namespace signfold::cli
