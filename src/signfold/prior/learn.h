// A prior learned from data: EM for a one-dimensional Gaussian mixture, with an optional spike.
#pragma once

#include <span>

#include "signfold/prior/prior.h"

namespace signfold {

struct LearnOptions {
  int components = 8;    ///< Gaussian components besides the spike
  int iterations = 300;  ///< at most; stops when the log-likelihood per value gains less than tolerance
  double tolerance = 1e-7;
  /// A spike at the most frequent exact value is added when that value occurs at least 3 times and makes up
  /// more than this share of the data.
  double spike_share = 0.02;
  std::uint64_t seed = 0;
};

/// Fits a mixture to the values by EM (weighted by `weights` when not empty, same length). Values are binned
/// first, so that the cost does not grow with their number beyond one pass. The law has the data's mean and second
/// moment. Throws Error for fewer than 2 values or non-finite ones; constant data give a single spike.
PriorPtr learn_prior(std::span<const float> values, std::span<const float> weights, const LearnOptions& options);

}  // namespace signfold
