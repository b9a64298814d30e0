// Encoding and decoding synthetic vectors: the measured risk beside the predicted one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "signfold/base/progress.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/model.h"

namespace signfold {

/// What to measure, in the names of fit.
struct SimulateOptions {
  std::string prior;
  double rate = 1;
  std::size_t dim = 1024;
  std::uint64_t samples = 400;  ///< vectors
  std::uint64_t seed = 1;       ///< of encoder and vectors
  std::string encoder = "hadamard";
  std::string decoder = "auto";
  ScaleKind scale = ScaleKind::f32;
  int threads = 0;
  Progress progress;
};

struct Simulation {
  std::size_t bits_per_vector = 0;      ///< stored
  std::vector<std::size_t> stage_bits;  ///< of each stage
  Evaluation evaluation;                ///< exactly L layers for rigamp:L, converged ones repeated
  std::string encoder;                  ///< the name, "auto" and "mixed" resolved
  std::optional<int> default_layers;    ///< how many were chosen, where the decoder leaves that open
};

/// Where the norm is stored, every vector is scaled to ‖x‖² = d first (Norms::equal); with ScaleKind::none they are as
/// the prior draws them. Throws Error for unknown names and options that do not fit each other.
Simulation simulate(const SimulateOptions& options);

}  // namespace signfold
