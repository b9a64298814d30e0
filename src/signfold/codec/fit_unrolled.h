// network:L for a given encoder: the layers of theory, trained on vectors of a prior or on data (docs/rigamp.md section
// 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "signfold/decoder/network.h"
#include "signfold/training/unrolled_trainer.h"

namespace signfold {

struct UnrolledFitOptions {
  int layers = 3;
  UnrolledOptions training;
  std::uint64_t seed = 1;
  int threads = 0;  ///< results do not depend on it
  std::function<void(std::size_t step, std::size_t steps)> progress;
};

/// What training came to; risks are of the last layer, on held-out vectors.
struct UnrolledFit {
  NetworkParameters parameters;
  double untrained = 1;
  double trained = 1;
  double trained_stderr = 0;
  std::vector<std::pair<std::size_t, double>> history;
};

/// Half of the held-out vectors is for measuring what comes out, the other half says when to stop.
constexpr std::size_t kHeldOutRows = 3000;

/// Trains on rows (k × d, in the coordinates of the basis) with weights, of which a tenth, at most kHeldOutRows, is
/// held out. Throws Error for fewer than 20 rows, an encoder whose layers cannot be trained, and Error{interrupted}.
UnrolledFit fit_unrolled(const Encoder& encoder, const Basis& basis, const VectorPrior& prior,
                         MatrixView<const float> rows, std::span<const double> weights,
                         const UnrolledFitOptions& options);
/// Trains on fresh vectors of i.i.d. coordinates; `normed`: their norms are stored, so they are taken to have E x_j²
/// = 1.
UnrolledFit fit_unrolled(const Encoder& encoder, const PriorPtr& prior, bool normed, const UnrolledFitOptions& options);

/// The layers that training starts from, as parameters with everything else in them.
NetworkParameters untrained_network(const Encoder& encoder, const VectorPrior& prior, int layers);

}  // namespace signfold
