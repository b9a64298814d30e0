// What a sign tells about a Gaussian: the output function of every multi-layer decoder (docs/rigamp.md section 1).
#pragma once

namespace signfold {

/// φ(a)/Φ(a) for every finite a, to 1e-12 relative (1e-14 for a < 5): ≈ −a − 1/a for a → −∞, 0 for a → +∞. Throws Error
/// otherwise.
double hazard(double a);
/// 1 − a h(a) − h(a)²: the relative variance of a normal truncated to one side, in (0, 1]. Finite a; 4e-12 relative.
double truncated_variance(double a);
/// c(V) = E h(a)² when u ~ N(û, V) and û ~ N(0, 1 − V): the information of one sign. c(1) = 2/π. Throws Error unless
/// V is in (0, 1].
double sign_information(double variance);

}  // namespace signfold
