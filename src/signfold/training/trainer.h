// Straight-through training of an encoder and its linear decoder (docs/math.md section 9), one resumable step at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "signfold/base/ranks.h"
#include "signfold/base/team.h"
#include "signfold/encoder/encoder.h"
#include "signfold/training/autoencoder.h"
#include "signfold/training/batches.h"
#include "signfold/training/decay.h"
#include "signfold/training/optimizer.h"

namespace signfold {

/// What is done with the rows of B after each step, beyond giving them unit norm.
enum class RowConstraint {
  none,
  orthonormal,  ///< n ≤ d only: back to B Bᵀ = I, so that rows cannot compete for the same coordinate
};
/// "none" or "orthonormal"; throws Error otherwise.
RowConstraint parse_row_constraint(const std::string& text);
std::string to_string(RowConstraint constraint);

/// How to train. The defaults of default_training() need no tuning; all step sizes are for data with unit second
/// moment per coordinate.
struct TrainerOptions {
  TrainedDecoderChoice decoder;
  RowConstraint rows = RowConstraint::none;
  OptimizerKind optimizer = OptimizerKind::adam;
  std::size_t steps = 8000;
  std::size_t batch = 512;
  double step_size = 0.01;
  double network_step_size = 4e-3;  ///< of the parameters of a network decoder; default_training() has 0.07/√n
  double weight_decay = 0;          ///< of its matrices, per unit of step size (as in AdamW)
  Decay decay = Decay::cosine;      ///< of the step size, to 0
  double tau = 2;                   ///< width of the smoothed sign at the start
  double tau_end = 2;               ///< and at the end, along half a cosine
  std::uint64_t seed = 1;
  EncoderPtr given;  ///< untied, network: an encoder to keep as it is while the decoder is trained; none = train it
};

/// Measured choices: tied decoders with n ≤ d keep their rows orthonormal; a free decoder takes smaller batches and a
/// sharper sign, and no constraint; Adam with the same step size for all, but that of a network's own parameters falls
/// with √n: each of n bits adds to a hidden unit. Plain steps are ten times as long as those
/// with momentum, which add up to ten times their length.
TrainerOptions default_training(TrainedDecoderChoice decoder, OptimizerKind optimizer, std::size_t bits,
                                std::size_t dim);
/// Throws Error naming the option that makes no sense.
void check_training(const TrainerOptions& options, std::size_t bits, std::size_t dim);
/// Bytes that training holds at once, the vectors themselves not counted.
double training_bytes(const TrainerOptions& options, std::size_t bits, std::size_t dim);

/// All that training carries from step to step: a copy goes on to exactly the same bytes.
struct TrainerState {
  std::size_t step = 0;  ///< steps done
  Autoencoder net;
  Optimizer encoder;
  Optimizer decoder;                                     ///< of the matrix A, or of the gains (1 × n)
  Optimizer hidden_in, hidden_bias, hidden_out, offset;  ///< of a network
  double loss = 1;                                       ///< of the last batch, 1 = knowing nothing
  std::vector<std::pair<std::size_t, double>> history;   ///< (step, held-out risk)
  Autoencoder best;                                      ///< of a network: the one of least held-out risk so far
  double best_risk = std::numeric_limits<double>::infinity();
};

/// Every array in its size, all zero (gains 1).
TrainerState blank_state(const TrainerOptions& options, std::size_t bits, std::size_t dim);
/// Of a network: notes the present one as the best when its held-out risk is the least so far, so that training that
/// goes on to fit the training vectors only does no harm. No other decoder has the parameters for that.
void keep_best(TrainerState& state, double risk);
/// The best network, or whatever else was trained.
const Autoencoder& trained_net(const TrainerState& state);
/// The start: rows as given (n × d, normalised here; not looked at where options.given keeps an encoder), the decoder
/// fitted to the first vectors.
TrainerState start_training(const TrainerOptions& options, MatrixView<const float> rows, Batches& batches, Team& team);
/// Rank 0's start for every rank: on machines of different kinds, products and factorisations round differently.
void share_start(TrainerState& state, Ranks* ranks);
/// Throws Error when a batch has less than one row for each rank.
void check_shares(std::size_t batch, const Ranks* ranks);

/// Does the steps. Results do not depend on the number of threads. Several ranks divide each batch and then make the
/// same step: their states stay the same bytes, which differ from those of another number of ranks by the rounding of
/// sums.
class Trainer {
 public:
  /// References are kept, and `ranks`. Throws Error for options that make no sense or do not fit in memory.
  Trainer(const TrainerOptions& options, std::size_t bits, Batches& batches, Team& team, Ranks* ranks = nullptr);
  ~Trainer();

  /// One step. Throws Error when the loss is not finite or training diverges; the state is then not to be used.
  void step(TrainerState& state);
  /// Throws Error with the remedy when a loss or risk after `step` steps says that training diverged.
  void check_loss(std::size_t step, double loss) const;
  /// Σ‖x − x̂‖²/Σ‖x‖² over given vectors.
  double risk(const TrainerState& state, MatrixView<const float> x);

 private:
  void move_hidden(TrainerState& state, double rate);

  struct Work;
  TrainerOptions options_;
  Batches* batches_;
  Team* team_;
  Ranks* ranks_;
  RankShare share_;  ///< this rank's rows of a batch
  std::unique_ptr<Work> work_;
};

}  // namespace signfold
