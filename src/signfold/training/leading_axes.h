// Training in fewer coordinates: along the axes in which training vectors vary most (docs/math.md section 13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "signfold/base/team.h"
#include "signfold/decoder/trained_stages.h"
#include "signfold/training/batches.h"

namespace signfold {

/// The first K principal axes of vectors of d coordinates. Plain data.
struct LeadingAxes {
  Matrix<float> rows;  ///< K × d, orthonormal, in order of decreasing variance
  float unit = 1;      ///< root mean square of a coordinate along them
};

/// Throws Error unless 1 ≤ axes ≤ dim.
void check_axes(std::size_t axes, std::size_t dim);
/// Of the uncentred second moments of the first vectors of the batches, by orthogonal iteration: axes whose variances
/// are close to each other may be turned among themselves, and the last ones may hold slightly less. The same
/// for any number of threads. Throws Error as check_axes does, for vectors that do not vary along so many, when
/// interrupted, and when there is not enough memory.
LeadingAxes leading_axes(Batches& batches, std::size_t axes, std::uint64_t seed, Team& team);

/// y = x·rowsᵀ/unit: k × d → k × K.
void along(const LeadingAxes& axes, MatrixView<const float> x, MatrixView<float> y, Team& team);
/// The batches along the axes. The caller keeps both.
std::unique_ptr<Batches> batches_along(Batches& batches, const LeadingAxes& axes);
/// Stages that do to vectors of d coordinates what these do to their K coordinates along the axes: the same bits but
/// for rounding, and what they give back lies in the span of the axes.
std::vector<Stage> in_all_coordinates(const std::vector<Stage>& stages, const LeadingAxes& axes);

}  // namespace signfold
