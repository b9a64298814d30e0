#include "signfold/theory/mixed_risk.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/theory/law_rule.h"
#include "signfold/theory/rate.h"

namespace signfold {
namespace {

void check_mix(double m) {
  if (!(m >= 0 && m <= 1)) fail("the mix m is {}; it must be in [0, 1]", m);
}

double noise_share(double m) { return std::sqrt((1 - m) * (1 + m)); }

/// Σ_{b≠c} q_b q_c for full blocks and one last partial block, together r.
double crossings(double rate) {
  const double full = std::floor(rate);
  const double part = rate - full;
  return rate * rate - full - part * part;
}

/// What the risk needs to know about the law, computed once for many m.
class MixedLaw {
 public:
  MixedLaw(const Prior& prior, double rate) : prior_(prior), rate_(rate) {
    check_rate(rate);
    const double second = prior.moments().second;
    if (!(std::abs(second - 1) < 1e-6)) fail("{}: E x² is {}; the mixed encoder needs 1", prior.name(), second);
    if (rate <= 1) return;  // one block: the power is known without the law
    law_ = continuous_rule(prior);
    for (const Atom& atom : prior.atoms()) {
      law_.nodes.push_back(atom.value);
      law_.weights.push_back(atom.weight);
    }
  }

  /// E x·Bᵀz per coordinate.
  double signal(double m) const { return rate_ * psi(prior_, m); }

  /// E (Bᵀz)² per coordinate.
  double power(double m) const { return rate_ <= 1 ? rate_ : rate_ + crossings(rate_) * common(m); }

 private:
  /// C: the power of what two blocks with independent K have in common, E(E[B_bᵀz_b | x])².
  double common(double m) const {
    // All blocks then hold the same bits, those of exact zeros too (the tie rule); for m < 1 these are independent.
    if (m == 1) return 1;
    const double s = noise_share(m);
    const double slope = m / (s * std::numbers::sqrt2);
    double density = 0;  // E 2φ(m x/s): of u at 0, twice, times s
    for (std::size_t i = 0; i < law_.nodes.size(); ++i) {
      const double ratio = slope * law_.nodes[i];
      density += law_.weights[i] * std::exp(-ratio * ratio);
    }
    density *= std::sqrt(2 * std::numbers::inv_pi);
    double sum = 0;
    for (std::size_t i = 0; i < law_.nodes.size(); ++i) {
      const double mean = m * std::erf(slope * law_.nodes[i]) + s * density * law_.nodes[i];
      sum += law_.weights[i] * mean * mean;
    }
    return sum;
  }

  const Prior& prior_;
  double rate_;
  QuadratureRule law_;
};

double risk_at(const MixedLaw& law, double m) {
  const double signal = law.signal(m);
  return std::max(0.0, 1 - signal * signal / law.power(m));
}

}  // namespace

double psi(const Prior& prior, double m) {
  check_mix(m);
  return prior.folded_mean(m, noise_share(m));
}

double mixed_risk(const Prior& prior, double m, double rate) {
  check_mix(m);
  return risk_at(MixedLaw(prior, rate), m);
}

double mixed_gain(const Prior& prior, double m, double rate) {
  check_mix(m);
  const MixedLaw law(prior, rate);
  return law.signal(m) / law.power(m);
}

MixedOptimum optimal_mix(const Prior& prior, double rate) {
  const MixedLaw law(prior, rate);
  // By the angle m = sin θ: near m = 1 the risk varies on the scale of √(1−m²), not of m.
  const auto mix = [](double angle) { return std::sin(angle); };
  const auto risk = [&](double angle) { return risk_at(law, mix(angle)); };
  constexpr int kSteps = 200;
  constexpr double kEnd = std::numbers::pi / 2;
  std::vector<double> scan(kSteps + 1);
  for (int k = 0; k < kSteps; ++k) scan[k] = risk(kEnd * k / kSteps);
  scan[kSteps] = risk_at(law, 1);

  // The ends win unless an interior point gains more than rounding can: ψ is flat to fourth order at m = 0.
  constexpr double kGain = 1e-12;
  MixedOptimum best{0, 0, scan[0]};
  for (int k = 1; k <= kSteps; ++k) {
    const double right = k < kSteps ? scan[k + 1] : scan[k];
    if (scan[k] > scan[k - 1] || scan[k] > right) continue;
    constexpr int kBits = 30;  // of a double's 53: a minimum found from values is no sharper than half of them
    const auto [angle, value] = boost::math::tools::brent_find_minima(risk, kEnd * (k - 1) / kSteps,
                                                                      kEnd * std::min(k + 1, kSteps) / kSteps, kBits);
    if (value < best.risk - kGain) best = {mix(angle), 0, value};
  }
  if (scan[kSteps] < best.risk + kGain && best.m > 0.5) best = {1, 0, scan[kSteps]};
  best.psi = psi(prior, best.m);
  return best;
}

}  // namespace signfold
