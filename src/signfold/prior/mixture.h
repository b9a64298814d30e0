// Gaussian mixtures with spikes: gaussian, sparse-gaussian, sparse-rademacher, and any mixture given or learned.
#pragma once

#include "signfold/prior/prior.h"

namespace signfold {

/// One component N(mean, variance) with its weight; variance 0 is a spike.
struct Component {
  double weight = 1;
  double mean = 0;
  double variance = 1;
};

/// A mixture under a given name, of 1 to 256 components. Weights must be positive and sum to 1 (to 1e-9; then
/// normalised exactly). With `normalize`, the whole law is centred and scaled to E x² = 1; otherwise the law is taken
/// as it is.
PriorPtr make_mixture(std::string name, std::vector<Component> components, bool normalize);

/// N(0, 1).
PriorPtr make_gaussian();
/// N(0, 1/p) with probability p, else 0.
PriorPtr make_sparse_gaussian(double p);
/// ±1/√p with probability p/2 each, else 0.
PriorPtr make_sparse_rademacher(double p);

}  // namespace signfold
