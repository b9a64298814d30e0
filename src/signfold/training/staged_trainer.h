// Training a staged code: stage by stage, then all stages together, at last on the bits that a search finds
// (docs/math.md section 13), one resumable step at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "signfold/base/team.h"
#include "signfold/decoder/trained_stages.h"
#include "signfold/training/batches.h"
#include "signfold/training/optimizer.h"

namespace signfold {

/// How to train; step sizes are for data with unit second moment per coordinate.
struct StagedOptions {
  std::vector<std::size_t> bits;            ///< of each stage
  std::vector<std::size_t> hidden = {256};  ///< H of each stage; one number for all of them
  std::size_t steps = 6000;                 ///< of each stage
  std::size_t joint_steps = 0;              ///< of all stages together, afterwards
  std::size_t search_steps = 0;             ///< likewise, at last, on the bits that a search finds
  std::size_t search_rounds = 8;            ///< of that search
  std::size_t batch = 256;
  double step_size = 0.003;         ///< of the encoders, along half a cosine to 0
  double network_step_size = 0.07;  ///< of everything else, divided by the root of the bits of a stage
  double joint_factor = 0.3;        ///< on both, when all stages are trained together
  double search_factor = 0.1;       ///< likewise, on the bits of a search
  double weight_decay = 0;          ///< of the hidden units' matrices, per unit of step size (as in AdamW)
  std::uint64_t seed = 1;
};
/// H of a stage, counted from 0.
std::size_t hidden_of(const StagedOptions& options, std::size_t stage);
/// Throws Error naming the option that makes no sense.
void check_staged(const StagedOptions& options, std::size_t dim);
/// Bytes that training holds at once, the vectors themselves not counted.
double staged_bytes(const StagedOptions& options, std::size_t dim);
/// Steps of the whole run.
std::size_t staged_steps(const StagedOptions& options);
/// Whether a stage, or a part of the training of all together, ends with this many steps: to be noted then, because
/// what follows starts from the best that was noted.
bool phase_ends(const StagedOptions& options, std::size_t step);

/// What Adam remembers of one stage.
struct StageOptimizers {
  Optimizer encoder, threshold, linear, in, bias, out, offset;
};

StageOptimizers stage_optimizers(const Stage& stage);

/// All that training carries from step to step: a copy goes on to exactly the same bytes.
struct StagedState {
  std::size_t step = 0;                     ///< steps done, of staged_steps()
  std::vector<Stage> stages;                ///< those begun; all but the last are done, until they are trained together
  std::vector<StageOptimizers> optimizers;  ///< of the last stage; of all once they are trained together
  std::vector<Stage> best;                  ///< what the optimizers move, as it was at the least held-out risk
  double best_measure =
      std::numeric_limits<double>::infinity();  ///< sum of the logarithms of their risks, after the search in its phase
  double loss = 1;                              ///< of the last stage in the last batch, 1 = knowing nothing
  std::vector<std::pair<std::size_t, double>> history;  ///< (step, held-out risk of the last stage begun)
};

class StagedTrainer {
 public:
  /// References are kept, and `watched`: vectors held out of training, in the coordinates of the batches. Throws Error
  /// for options that make no sense or do not fit in memory.
  StagedTrainer(const StagedOptions& options, Batches& batches, MatrixView<const float> watched, Team& team);
  ~StagedTrainer();

  /// One step; the first of a stage begins it. Throws Error when training diverges; the state is then not to be used.
  void step(StagedState& state);
  /// Measures the held-out risk, adds it to the history, and keeps what is the best so far of this stage. Returns it.
  double note(StagedState& state);
  /// Σ‖x − x̂‖²/Σ‖x‖² after every stage begun, with so many rounds of search_bits().
  std::vector<double> risks(const std::vector<Stage>& stages, MatrixView<const float> x, std::size_t rounds = 0);
  /// The stages, the best of those in training.
  std::vector<Stage> trained(const StagedState& state) const;

 private:
  double note(StagedState& state, bool searching);
  void begin_stage(StagedState& state);
  void begin_joint(StagedState& state) const;
  void prepare(const StagedState& state);
  void move(StagedState& state, std::size_t s, double factor, std::size_t step);

  struct Work;
  StagedOptions options_;
  Batches* batches_;
  MatrixView<const float> watched_;
  Team* team_;
  std::unique_ptr<Work> work_;  ///< for the stages begun
};

}  // namespace signfold
