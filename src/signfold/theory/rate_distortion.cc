#include "signfold/theory/rate_distortion.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/theory/blahut_arimoto.h"
#include "signfold/theory/law_rule.h"

namespace signfold {
namespace {

/// The continuous part of a law: its mass, and the entropy and variance of x given that it is there.
struct Continuous {
  double mass = 0;
  double variance = 0;
  double entropy = 0;  ///< differential, in nats
};

Continuous continuous_part(const Prior& prior, const QuadratureRule& rule) {
  Continuous out;
  for (const double w : rule.weights) out.mass += w;
  if (out.mass == 0) return out;
  double mean = 0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) mean += rule.weights[i] / out.mass * rule.nodes[i];
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    const double share = rule.weights[i] / out.mass;
    if (share == 0) continue;
    out.variance += share * (rule.nodes[i] - mean) * (rule.nodes[i] - mean);
    out.entropy -= share * std::log(prior.density(rule.nodes[i]) / out.mass);
  }
  return out;
}

/// Bounds of D(r), r in nats, that meet at high rates. Above: name the atom, or that it is none, then code the rest as
/// if it were Gaussian. Below: Shannon's bound for the rest, with that name for free.
struct Bounds {
  double lower = 0;
  double upper = 0;
};

Bounds bounds_at(const std::vector<Atom>& atoms, const Continuous& rest, double rate, double variance) {
  double name = rest.mass > 0 ? -rest.mass * std::log(rest.mass) : 0;
  for (const Atom& atom : atoms) name -= atom.weight * std::log(atom.weight);
  Bounds out{0, variance};
  if (rest.mass > 0) {
    const double power = std::exp(2 * rest.entropy - 1) / (2 * std::numbers::pi);
    out.lower = rest.mass * power * std::exp(-2 * rate / rest.mass);
  }
  if (rate >= name) {
    const double fine = rest.mass > 0 ? rest.mass * rest.variance * std::exp(-2 * (rate - name) / rest.mass) : 0;
    out.upper = std::min(out.upper, fine);
  }
  return out;
}

/// The law as a discrete source: its atoms as they are, the rest in cells that stand for their centroids. Cells of
/// equal ∫ f^{1/3} leave the least variance within them (Panter and Dite 1951).
DiscreteSource lump(const Prior& prior, const QuadratureRule& rule) {
  constexpr int kCells = 150;
  DiscreteSource out;
  for (const Atom& atom : prior.atoms()) {
    out.points.push_back(atom.value);
    out.weights.push_back(atom.weight);
  }
  std::vector<double> reach(rule.nodes.size());  // ∫ f^{1/3} up to the node; rule.weights hold f dx
  double total = 0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    const double root = std::cbrt(prior.density(rule.nodes[i]));
    if (root > 0) total += rule.weights[i] / (root * root);
    reach[i] = total;
  }
  int open = -1;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    const double w = rule.weights[i];
    if (w == 0) continue;
    const int cell = std::min(kCells - 1, static_cast<int>(kCells * reach[i] / total));
    if (cell != open) {
      out.points.push_back(rule.nodes[i]);
      out.weights.push_back(0);
      open = cell;
    }
    out.weights.back() += w;
    out.points.back() += w / out.weights.back() * (rule.nodes[i] - out.points.back());  // the running centroid
  }
  return out;
}

/// An even grid from the least to the largest point: what a code may answer between them.
std::vector<double> even_grid(const DiscreteSource& source) {
  constexpr int kSteps = 100;
  const auto [low, high] = std::ranges::minmax(source.points);
  std::vector<double> out;
  for (int k = 0; k <= kSteps; ++k) out.push_back(low + (high - low) * k / kSteps);
  return out;
}

}  // namespace

double shannon_limit(const Prior& prior, double rate) {
  if (!(rate >= 0 && std::isfinite(rate))) fail("the rate is {}; it must be a number of bits per coordinate ≥ 0", rate);
  constexpr double kTolerance = 2e-4;
  const Moments moments = prior.moments();
  const double variance = moments.second - moments.mean * moments.mean;
  if (rate == 0) return variance;
  const double nats = rate * std::numbers::ln2;
  const QuadratureRule rule = continuous_rule(prior);
  const Bounds bounds = bounds_at(prior.atoms(), continuous_part(prior, rule), nats, variance);
  // Where they meet there is nothing to compute: for the Gaussian at any rate.
  if (bounds.upper - bounds.lower < 1e-9 * variance) return bounds.upper;

  const DiscreteSource source = lump(prior, rule);
  const double lumped = discrete_distortion(source, even_grid(source), nats, kTolerance * moments.second);
  return std::clamp(lumped, bounds.lower, bounds.upper);
}

}  // namespace signfold
