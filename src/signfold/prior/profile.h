// A prior for vectors: x_j = μ_j + σ_j w_j with independent w_j of a few shapes (docs/math.md section 8).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signfold/prior/prior.h"

namespace signfold {

/// The law of a vector with independent coordinates. With `scale` empty it is i.i.d.: every coordinate has the law
/// shapes[0]. Otherwise coordinate j is offset[j] + scale[j]·w, w of law shapes[shape_of[j]] (shape 0 when shape_of is
/// empty). The mean over coordinates of E x_j² is 1. Plain data.
struct VectorPrior {
  std::vector<PriorPtr> shapes;
  std::vector<float> offset;
  std::vector<float> scale;
  std::vector<std::uint16_t> shape_of;

  bool iid() const { return scale.empty(); }
};

/// The i.i.d. law of one prior.
VectorPrior iid_prior(PriorPtr prior);
/// Throws Error unless the sizes fit a vector of `dim` coordinates and every number is finite and scale ≥ 0.
void check_vector_prior(const VectorPrior& prior, std::size_t dim);

/// E and Var of coordinate j given y = x_j + N(0, 1/precision). A coordinate with scale 0 is known: {offset, 0}.
Posterior coordinate_posterior(const VectorPrior& prior, std::size_t j, double y, double precision);
/// The average over coordinates of the mmse at the given precision. Costs at most a few hundred scalar mmse calls,
/// whatever the number of coordinates (interpolation in log σ², relative error below 1e-6).
double average_mmse(const VectorPrior& prior, double precision);
/// E|x_j| averaged, E x_j² averaged (= 1), E x_j⁴ averaged.
Moments average_moments(const VectorPrior& prior);

}  // namespace signfold
