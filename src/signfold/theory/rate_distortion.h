// Shannon's limit: the least risk any code of r bits per coordinate can have (docs/math.md section 7).
#pragma once

#include "signfold/prior/prior.h"

namespace signfold {

/// D(r) of the prior under squared error, r ≥ 0 in bits: closed form for the Gaussian, otherwise Blahut–Arimoto on a
/// fine grid. Absolute error below 1e-3·E x². Takes well under a second.
double shannon_limit(const Prior& prior, double rate);

}  // namespace signfold
