// The risk of every decoder for a prior, from theory alone: no data, no simulation.
#pragma once

#include <string>
#include <vector>

#include "signfold/theory/mixed_risk.h"

namespace signfold {

/// What to predict, in the names of fit.
struct PredictOptions {
  std::string prior;
  double rate = 1;
  std::string encoder = "hadamard";
  std::string decoder = "rigamp:8";
};

/// Of a code kept in stages: what its first stages reach.
struct PredictedPrefix {
  int stages = 0;
  double rate = 0;  ///< bits per coordinate of these stages
  double risk = 1;
};

/// Risks: 1 = knowing nothing.
struct Prediction {
  std::string encoder;         ///< the name, "auto" and "mixed" resolved
  double linear = 1;           ///< of the linear decoder
  std::vector<double> layers;  ///< of layers 1, 2, …: exactly L for rigamp:L, up to convergence where no L is given
  double fixed_point = 1;      ///< of infinitely many layers
  std::vector<PredictedPrefix> prefixes;  ///< encoder rotated:S; the other risks are then those of one stage
  double limit = 1;                       ///< of any code of this rate (Shannon)
  double rotation = 1;                    ///< of the linear decoder behind a rotation,
  double identity = 1;                    ///< behind the identity,
  MixedOptimum mixed;                     ///< and behind the best mixed encoder
  std::string note;                       ///< why there are no layers; empty where there are
};

/// Throws Error for unknown names, rates that are not positive, and decoders whose risk is not predicted.
Prediction predict(const PredictOptions& options);

}  // namespace signfold
