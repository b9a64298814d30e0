#include "signfold/theory/law_rule.h"

#include <algorithm>
#include <cmath>

namespace signfold {
namespace {

/// Panel edges on either side of a feature, in its widths: fine over its body, wide over an exponential tail.
constexpr double kReach[] = {0, 1, 2, 3, 4, 6, 8, 12, 18, 26, 36};

std::vector<double> panel_edges(const Prior& prior) {
  std::vector<double> edges;
  for (const Feature& feature : prior.features()) {
    if (feature.width == 0) continue;
    for (const double reach : kReach) {
      edges.push_back(feature.center - reach * feature.width);
      edges.push_back(feature.center + reach * feature.width);
    }
  }
  if (edges.empty()) return edges;
  const auto [low, high] = std::ranges::minmax(edges);
  for (int power = -12; power < 4; ++power) {
    const double scale = std::ldexp(1, power);
    if (scale < high) edges.push_back(scale);
    if (-scale > low) edges.push_back(-scale);
  }
  std::ranges::sort(edges);
  return edges;
}

}  // namespace

QuadratureRule continuous_rule(const Prior& prior) {
  double mass = 1;
  for (const Atom& atom : prior.atoms()) mass -= atom.weight;
  QuadratureRule rule = composite_rule(panel_edges(prior));
  double total = 0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) total += rule.weights[i] *= prior.density(rule.nodes[i]);
  for (double& weight : rule.weights) weight *= mass / total;
  return rule;
}

}  // namespace signfold
