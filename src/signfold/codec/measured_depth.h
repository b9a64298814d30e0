// How deep a decoder should be on given data: real vectors leave the theory's assumptions, so the depth is measured.
#pragma once

#include <span>

#include "signfold/base/matrix.h"
#include "signfold/decoder/network.h"

namespace signfold {

/// The number of layers (≥ 1, or 0 for a network without) with the least risk Σ w‖t − t̂‖²/Σ w‖t‖² over at most 1000 of
/// the rows, evenly spread; a shallower one is preferred when it is within 0.2 %. rows: k × d, normalised, in the basis
/// of the network; weights: k numbers w.
int measured_depth(const Network& network, MatrixView<const float> rows, std::span<const double> weights, int threads);

}  // namespace signfold
