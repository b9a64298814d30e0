// From a prior or a file of vectors to a model whose encoder was learned by gradient descent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "signfold/base/ranks.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/model.h"
#include "signfold/source/source.h"
#include "signfold/training/augment.h"
#include "signfold/training/trainer.h"

namespace signfold {

enum class TrainMethod {
  straight_through,  ///< on sampled vectors, of any prior or file (docs/math.md section 9)
  population,        ///< on the expected risk itself: gaussian and sparse-gaussian priors (section 3)
};
/// "straight-through" or "population"; throws Error otherwise.
TrainMethod parse_train_method(const std::string& text);
std::string to_string(TrainMethod method);

struct TrainProgress {
  std::size_t step = 0;
  std::size_t steps = 0;
  double risk = 1;
};

/// What to train on and how. Unset choices take the defaults of default_training() or DescentOptions.
struct TrainRequest {
  PriorPtr prior;                  ///< either: fresh vectors of i.i.d. coordinates,
  std::size_t dim = 0;             ///< this many;
  std::string data;                ///< or: the vectors of a file, centred, in units of their root mean square
  Source* vectors = nullptr;       ///< or: the vectors of a source that the caller keeps, in place of a file
  Source* test_vectors = nullptr;  ///< likewise, in place of `test`
  std::string test;  ///< with data: what the risk is measured on; empty = every k-th vector of data, held out. A
                     ///< network holds others out besides, to choose the step at which it was best
  double rate = 1;
  TrainMethod method = TrainMethod::straight_through;
  TrainedDecoderChoice decoder;
  OptimizerKind optimizer = OptimizerKind::adam;
  std::string start;  ///< "random" (independent uniform rows), a name of make_encoder, "dense:MODEL.sfm" or
                      ///< "dense:FILE.npy"; empty = random for population, haar for straight-through, hadamard to keep
  /// Bits of the stages of a staged code, trained in place of an encoder and its decoder: `rate`, `decoder` and `start`
  /// are not looked at, and steps are those of each stage. Empty = no stages. See stages_for_rate().
  std::vector<std::size_t> stages;
  std::vector<std::size_t> hidden;             ///< stages: hidden units of each; one number for all
  std::optional<double> epochs, joint_epochs;  ///< stages, data: passes for each stage; for all together (0 = none)
  Augmentation augment;                        ///< stages, images
  std::optional<double>
      search_epochs;                  ///< stages, data: passes at last, on the bits that a search finds (unset = none)
  std::optional<std::size_t> search;  ///< stages: rounds of that search, and of encoding with the model
  std::optional<std::size_t> axes;  ///< stages, data: train in so many principal axes; the model leaves out the others
  bool splines = false;             ///< network:L: train the pointwise functions too
  bool own_matrix = false;          ///< network:L behind an encoder that is kept: train a matrix of the layers too
  bool freeze_encoder =
      false;  ///< untied, network and layers: keep the encoder of `start` as it is, and train the decoder
  std::optional<std::size_t> steps, batch;
  std::optional<double> step_size, network_step_size, weight_decay, tau, tau_end;
  std::optional<Decay> decay;
  std::optional<RowConstraint> rows;
  std::size_t masks = 50;  ///< population, sparse sources: random masks per step
  double noise = 0;        ///< population: as in DescentOptions
  std::uint64_t seed = 1;
  int threads = 0;

  std::string checkpoint;          ///< where to save progress once a minute and on an interrupt; empty = nowhere
  bool resume = false;             ///< go on from the checkpoint
  double checkpoint_seconds = 60;  ///< between saves

  std::function<void(const TrainProgress&)> progress;  ///< called now and then

  Ranks* ranks = nullptr;  ///< processes that divide every batch: straight-through, but for network:L. All make this
                           ///< request with the same data and checkpoint; rank 0 alone writes checkpoints
};

struct TrainReport {
  double risk = 1;     ///< of the trained pair on vectors that training has not seen, 1 = knowing nothing
  double stderr_ = 0;  ///< 0 where the risk is exact
  /// What theory says of i.i.d. coordinates at this rate; unset for data.
  std::optional<double> rotation, identity, mixed;
  std::optional<double> mixed_m;    ///< where the best mixed encoder puts its weight
  std::optional<double> alpha;      ///< the gain of a tied decoder
  std::vector<LayerRisk> prefixes;  ///< stages: after each of them
  EncoderShapeReport shape;
  std::size_t steps = 0;
  double seconds = 0;
  std::vector<std::pair<std::size_t, double>>
      history;  ///< (step, risk); of sampled vectors or masks, so a little noisy
};

struct Trained {
  Model model;
  TrainReport report;
};

/// Trains, refits the decoder, measures. The same model, byte for byte, for any number of threads and whether or not
/// the run was interrupted and resumed; with several ranks, the same on each of them for as many ranks, and the same as
/// alone but for the rounding of sums. Throws Error for a request that makes no sense, does not fit in memory or
/// diverges (the last good checkpoint stays), and Error{interrupted} after writing a checkpoint.
Trained train(const TrainRequest& request);

}  // namespace signfold
