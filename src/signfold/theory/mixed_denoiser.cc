#include "signfold/theory/mixed_denoiser.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/prior/normal_tail.h"
#include "signfold/theory/law_rule.h"

namespace signfold {
namespace {

constexpr double kLeastVariance = 1e-12;  // variances that vanish in the limit m → 1 stay positive
constexpr double kReach = 12;             // of integrals, in standard deviations

QuadratureRule whole_law(const Prior& prior) {
  QuadratureRule law = continuous_rule(prior);
  for (const Atom& atom : prior.atoms()) {
    law.nodes.push_back(atom.value);
    law.weights.push_back(atom.weight);
  }
  return law;
}

}  // namespace

/// Of x given w and z, with the log density of (w, z).
struct TwoInputDenoiser::Posterior {
  double mean = 0;
  double variance = 0;
  double log_density = 0;
};

TwoInputDenoiser::TwoInputDenoiser(const Prior& prior, double m)
    : law_(whole_law(prior)), m_(m), s_(std::sqrt((1 - m) * (1 + m))) {
  if (!(m >= 0 && m < 1)) fail("the mix m is {}; a denoiser of two inputs needs it in [0, 1)", m);
  const double second = prior.moments().second;
  if (!(std::abs(second - 1) < 1e-6)) fail("{}: E x² is {}; the mixed encoder needs 1", prior.name(), second);
  double match = 0;  // a = E x z
  for (std::size_t i = 0; i < law_.nodes.size(); ++i) {
    const double ratio = m_ * law_.nodes[i] / (s_ * std::numbers::sqrt2);
    match += law_.weights[i] * law_.nodes[i] * std::erf(ratio);
    slope_ += law_.weights[i] * std::sqrt(2 / std::numbers::pi) * std::exp(-ratio * ratio);
  }
  // g and the noise of w have variances 1 and 1 − e² and covariance −a; a² + e² ≤ E z² = 1 because x and g are
  // orthonormal.
  noise_ = std::max(kLeastVariance, (1 - slope_) * (1 + slope_));
  correlation_ = -match / noise_;
  bit_noise_ = std::sqrt(std::max(kLeastVariance, 1 - match * match / noise_));
  for (const Feature& feature : prior.features()) {
    low_ = std::min(low_, slope_ * (feature.center - kReach * feature.width));
    high_ = std::max(high_, slope_ * (feature.center + kReach * feature.width));
  }
}

TwoInputDenoiser::Posterior TwoInputDenoiser::posterior(double w, double z) const {
  std::vector<double> weights(law_.nodes.size());  // first log likelihoods, then what they make of the prior
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double x = law_.nodes[i];
    const double rest = w - slope_ * x;
    weights[i] = -rest * rest / (2 * noise_) + log_normal_cdf(z * (m_ * x / s_ + correlation_ * rest) / bit_noise_);
  }
  const double largest = *std::ranges::max_element(weights);
  double mass = 0;
  double first = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = law_.weights[i] * std::exp(weights[i] - largest);
    mass += weights[i];
    first += weights[i] * law_.nodes[i];
  }
  Posterior out{first / mass, 0, largest + std::log(mass) - 0.5 * std::log(2 * std::numbers::pi * noise_)};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    out.variance += weights[i] / mass * (law_.nodes[i] - out.mean) * (law_.nodes[i] - out.mean);
  }
  return out;
}

double TwoInputDenoiser::posterior_mean(double y, bool bit) const {
  const double z = bit ? 1 : -1;
  return posterior((y - m_ * z) / s_, z).mean;
}

double TwoInputDenoiser::risk() const {
  const double deviation = std::sqrt(noise_);
  const double low = low_ - kReach * deviation;
  const double high = high_ + kReach * deviation;
  const QuadratureRule rule = uniform_rule(low, high, static_cast<int>(std::ceil((high - low) / (2 * deviation))));
  double sum = 0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    for (const double z : {-1.0, 1.0}) {
      const Posterior p = posterior(rule.nodes[i], z);
      sum += rule.weights[i] * std::exp(p.log_density) * p.variance;
    }
  }
  return std::clamp(sum, 0.0, 1.0);
}

}  // namespace signfold
