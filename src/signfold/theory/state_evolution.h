// State evolution: the risk of every layer, and the scalars of the fixed network that attains it (docs/rigamp.md
// section 3).
#pragma once

#include <vector>

#include "signfold/prior/profile.h"

namespace signfold {

/// The scalars of one layer of the two-term decoder. Names in brackets: the symbols of docs/rigamp.md.
struct LayerScalars {
  double variance = 1;     ///< of u = Bx given everything before the layer [V_t]
  double information = 0;  ///< of the signs at that variance [c_t]
  double precision = 0;    ///< of the scalar channel the denoiser sees [γ_t]
  double memory = 1;       ///< weight of the two-term recursions [b_t]; b_1 = 1
  double onsager = 0;      ///< correction of B x̂ by the last score [α_t]
  double risk = 1;         ///< predicted normalised MSE [m_t]
  double damping = 1;      ///< weight of the new values in the recursions [ρ_t]; theory has 1, decoders may guard (G4)
};

struct Schedule {
  double rate = 1;
  std::vector<LayerScalars> layers;  ///< shorter than asked when a guard stopped it (converged, or risk ~ 0)
};

/// The first `layers` layers for the orthonormal ensemble at any rate. Layer 1 is the denoising decoder. Stops early
/// only by guard G1 with tolerance `stop` (relative gain of a layer; 0 = never) or G6 (exact recovery: the variance is
/// below 1e-10; risks are never reported below 1e-12). Throws Error for r ≤ 0, layers < 1 or stop < 0.
Schedule state_evolution(const VectorPrior& prior, double rate, int layers, double stop = 1e-4);

/// The risk at the fixed point: the Bayes limit of these bits. Exactly 0 for perfect recovery (below 1e-12).
double fixed_point_risk(const VectorPrior& prior, double rate);

}  // namespace signfold
