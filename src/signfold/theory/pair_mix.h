// The mixed encoder on rotated pairs of coordinates (docs/math.md section 4): better still on discrete sources.
#pragma once

#include "signfold/theory/mixed_risk.h"

namespace signfold {

/// The law of cos θ·x + sin θ·x' for independent x and x' of a prior that is made of at most 16 atoms. Throws Error for
/// other priors.
PriorPtr rotated_pair(const Prior& prior, double angle);

struct PairOptimum {
  double angle = 0;  ///< θ in [0, π/4]; 0 = the mixed encoder itself
  MixedOptimum mix;
};
/// B = R(mI + √(1−m²)K), R = rotations of disjoint pairs of rows by θ: still orthogonal, a bit watches two coordinates,
/// and the risk of its linear decoder is the mixed_risk of rotated_pair(prior, θ). The best θ (to about 1e-4) with its
/// best m, for rates ≤ 1. Throws Error for other rates, and as rotated_pair does.
PairOptimum optimal_pair_mix(const Prior& prior, double rate);

}  // namespace signfold
