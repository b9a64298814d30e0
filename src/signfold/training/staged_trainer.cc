#include "signfold/training/staged_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "signfold/base/bits.h"
#include "signfold/base/error.h"
#include "signfold/base/memory.h"
#include "signfold/decoder/fit_affine.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/rows.h"
#include "signfold/training/decay.h"
#include "signfold/training/staged_gradient.h"
#include "signfold/training/start_hidden.h"

namespace signfold {
namespace {

constexpr std::size_t kGrain = 16;  // rows of a matrix that one thread moves at a time
/// A loss this many times that of knowing nothing does not come back.
constexpr double kDiverged = 1e4;
constexpr double kNoRisk = 1e-30;  // keeps a logarithm finite

double energy(MatrixView<const float> x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.rows; ++i) sum += simd::energy(x.row(i));
  return sum;
}

std::vector<Stage> clones(const std::vector<Stage>& stages, std::size_t first) {
  std::vector<Stage> copies;
  for (std::size_t s = first; s < stages.size(); ++s) copies.push_back(stages[s].clone());
  return copies;
}

/// Where a step is: in the training of a stage, or of all together, without and with a search.
struct Phase {
  bool joint = false;
  bool searching = false;
  std::size_t within = 0;  ///< steps done of it
  std::size_t steps = 0;   ///< of it in all
  double factor = 1;       ///< on step sizes
};
Phase phase_of(const StagedOptions& options, std::size_t step) {
  const std::size_t alone = options.bits.size() * options.steps;
  if (step < alone) return {.within = step % options.steps, .steps = options.steps};
  const std::size_t together = step - alone;
  if (together < options.joint_steps) {
    return {.joint = true, .within = together, .steps = options.joint_steps, .factor = options.joint_factor};
  }
  return {.joint = true,
          .searching = true,
          .within = together - options.joint_steps,
          .steps = options.search_steps,
          .factor = options.search_factor};
}

}  // namespace

StageOptimizers stage_optimizers(const Stage& stage) {
  const auto of = [](std::size_t rows, std::size_t cols) { return Optimizer(OptimizerKind::adam, rows, cols); };
  const std::size_t bits = stage.bits();
  const std::size_t dim = stage.offset.size();
  return {
      of(bits, dim),           of(1, bits), of(bits, dim), of(stage.in.rows(), stage.hidden()), of(1, stage.hidden()),
      of(stage.hidden(), dim), of(1, dim)};
}

std::size_t hidden_of(const StagedOptions& options, std::size_t stage) {
  return options.hidden.size() == 1 ? options.hidden.front() : options.hidden[stage];
}

void check_staged(const StagedOptions& options, std::size_t dim) {
  check_stage_bits(options.bits);
  if (options.hidden.size() != 1 && options.hidden.size() != options.bits.size()) {
    fail("hidden units for {} stages, but there are {}: give one number for all, or one for each",
         options.hidden.size(), options.bits.size());
  }
  check_rounds(options.search_rounds);
  if (options.search_steps > 0 && options.search_rounds == 0) {
    fail("a search of 0 rounds finds nothing to train on: leave --search-epochs out");
  }
  if (dim == 0) fail("training needs at least one coordinate");
  for (const std::size_t bits : options.bits) check_shape({dim, bits});
  if (options.steps == 0) fail("training needs at least one step for each stage");
  if (options.batch < 2) fail("a batch of {} is too small to train on: take at least 2 vectors", options.batch);
  for (const double size :
       {options.step_size, options.network_step_size, options.joint_factor, options.search_factor}) {
    if (!(size > 0 && std::isfinite(size))) fail("a step size must be a positive number, not {}", size);
  }
  if (!(options.weight_decay >= 0 && std::isfinite(options.weight_decay))) {
    fail("the weight decay must be 0 or a positive number, not {}", options.weight_decay);
  }
}

double staged_bytes(const StagedOptions& options, std::size_t dim) {
  const auto d = static_cast<double>(dim);
  const auto rows = static_cast<double>(options.batch);
  double parameters = 0;
  double largest = 0;
  double work = 0;
  double before = 0;
  for (std::size_t s = 0; s < options.bits.size(); ++s) {
    const auto n = static_cast<double>(options.bits[s]);
    const auto h = static_cast<double>(hidden_of(options, s));
    before += n;
    const double stage = 2 * n * d + before * h + h * d;
    parameters += stage;
    largest = std::max(largest, stage);
    work += rows * (3 * d + 2 * n + 2 * h);
  }
  // The stages, the best of those in training, two moments and a gradient; the least-squares start in double precision.
  const double trained = options.joint_steps + options.search_steps > 0 ? parameters : largest;
  const auto most = static_cast<double>(*std::ranges::max_element(options.bits));
  return sizeof(float) * (2 * parameters + 3 * trained + work + 6 * most * (most + d) + 4 * most * d);
}

std::size_t staged_steps(const StagedOptions& options) {
  return options.bits.size() * options.steps + options.joint_steps + options.search_steps;
}

bool phase_ends(const StagedOptions& options, std::size_t step) {
  return step > 0 && (step >= staged_steps(options) || phase_of(options, step).within == 0);
}

struct StagedTrainer::Work {
  Work(const std::vector<Stage>& stages, std::size_t batch, Team& team)
      : x(batch, stages.front().offset.size()), pass(stages, batch, team) {
    std::size_t before = 0;
    for (const Stage& stage : stages) {
      gradient.push_back(blank_stage(stage.bits(), before, stage.hidden(), stage.offset.size()));
      before += stage.bits();
    }
  }
  Matrix<float> x;
  std::vector<Stage> gradient;
  StagedGradient pass;
};

StagedTrainer::StagedTrainer(const StagedOptions& options, Batches& batches, MatrixView<const float> watched,
                             Team& team)
    : options_(options), batches_(&batches), watched_(watched), team_(&team) {
  check_staged(options, batches.dim());
  require_memory(staged_bytes(options, batches.dim()),
                 fmt::format("training {} stages for {} coordinates in batches of {}", options.bits.size(),
                             batches.dim(), options.batch),
                 "take fewer bits, fewer hidden units or a smaller batch");
}

StagedTrainer::~StagedTrainer() = default;

/// Makes the workspace that the stages begun need.
void StagedTrainer::prepare(const StagedState& state) {
  if (work_ && work_->gradient.size() == state.stages.size()) return;
  work_.reset();
  work_ = std::make_unique<Work>(state.stages, options_.batch, *team_);
}

std::vector<double> StagedTrainer::risks(const std::vector<Stage>& stages, MatrixView<const float> x,
                                         std::size_t rounds) {
  std::optional<StagedGradient> other;
  if (!work_ || work_->gradient.size() != stages.size()) other.emplace(stages, options_.batch, *team_);
  StagedGradient& pass = other ? *other : work_->pass;
  std::vector<double> sums(stages.size());
  for (std::size_t begin = 0; begin < x.rows; begin += options_.batch) {
    const std::vector<double> errors =
        pass.errors(stages, x.row_range(begin, std::min(options_.batch, x.rows - begin)), rounds);
    for (std::size_t s = 0; s < sums.size(); ++s) sums[s] += errors[s];
  }
  const double nothing = energy(x);
  for (double& sum : sums) sum = nothing > 0 ? sum / nothing : 0;
  return sums;
}

std::vector<Stage> StagedTrainer::trained(const StagedState& state) const {
  std::vector<Stage> stages = clones(state.stages, 0);
  const std::size_t first = stages.size() - state.best.size();
  for (std::size_t s = first; s < stages.size(); ++s) stages[s] = state.best[s - first].clone();
  return stages;
}

/// The next stage: random orthonormal rows where there are few enough, and the least-squares decoder of their bits.
void StagedTrainer::begin_stage(StagedState& state) {
  constexpr std::size_t kLeast = 2000;
  constexpr std::size_t kPerBit = 6;
  state.stages = trained(state);
  const std::size_t number = state.stages.size();
  const std::size_t bits = options_.bits[number];
  const std::size_t dim = batches_->dim();
  std::size_t before = 0;
  for (const Stage& stage : state.stages) before += stage.bits();
  Stage stage = blank_stage(bits, before, hidden_of(options_, number), dim);
  const EncoderPtr start = make_dense(explicit_matrix(*make_haar({dim, bits}, options_.seed + number)));
  const MatrixView<const float> rows = dense_matrix(*start);
  for (std::size_t i = 0; i < bits; ++i) std::ranges::copy(rows.row(i), stage.encoder.row(i).begin());
  start_hidden(options_.seed, number, stage.in);

  Matrix<float> residual(std::max(kLeast, kPerBit * bits), dim);
  batches_->fill(0, residual, *team_);
  if (number > 0) {
    const TrainedStages code(clones(state.stages, 0));
    Matrix<std::uint8_t> codes(residual.rows(), code_bytes(code.bits()));
    Matrix<float> estimate(residual.rows(), dim);
    code.encode(residual, codes);
    code.decode(codes, number, estimate);
    simd::add_scaled(-1.0F, estimate.values(), residual.values());
  }
  AffineSums sums(bits, dim);
  sums.add(*start, residual, {});
  AffineFit fit = sums.solve();
  stage.linear = std::move(fit.decoder.matrix);
  stage.offset = std::move(fit.decoder.offset);

  state.optimizers.clear();
  state.optimizers.push_back(stage_optimizers(stage));
  state.stages.push_back(std::move(stage));
  state.best.clear();
  state.best_measure = std::numeric_limits<double>::infinity();
}

void StagedTrainer::begin_joint(StagedState& state) const {
  state.stages = trained(state);
  state.optimizers.clear();
  for (const Stage& stage : state.stages) state.optimizers.push_back(stage_optimizers(stage));
  state.best.clear();
  state.best_measure = std::numeric_limits<double>::infinity();
}

/// `step` counts from the first of this phase.
void StagedTrainer::move(StagedState& state, std::size_t s, double factor, std::size_t step) {
  Stage& stage = state.stages[s];
  Stage& slope = work_->gradient[s];
  StageOptimizers& optimizer = state.optimizers[s + state.optimizers.size() - state.stages.size()];
  const double rate = factor * options_.step_size;
  const double network_rate = factor * options_.network_step_size / std::sqrt(static_cast<double>(stage.bits()));
  const auto keep = static_cast<float>(1 - network_rate * options_.weight_decay);
  const auto move_rows = [&](Optimizer& how, float kept, Matrix<float>& gradient, Matrix<float>& parameters) {
    team_->run(parameters.rows(), kGrain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        if (kept != 1) simd::scale(parameters.row(i), kept);
        how.move(i, step, network_rate, gradient.row(i), parameters.row(i));
      }
    });
  };
  team_->run(stage.bits(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      optimizer.encoder.move_on_sphere(i, step, rate, slope.encoder.row(i), stage.encoder.row(i));
    }
  });
  optimizer.threshold.move(0, step, rate, slope.threshold, stage.threshold);
  move_rows(optimizer.linear, 1.0F, slope.linear, stage.linear);
  optimizer.offset.move(0, step, network_rate, slope.offset, stage.offset);
  if (stage.hidden() == 0) return;
  move_rows(optimizer.in, keep, slope.in, stage.in);
  move_rows(optimizer.out, keep, slope.out, stage.out);
  optimizer.bias.move(0, step, network_rate, slope.bias, stage.bias);
}

void StagedTrainer::step(StagedState& state) {
  const Phase phase = phase_of(options_, state.step);
  const bool joint = phase.joint;
  if (phase.within == 0) joint ? begin_joint(state) : begin_stage(state);
  prepare(state);
  if (phase.within == 0) note(state, phase.searching);  // training must not make worse what it starts from
  Work& work = *work_;
  batches_->fill(static_cast<std::uint64_t>(state.step) * options_.batch, work.x, *team_);
  const std::size_t last = state.stages.size() - 1;
  StagedLoss loss{.first = joint ? 0 : last,
                  .weights = std::vector<double>(last + 1, 1.0),
                  .relative = joint,
                  .rounds = phase.searching ? options_.search_rounds : 0};
  const std::vector<double> errors = work.pass.gradient(state.stages, loss, work.x, work.gradient);
  const double nothing = energy(work.x) / static_cast<double>(options_.batch);
  state.loss = nothing > 0 ? errors[last] / nothing : 0;
  if (!(state.loss < kDiverged)) {
    fail(
        "training diverged at step {}: the loss is {:.3g} times that of knowing nothing; take smaller step sizes than "
        "{} and {}",
        state.step, state.loss, options_.step_size, options_.network_step_size);
  }
  const double factor = decayed(Decay::cosine, phase.factor, 0, phase.within, phase.steps);
  for (std::size_t s = joint ? 0 : last; s <= last; ++s) move(state, s, factor, phase.within);
  ++state.step;
}

double StagedTrainer::note(StagedState& state) {
  return note(state, state.step > 0 && phase_of(options_, state.step - 1).searching);  // that of the last step done
}

double StagedTrainer::note(StagedState& state, bool searching) {
  const std::vector<double> now = risks(state.stages, watched_, searching ? options_.search_rounds : 0);
  state.history.emplace_back(state.step, now.back());
  const std::size_t first = state.stages.size() - state.optimizers.size();
  double measure = 0;  // of the stages in training, as their loss weighs them
  for (std::size_t s = first; s < now.size(); ++s) measure += std::log(std::max(now[s], kNoRisk));
  if (measure < state.best_measure) {
    state.best_measure = measure;
    state.best = clones(state.stages, first);
  }
  return now.back();
}

}  // namespace signfold
