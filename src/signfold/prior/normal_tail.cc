#include "signfold/prior/normal_tail.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace signfold {
namespace {

constexpr double kSqrt2OverPi = 0.79788456080286535588;
/// From here on the continued fraction is used; closer to 0 it would need many more levels.
constexpr double kTailStart = 4;
/// Levels that give full double precision at t = kTailStart (the test compares with integration).
constexpr int kLevels = 40;

/// ε(t) = 2/(t + 3/(t + 4/(t + …))), the inner part of Laplace's continued fraction
/// φ(t)/(1 − Φ(t)) = t + 1/(t + ε).
double inner_fraction(double t) {
  double rest = t;
  for (int level = kLevels; level >= 3; --level) rest = t + level / rest;
  return 2 / rest;
}

}  // namespace

double erfcx(double x) {
  const double t = std::numbers::sqrt2 * x;
  if (t >= kTailStart) return kSqrt2OverPi / (t + 1 / (t + inner_fraction(t)));
  if (x < -27) return std::numeric_limits<double>::infinity();
  // x² in two parts, the first exact: exp would magnify the rounding error of x² by x².
  const auto high = static_cast<double>(static_cast<float>(x));
  return std::exp(high * high) * std::exp((x - high) * (x + high)) * std::erfc(x);
}

double log_normal_cdf(double a) {
  if (a > -1) return std::log1p(-0.5 * std::erfc(a / std::numbers::sqrt2));
  return std::log(0.5 * erfcx(-a / std::numbers::sqrt2)) - 0.5 * a * a;
}

PositiveNormal positive_normal(double a) {
  if (a > -kTailStart) {
    const double hazard = kSqrt2OverPi / erfcx(-a / std::numbers::sqrt2);
    const double mean = a + hazard;
    return {hazard, mean, 1 - hazard * mean};
  }
  // Here a + h and 1 − h(a + h) would cancel to nothing. With δ = 1/(t + ε): a + h = δ and 1 − hδ = (ε − δ)δ, where
  // ε is about 2δ.
  const double t = -a;
  const double epsilon = inner_fraction(t);
  const double delta = 1 / (t + epsilon);
  return {t + delta, delta, (epsilon - delta) * delta};
}

}  // namespace signfold
