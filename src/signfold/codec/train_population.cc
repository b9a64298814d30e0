// Training on the expected risk itself.
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
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

double inner(const Matrix<double>& a, const Matrix<double>& b) {
  return std::inner_product(a.values().begin(), a.values().end(), b.values().begin(), 0.0);
}

/// The α of least risk for the decoder αB.
double best_gain(const SignMoments& moments, const Matrix<double>& rows) {
  Matrix<double> filtered(rows.rows(), rows.cols());
  gemm(false, false, 1.0, moments.zz, rows, 0.0, filtered);
  return inner(moments.zx, rows) / inner(filtered, rows);
}

/// The decoder that was asked for, n × d, in closed form. Notes the gain of a tied one.
Matrix<double> chosen_decoder(const TrainRequest& request, const SignMoments& moments, const Matrix<double>& rows,
                              TrainReport& report) {
  if (request.decoder == TrainedDecoder::untied) return best_decoder(moments);
  report.alpha = best_gain(moments, rows);
  Matrix<double> decoder = rows.clone();
  for (double& v : decoder.values()) v *= *report.alpha;
  return decoder;
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
    const Matrix<double>& rows = run.state.rows;
    const Matrix<float> stored = narrowed(rows);
    outcome.encoder = make_dense(stored, "trained", request.seed);
    outcome.report = common_report(request, stored, shape.rate());
    const SourceMasks masks = draw_masks(shape.dim, p, kMeasuringMasks, request.seed, options.steps);
    const SignMoments moments = sign_moments(rows, masks, request.threads);
    const Matrix<double> decoder = chosen_decoder(request, moments, rows, outcome.report);
    outcome.parameters = outcome.report.alpha
                             ? tied_parameters(request, *outcome.encoder, *outcome.report.alpha)
                             : affine_parameters(*outcome.encoder, {narrowed(decoder), std::vector<float>(shape.dim)});
    const RiskEstimate risk = measure_risk(rows, decoder, p, kMeasuringMasks, request.seed, request.threads);
    outcome.report.risk = outcome.parameters.linear_risk = risk.mean;
    outcome.report.stderr_ = risk.standard_error;
  });
  outcome.report.steps = run.state.step;
  outcome.report.history = std::move(run.history);
  return outcome;
}

}  // namespace signfold
