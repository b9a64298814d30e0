// Training on the expected risk itself.
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/codec/train_keeper.h"
#include "signfold/codec/train_methods.h"
#include "signfold/encoder/dense.h"
#include "signfold/training/population_descent.h"
#include "signfold/training/population_risk.h"

namespace signfold {
namespace {

using nlohmann::json;

/// A descent and what it has reported so far.
struct PopulationRun {
  PopulationState state;
  std::size_t step = 0;  ///< of the state, where Keeper looks for it
  std::vector<std::pair<std::size_t, double>> history;
};

Checkpoint to_checkpoint(const PopulationRun& run, json settings) {
  Checkpoint checkpoint = signfold::to_checkpoint(run.state, std::move(settings));
  checkpoint.progress["history"] = run.history;
  return checkpoint;
}

PopulationRun from_checkpoint(const Checkpoint& checkpoint, EncoderShape shape, const std::string& path) {
  PopulationRun run;
  run.state = population_state(checkpoint, shape.bits, shape.dim, path);
  run.step = run.state.step;
  run.history = checkpoint.progress.value("history", run.history);
  return run;
}

/// The probability of a coordinate not being zero, for the priors whose population risk has a formula.
double sparsity(const TrainRequest& request) {
  constexpr std::string_view kSparse = "sparse-gaussian:";
  const std::string name = request.prior ? request.prior->name() : "data";
  if (name == "gaussian") return 1;
  if (!name.starts_with(kSparse)) {
    fail(
        "the population risk of {} has no formula: use method straight-through, or a gaussian or sparse-gaussian prior",
        name);
  }
  return std::strtod(name.c_str() + kSparse.size(), nullptr);
}

Matrix<double> widened(MatrixView<const float> a) {
  Matrix<double> out(a.rows, a.cols);
  for (std::size_t i = 0; i < a.rows; ++i) std::ranges::copy(a.row(i), out.row(i).begin());
  return out;
}

Matrix<float> narrowed(const Matrix<double>& a) {
  Matrix<float> out(a.rows(), a.cols());
  std::ranges::transform(a.values(), out.values().begin(), [](double v) { return static_cast<float>(v); });
  return out;
}

DescentOptions resolve(const TrainRequest& request, double p) {
  DescentOptions options;
  options.steps = request.steps.value_or(options.steps);
  options.step_size = request.step_size.value_or(options.step_size);
  options.masks = p == 1 ? 1 : request.masks;
  options.noise = request.noise;
  options.seed = request.seed;
  options.threads = request.threads;
  return options;
}

json settings_of(const TrainRequest& request, const TrainSource& source, EncoderShape shape,
                 const DescentOptions& options) {
  json settings = common_settings(request, source, shape);
  settings.update({{"steps", options.steps}, {"masks", options.masks}, {"noise", options.noise}});
  return settings;
}

void do_steps(const TrainRequest& request, double p, const DescentOptions& options, PopulationRun& run,
              Keeper& keeper) {
  while (run.state.step < options.steps && !run.state.converged) {
    throw_if_interrupted();
    descent_step(run.state, p, options);
    run.step = run.state.step;
    if (belongs_in_history(run.step, options.steps) || run.state.converged) {
      run.history.emplace_back(run.step, run.state.risk);
    }
    if (keeper.due()) keeper.save(run);
    if (request.progress) request.progress({run.step, options.steps, run.state.risk});
  }
}

/// Σ⟨a_i, b_i⟩/n: the gain of the tied decoder that is closest to this one.
double mean_gain(const Matrix<double>& decoder, const Matrix<double>& rows) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) sum += decoder.data()[i] * rows.data()[i];
  return sum / static_cast<double>(rows.rows());
}

}  // namespace

double population_bytes(EncoderShape shape) {
  const auto n = static_cast<double>(shape.bits);
  const auto d = static_cast<double>(shape.dim);
  return sizeof(double) * (7 * n * d + 4 * n * n);  // rows before and after, gradient, decoder, two moments; scratch
}

TrainOutcome train_population(const TrainRequest& request, TrainSource& source, EncoderShape shape) {
  constexpr std::size_t kMeasuringMasks = 4000;
  const double p = sparsity(request);
  const DescentOptions options = resolve(request, p);
  Keeper keeper(request, settings_of(request, source, shape, options));
  const std::optional<Checkpoint> resumed = keeper.resumed();
  PopulationRun run;
  if (resumed) {
    run = from_checkpoint(*resumed, shape, request.checkpoint);
  } else {
    run.state = start_descent(widened(start_rows(request, shape)), options);
  }
  TrainOutcome outcome;
  run_and_keep(request, keeper, run, options.steps, [&] {
    do_steps(request, p, options, run, keeper);
    const Matrix<float> rows = narrowed(run.state.rows);
    const SignMoments moments = sign_moments(
        run.state.rows, draw_masks(shape.dim, p, kMeasuringMasks, request.seed, options.steps), request.threads);
    const Matrix<double> decoder = best_decoder(moments);
    outcome.encoder = make_dense(rows, "trained", request.seed);
    outcome.report = common_report(request, rows, shape.rate());
    if (request.decoder == TrainedDecoder::tied) {
      outcome.parameters = tied_parameters(request, *outcome.encoder, mean_gain(decoder, run.state.rows));
      outcome.report.alpha = outcome.parameters.linear_gain;
    } else {
      outcome.parameters = affine_parameters(*outcome.encoder, {narrowed(decoder), std::vector<float>(shape.dim)});
    }
    const RiskEstimate risk = measure_risk(run.state.rows, p, kMeasuringMasks, request.seed, request.threads);
    outcome.report.risk = risk.mean;
    outcome.report.stderr_ = risk.standard_error;
    outcome.parameters.linear_risk = risk.mean;
  });
  outcome.report.steps = run.state.step;
  outcome.report.history = std::move(run.history);
  return outcome;
}

}  // namespace signfold
