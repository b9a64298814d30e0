// Which coordinates share a learned law, and which laws they are (docs/math.md section 8).
#pragma once

#include <cstdint>
#include <span>

#include "signfold/base/matrix.h"
#include "signfold/prior/profile.h"

namespace signfold {

/// Fills prior.shapes and prior.shape_of from rows (k × d) with weights (k numbers), given offsets and scales. In
/// decreasing order of scale (for principal axes the order of the basis; for a cosine transform or wavelets nearly that
/// of frequency) the coordinates are cut into bands, each with its own mixture learned by EM. Where to cut is decided
/// on a fifth of the rows: halves (of the sum of scales) are halved again wherever that raises the likelihood of the
/// held out values by more than 2 standard errors over those rows. The laws are then learned from all rows. The result
/// does not depend on `threads`.
void learn_shapes(MatrixView<const float> rows, std::span<const double> weights, std::uint64_t seed, int threads,
                  VectorPrior& prior);

}  // namespace signfold
