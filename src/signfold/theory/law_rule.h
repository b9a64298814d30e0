// Expectations over a prior: its atoms, and a quadrature rule for the continuous rest.
#pragma once

#include "signfold/prior/prior.h"
#include "signfold/prior/quadrature.h"

namespace signfold {

/// Nodes in increasing order, with weights that sum to 1 − Σ atom weights: Σ w f(x) is the expectation of f over the
/// continuous part of the law. Panels resolve every feature() and, by doubling around 0 down to 1/4096 of the unit,
/// functions that bend there on any scale above that (such as the sign seen through a little noise). Empty when the
/// law has atoms only.
QuadratureRule continuous_rule(const Prior& prior);

}  // namespace signfold
