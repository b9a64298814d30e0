// The mixed encoder at r = 1 with a denoiser of two inputs, what Bᵀz says of a coordinate and the coordinate's own bit
// (docs/math.md section 5).
#pragma once

#include "signfold/prior/prior.h"
#include "signfold/prior/quadrature.h"

namespace signfold {

/// E[x_j | (Bᵀz)_j, z_j] for B = mI + √(1−m²)K, n = d → ∞: the best decoder that looks at nothing else. For m = 0 the
/// bit tells nothing more and it is the denoiser of a rotation. Immutable.
class TwoInputDenoiser {
 public:
  /// Throws Error unless 0 ≤ m < 1 and E x² = 1 (m = 1 is the identity: Bᵀz is the bit).
  TwoInputDenoiser(const Prior& prior, double m);

  /// The posterior mean given y = (Bᵀz)_j and the bit z_j = +1 (true) or −1.
  double posterior_mean(double y, bool bit) const;
  /// Its risk, in [0, 1].
  double risk() const;

 private:
  struct Posterior;
  Posterior posterior(double w, double z) const;

  QuadratureRule law_;         // the whole prior: atoms and nodes of the continuous part
  double m_, s_;               // of the encoder
  double slope_ = 0;           // e: w = (y − mz)/s is e x + noise
  double noise_ = 0;           // its variance, 1 − e²
  double low_ = 0, high_ = 0;  // range of e x
  double correlation_ = 0;     // E[g | noise] = correlation · noise, g the rest of the bit's sum mx + sg
  double bit_noise_ = 0;       // standard deviation of g given the noise
};

}  // namespace signfold
