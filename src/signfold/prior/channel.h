// What the laws share: checks of their parameters, and quadrature over the scalar channel y = x + N(0, 1/precision).
#pragma once

#include <span>
#include <string>

#include "signfold/prior/prior.h"
#include "signfold/prior/quadrature.h"

namespace signfold {

/// Throws Error unless p is in (0, 1] and not so small that 1/p² is out of scale; the message starts with `name`.
void check_sparsity(const std::string& name, double p);

/// Throws Error unless the precision is finite and ≥ 0 (0 = y tells nothing).
void check_precision(double precision);

/// Points and weights for integrals over y against the marginal of a law with the given features, precision > 0.
/// Panels reach 12 standard deviations of every feature seen through the channel, and none is wider than two of the
/// narrowest feature near it (docs/rigamp.md section 2.3).
QuadratureRule channel_rule(std::span<const Feature> features, double precision);

}  // namespace signfold
