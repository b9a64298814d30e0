// The mixed encoder B = mP + √(1−m²)K (docs/math.md section 4) and the identity.
#pragma once

#include "signfold/encoder/encoder.h"

namespace signfold {

/// B = mI + √(1−m²)K, K = RᵀJR with R a fast rotation and J = blocks [[0,1],[−1,0]] on neighbouring coordinates of Rx.
/// For odd d the last coordinate of Rx has no partner and passes unchanged: B = Rᵀ·(blocks [[m,s],[−s,m]], 1)·R, s =
/// √(1−m²), so B is exactly orthogonal for every d. n < d keeps n of the rows at random; n > d stacks blocks with
/// independent R, the last one cut to random rows. orthonormal() is claimed for n ≤ d only. Throws Error unless 0 ≤ m
/// ≤ 1.
EncoderPtr make_mixed(EncoderShape shape, double m, std::uint64_t seed);
/// B = I for n = d. n < d keeps n of the coordinates at random (those that make_mixed would keep); n > d repeats the
/// coordinates cyclically, and orthonormal() is false.
EncoderPtr make_identity(EncoderShape shape, std::uint64_t seed);

}  // namespace signfold
