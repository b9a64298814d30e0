#include "signfold/theory/sign_channel.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/prior/normal_tail.h"

namespace signfold {
namespace {

using std::numbers::inv_pi;
using std::numbers::inv_sqrtpi;
using std::numbers::sqrt2;

double normal_density(double a) { return inv_sqrtpi / sqrt2 * std::exp(-0.5 * a * a); }

}  // namespace

double hazard(double a) {
  if (!std::isfinite(a)) fail("hazard: the argument {} is not finite", a);
  return positive_normal(a).hazard;
}

double truncated_variance(double a) {
  if (!std::isfinite(a)) fail("truncated_variance: the argument {} is not finite", a);
  return positive_normal(a).variance;
}

double sign_information(double variance) {
  if (!(variance > 0 && variance <= 1)) fail("sign_information: the variance {} is not in (0, 1]", variance);
  const double rest = 1 - variance;
  if (rest < 1e-14) return 2 * inv_pi;
  // c = 2 ∫ φ(a) h(a) N(û; 0, 1 − V) dû, a = û/√V. The integrand is analytic around the real axis and falls like a
  // normal density, so the plain trapezoidal rule converges faster than any power: at a quarter of the narrower of
  // the two widths its error is below 1e-16, and so is the mass beyond 10 of them.
  const double step = 0.25 * std::sqrt(std::min(variance, rest));
  const double root = std::sqrt(variance);
  const double spread = std::sqrt(rest);
  double sum = 0;
  for (int k = -40; k <= 40; ++k) {
    const double u = k * step;
    sum += normal_density(u / root) * hazard(u / root) * normal_density(u / spread);
  }
  return 2 * sum * step / spread;
}

}  // namespace signfold
