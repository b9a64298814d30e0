// The mixed encoder B = mP + √(1−m²)K: risk of its linear decoder and the best m (docs/math.md section 4).
#pragma once

#include "signfold/prior/prior.h"

namespace signfold {

/// ψ(m) = E|m x + √(1−m²) g|. Throws Error unless 0 ≤ m ≤ 1, as the others do, and they for a rate that is not
/// positive or a prior with E x² ≠ 1.
double psi(const Prior& prior, double m);
/// Risk of the best scalar decoder αBᵀz, in [0, 1]: 1 − r ψ(m)² for r ≤ 1. For r > 1 blocks with one P and independent
/// K are stacked, and the risk is 1 − (rψ)²/(r + (Σ_{b≠c} q_b q_c) C): q_b the rows of block b over d, the last one
/// partial, and C = E(E[B_bᵀz_b | x])² = E(m erf(m x/(s√2)) + s e x)² with s = √(1−m²), e = E 2φ(m x/s). m = 0 is the
/// rotation (at a fractional r > 1 a little above linear_risk_limit: the stack is no tight frame). m = 1 is the
/// identity, whose blocks are all alike: C = 1 there by the tie rule, also for exact zeros, whose bits any s > 0 makes
/// independent.
double mixed_risk(const Prior& prior, double m, double rate);
/// The gain α of that decoder.
double mixed_gain(const Prior& prior, double m, double rate);

struct MixedOptimum {
  double m = 0;
  double psi = 0;
  double risk = 1;
};
/// The global minimum of mixed_risk over m in [0, 1]: risk to 1e-12, m to about 1e-7 (1e-6 where the minimum is flat).
/// Exactly 0 or 1 where no other m gains 1e-12.
MixedOptimum optimal_mix(const Prior& prior, double rate);

}  // namespace signfold
