// The vectors that training sees, and those it is measured on.
#pragma once

#include <memory>
#include <string>

#include "signfold/base/team.h"
#include "signfold/codec/train.h"
#include "signfold/source/source.h"
#include "signfold/training/batches.h"

namespace signfold {

constexpr std::size_t kWatched = 1024;  ///< held-out vectors of the history, or fewer where data have fewer

struct TrainSource {
  std::string name;      ///< what it is, for metadata and messages
  std::string identity;  ///< what a checkpoint must agree on: the prior, or a hash of the data
  std::size_t dim = 0;
  Matrix<float> rows;  ///< data: the training vectors, centred and scaled to unit mean square; empty for a prior
  /// A few vectors held out of training, in the same coordinates, for the history: some of those of the final risk, but
  /// others for networks, which choose the best step by them.
  Matrix<float> watched;
  std::unique_ptr<Batches> batches;
  Transform transform;               ///< data: the centring
  double unit = 1;                   ///< data: root mean square of a centred coordinate
  std::unique_ptr<Source> held_out;  ///< in the original coordinates, for the final risk
  Matrix<float> held_out_rows;       ///< what held_out reads where it is not a file
  std::vector<std::size_t> item_shape;
};

/// Reads and prepares what the request names. Throws Error for data without variance or with too few vectors.
std::unique_ptr<TrainSource> open_train_source(const TrainRequest& request, Team& team);

}  // namespace signfold
