// State evolution of a code that is kept in stages: later signs compare with what the earlier ones have told
// (docs/math.md section 13).
#pragma once

#include <cstddef>
#include <vector>

#include "signfold/prior/profile.h"

namespace signfold {

/// One stage keeps signs of some rows of a d × d rotation: a fraction of them, none of which an earlier stage has kept.
struct RotationRows {
  std::size_t rotation = 0;  ///< which of the independent rotations, counted from 0
  double fraction = 1;       ///< of its rows
};

/// What the layers know of one rotation B.
struct RotationScalars {
  double variance = 1;     ///< of Bx given all but the signs of this rotation [V]
  double information = 0;  ///< of its signs at that variance, averaged over all its rows [C]
  double precision = 0;    ///< with which its signs tell x [γ = C/((1 − C) V)]
};

/// One layer: every rotation that has signs is used once.
struct StagedLayer {
  std::vector<RotationScalars> rotations;
  double precision = 0;  ///< of all of them together: what the denoiser sees
  double risk = 1;
};

/// A stage: the variance of what its signs compare, and the layers that follow.
struct StageScalars {
  double variance = 1;  ///< of its rows of Bx before their signs are known
  std::vector<StagedLayer> layers;
  double risk() const { return layers.back().risk; }
};

struct StageEvolutionOptions {
  int layers = 20;     ///< at most, for each stage
  double stop = 1e-2;  ///< a stage ends with the layer that gains less than this part of the risk
};

/// The scalars of every stage. Throws Error for no stages, fractions that are not positive or add up to more than 1 in
/// a rotation, and options that make no sense. Risks and variances are never below 1e-10.
std::vector<StageScalars> staged_evolution(const VectorPrior& prior, const std::vector<RotationRows>& stages,
                                           const StageEvolutionOptions& options = {});

}  // namespace signfold
