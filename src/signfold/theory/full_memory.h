// Full-memory RI-GAMP for encoders of any spectrum: coefficients of every layer and its predicted risk (docs/rigamp.md
// section 4).
#pragma once

#include <span>
#include <vector>

#include "signfold/prior/profile.h"

namespace signfold {

/// One layer t of the full-memory decoder: it combines what all former layers made. Names in brackets: the symbols of
/// docs/rigamp.md section 4.5; element i of a vector belongs to layer i + 1.
struct MemoryLayer {
  double variance = 1;             ///< of u = Bx given everything before the layer [V_t]
  double information = 0;          ///< of the signs at that variance [c_t]
  double precision = 0;            ///< of the scalar channel the denoiser sees [γ_t]
  double risk = 1;                 ///< predicted normalised MSE [m_t]
  std::vector<double> outputs;     ///< ĝ = Σ b_{t,j} r^j, t − 1 numbers
  std::vector<double> correction;  ///< x^t = Bᵀs^t − Σ β_{t,i} x̂^i, t − 1 numbers
  std::vector<double> inputs;      ///< y = Σ a_{t,j} x^j, t numbers
  std::vector<double> onsager;     ///< r^t = B x̂^t − Σ α_{t,i} s^i, t numbers
};

struct MemorySchedule {
  std::vector<MemoryLayer> layers;  ///< shorter than asked when a guard stopped it
};

/// The most layers of a schedule: what double precision carries for every spectrum that was tried.
constexpr int kMostMemoryLayers = 24;

struct MemoryOptions {
  double stop = 1e-4;   ///< guard G1: the least relative gain of a layer; 0 = never stop for lack of gain
  double ridge = 1e-6;  ///< guard G2: relative to the diagonals of the two systems
};

/// How many of free_cumulants() the first `layers` layers depend on.
constexpr int cumulants_for(int layers) { return 2 * layers + 2; }

/// The first `layers` layers (at most kMostMemoryLayers) for a delocalised B with unit-norm rows and these rectangular
/// free cumulants κ_2 = 1, κ_4, …. Layer 1 is the denoising decoder. Stops early by guards G1 and G6 (exact recovery),
/// and where the systems become singular or lose 8 digits, which is where the iterates have converged. Throws Error
/// for fewer than cumulants_for(layers) cumulants, κ_2 ≠ 1, a rate ≤ 0, layers < 1 or negative options.
MemorySchedule full_memory_evolution(const VectorPrior& prior, double rate, std::span<const double> cumulants,
                                     int layers, const MemoryOptions& options = {});

}  // namespace signfold
