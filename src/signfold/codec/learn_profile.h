// The profile prior of data (docs/math.md section 8): x_j = μ_j + σ_j w_j, the law of w learned for bands of
// coordinates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "signfold/base/matrix.h"
#include "signfold/prior/profile.h"

namespace signfold {

struct ProfileOptions {
  /// The rows are in the principal axes of their own covariance, so their variances are optimistic and shrink further.
  bool principal_axes = false;
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0 = all cores; the result does not depend on it
};

/// Learns offsets, scales and shapes from rows (k × d, E x_j² = 1 on average over rows and coordinates) with weights
/// (k numbers): the offsets and scales are those of the weighted rows, as risks are relative to energy. Throws Error
/// for fewer than 2 rows.
VectorPrior learn_profile(MatrixView<const float> rows, std::span<const double> weights, const ProfileOptions& options);

/// One law for all coordinates of all rows.
VectorPrior learn_iid(MatrixView<const float> rows, std::uint64_t seed);

}  // namespace signfold
