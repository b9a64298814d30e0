// Sparse Laplace: Laplace with scale 1/√(2p) with probability p, else 0 (docs/math.md section 2).
#pragma once

#include "signfold/prior/prior.h"

namespace signfold {

PriorPtr make_sparse_laplace(double p);

}  // namespace signfold
