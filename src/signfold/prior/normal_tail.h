// Tails of the standard normal without cancellation, overflow or 0/0: what Boost and the C library lack.
#pragma once

namespace signfold {

/// exp(x²)·erfc(x) for every x; +inf below about −26.6, where it leaves the range of a double.
double erfcx(double x);

/// log Φ(a), Φ the standard normal distribution function. Finite for |a| up to 1e150.
double log_normal_cdf(double a);

/// A normal N(a, 1) conditioned on being positive, a ≥ −1e300 finite.
struct PositiveNormal {
  double hazard = 0;    ///< h(a) = φ(a)/Φ(a) (docs/rigamp.md section 1)
  double mean = 0;      ///< a + h(a), > 0
  double variance = 0;  ///< 1 − a h(a) − h(a)², in (0, 1]
};
/// Relative error below 1e-12 in all three, whatever a.
PositiveNormal positive_normal(double a);

}  // namespace signfold
