// Training a staged code.
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/memory.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/stages_for_rate.h"
#include "signfold/codec/train_keeper.h"
#include "signfold/codec/train_methods.h"
#include "signfold/simd/rows.h"
#include "signfold/training/leading_axes.h"
#include "signfold/training/staged_trainer.h"

namespace signfold {
namespace {

using nlohmann::json;

/// Passes over data as steps of training.
std::size_t steps_for(double epochs, std::size_t rows, std::size_t batch) {
  constexpr double kMostEpochs = 1e6;
  if (!(epochs >= 0 && epochs <= kMostEpochs))
    fail("{} epochs cannot be trained: take a number up to {}", epochs, kMostEpochs);
  return static_cast<std::size_t>(
      std::max(1.0, std::round(epochs * static_cast<double>(rows) / static_cast<double>(batch))));
}

StagedOptions resolve(const TrainRequest& request, const TrainSource& source) {
  StagedOptions options;
  options.bits = request.stages;
  if (!request.hidden.empty()) options.hidden = request.hidden;
  options.batch = request.batch.value_or(options.batch);
  options.steps = request.steps.value_or(options.steps);
  options.joint_steps = options.steps;
  if (!request.prior) {
    const std::size_t rows = source.rows.rows();
    if (!request.steps) options.steps = steps_for(request.epochs.value_or(kStageEpochs), rows, options.batch);
    options.joint_steps = steps_for(request.joint_epochs.value_or(kJointEpochs), rows, options.batch);
  }
  if (request.joint_epochs.value_or(1) == 0) options.joint_steps = 0;
  if (request.search_epochs.value_or(0) != 0) {
    options.search_steps = steps_for(*request.search_epochs, source.rows.rows(), options.batch);
  }
  options.search_rounds = request.search.value_or(options.search_rounds);
  options.step_size = request.step_size.value_or(options.step_size);
  options.network_step_size = request.network_step_size.value_or(options.network_step_size);
  options.weight_decay = request.weight_decay.value_or(request.prior ? 0 : kStageDecay);
  options.seed = request.seed;
  if (request.axes) check_axes(*request.axes, source.dim);
  check_staged(options, request.axes.value_or(source.dim));
  if (request.axes) {  // the model is written in all coordinates
    require_memory(staged_bytes(options, source.dim), fmt::format("a staged code of {} coordinates", source.dim),
                   "take fewer bits or fewer hidden units");
  }
  return options;
}

void check(const TrainRequest& request) {
  if (request.method == TrainMethod::population) fail("stages are trained on vectors: method straight-through");
  if (request.freeze_encoder || !request.start.empty())
    fail("--start and --freeze-encoder have no meaning for --stages");
  if (request.optimizer != OptimizerKind::adam || request.decay.value_or(Decay::cosine) != Decay::cosine) {
    fail("--optimizer and --decay have no meaning for --stages: adam, with a step size that falls along a cosine");
  }
  if (request.rows || request.tau || request.tau_end) fail("--rows and --tau have no meaning for --stages");
  if (several(request.ranks)) fail("the training of stages is not shared by ranks: run it without mpirun");
  if (request.prior && (request.epochs || request.joint_epochs.value_or(0) > 0)) {
    fail("fresh vectors of a prior have no epochs: take --steps in place of --epochs, and no --joint-epochs but 0");
  }
  if (request.prior && request.search_epochs.value_or(0) != 0) {
    fail("fresh vectors of a prior have no epochs: leave --search-epochs out");
  }
  if (request.steps && request.epochs) fail("give steps or epochs of a stage, not both");
  if (request.epochs && !(*request.epochs > 0)) fail("{} epochs cannot be trained: take more than 0", *request.epochs);
  if (request.prior && !request.augment.none()) fail("augmentation goes with images, not with a prior");
  if (request.prior && request.axes) fail("the coordinates of a prior have no principal axes: leave --axes out");
}

/// Where the request asks for it, training sees the coordinates along the leading axes in place of all.
struct Along {
  std::unique_ptr<const LeadingAxes> axes;  ///< null where it does not; the batches refer to them
  std::unique_ptr<Batches> batches;
  Matrix<float> watched;
  double outside = 0;  ///< part of the energy of the watched vectors that the axes leave out

  /// The risk in all coordinates.
  double whole(double risk) const { return outside + (1 - outside) * risk; }
  std::vector<Stage> whole(std::vector<Stage> stages) const {
    return axes ? in_all_coordinates(stages, *axes) : std::move(stages);
  }
};

Along take_axes(const TrainRequest& request, TrainSource& source, Team& team) {
  Along out;
  if (!request.axes) return out;
  out.axes = std::make_unique<const LeadingAxes>(leading_axes(*source.batches, *request.axes, request.seed, team));
  out.batches = batches_along(*source.batches, *out.axes);
  out.watched = Matrix<float>(source.watched.rows(), *request.axes);
  along(*out.axes, source.watched, out.watched, team);
  const double all = simd::energy(source.watched.values());
  const double unit = out.axes->unit;
  if (all > 0) out.outside = std::max(0.0, 1 - unit * unit * simd::energy(out.watched.values()) / all);
  return out;
}

// The step sizes are left out on purpose: a run that diverged may go on from its last good state with smaller ones.
json settings_of(const TrainRequest& request, const TrainSource& source, const StagedOptions& options,
                 const Along& along) {
  json settings{{"method", "stages"},
                {"vectors", source.identity},
                {"dim", source.dim},
                {"stages", options.bits},
                {"hidden", options.hidden},
                {"steps", options.steps},
                {"joint steps", options.joint_steps},
                {"batch", options.batch},
                {"weight_decay", options.weight_decay},
                {"augmentation", to_string(request.augment)},
                {"seed", options.seed}};
  // Null, so that a checkpoint that has them is not this run's either.
  settings["axes"] = along.axes ? json(along.axes->rows.rows()) : json();
  settings["hash of the axes"] = along.axes ? json(hash64(std::as_bytes(along.axes->rows.values()))) : json();
  const bool searching = options.search_steps > 0;
  settings["search steps"] = searching ? json(options.search_steps) : json();
  settings["search rounds"] = searching ? json(options.search_rounds) : json();
  return settings;
}

/// Changed images in place of the rows themselves.
void augment(const TrainRequest& request, TrainSource& source) {
  if (request.augment.none()) return;
  std::vector<float> mean = source.transform.mean;
  for (float& v : mean) v = static_cast<float>(v / source.unit);
  source.batches = augmented_batches(source.rows, source.item_shape, std::move(mean), request.augment, request.seed);
}

void do_steps(const TrainRequest& request, const StagedOptions& options, StagedTrainer& trainer, StagedState& state,
              const Along& along, Keeper& keeper) {
  const std::size_t steps = staged_steps(options);
  double risk = state.history.empty() ? 1 : state.history.back().second;
  while (state.step < steps) {
    throw_if_interrupted();
    trainer.step(state);
    if (phase_ends(options, state.step) || belongs_in_history(state.step, steps)) risk = trainer.note(state);
    if (keeper.due()) keeper.save(state);
    if (request.progress) request.progress({state.step, steps, along.whole(risk)});
  }
}

}  // namespace

Trained train_staged(const TrainRequest& request, Team& team, TrainSource& source) {
  check(request);
  const StagedOptions options = resolve(request, source);
  augment(request, source);
  const Along along = take_axes(request, source, team);
  StagedTrainer trainer(options, along.axes ? *along.batches : *source.batches,
                        along.axes ? along.watched : source.watched, team);
  const json settings = settings_of(request, source, options, along);
  Keeper keeper(request, settings);
  const std::optional<Checkpoint> resumed = keeper.resumed();
  StagedState state =
      resumed ? staged_state(*resumed, options, request.axes.value_or(source.dim), request.checkpoint) : StagedState{};
  Trained trained{bare_model(source), {}};
  trained.model.metadata["training"] =
      fmt::format("{} stages of {} hidden units", options.bits.size(), fmt::join(options.hidden, " + "));
  run_and_keep(request, keeper, state, staged_steps(options), [&] {
    do_steps(request, options, trainer, state, along, keeper);
    std::vector<Stage> stages = along.whole(trainer.trained(state));
    trained.model.staged = std::make_shared<TrainedStages>(along.whole(trainer.trained(state)));
    if (request.search || options.search_steps > 0) trained.model.search_rounds = options.search_rounds;
    std::vector<LayerRisk> risks = evaluate(trained.model, *source.held_out, {request.threads, {}}).prefixes;
    for (std::size_t s = 0; s < stages.size(); ++s) stages[s].risk = risks[s].predicted = risks[s].measured;
    trained.model.staged = std::make_shared<TrainedStages>(std::move(stages));
    trained.report.prefixes = risks;
    trained.report.risk = risks.back().measured;
    trained.report.stderr_ = risks.back().stderr_;
  });
  trained.report.steps = state.step;
  trained.report.history = std::move(state.history);
  for (auto& [step, risk] : trained.report.history) risk = along.whole(risk);
  return trained;
}

}  // namespace signfold
