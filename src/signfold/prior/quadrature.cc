#include "signfold/prior/quadrature.h"

#include <array>
#include <boost/math/quadrature/gauss.hpp>

#include "signfold/base/error.h"

namespace signfold {
namespace {

constexpr int kPoints = 64;

/// Nodes and weights of the rule on [−1, 1].
struct UnitRule {
  std::array<double, kPoints> nodes{};
  std::array<double, kPoints> weights{};
};

const UnitRule& unit_rule() {
  static const UnitRule rule = [] {
    using Gauss = boost::math::quadrature::gauss<double, kPoints>;
    UnitRule r;
    for (std::size_t i = 0; i < kPoints / 2; ++i) {  // Boost keeps the positive half, in increasing order
      const double x = Gauss::abscissa()[i];
      r.nodes[kPoints / 2 + i] = x;
      r.nodes[kPoints / 2 - 1 - i] = -x;
      r.weights[kPoints / 2 + i] = r.weights[kPoints / 2 - 1 - i] = Gauss::weights()[i];
    }
    return r;
  }();
  return rule;
}

/// Calls use(node, weight) for every point of the composite rule.
template <class Use>
void for_each_point(const std::vector<double>& edges, const Use& use) {
  const UnitRule& rule = unit_rule();
  for (std::size_t e = 1; e < edges.size(); ++e) {
    const double half = 0.5 * (edges[e] - edges[e - 1]);
    if (!(half >= 0)) fail("quadrature: edges must be finite and sorted");
    if (half == 0) continue;
    const double middle = edges[e - 1] + half;
    for (std::size_t i = 0; i < kPoints; ++i) use(middle + half * rule.nodes[i], half * rule.weights[i]);
  }
}

}  // namespace

double integrate(const std::vector<double>& edges, const std::function<double(double)>& f) {
  double sum = 0;
  for_each_point(edges, [&](double x, double weight) { sum += weight * f(x); });
  return sum;
}

QuadratureRule composite_rule(const std::vector<double>& edges) {
  QuadratureRule rule;
  for_each_point(edges, [&](double x, double weight) {
    rule.nodes.push_back(x);
    rule.weights.push_back(weight);
  });
  return rule;
}

QuadratureRule uniform_rule(double low, double high, int panels) {
  if (panels < 1) fail("quadrature: {} panels; at least 1 is needed", panels);
  std::vector<double> edges(static_cast<std::size_t>(panels) + 1);
  for (int i = 0; i <= panels; ++i) edges[static_cast<std::size_t>(i)] = low + (high - low) * i / panels;
  return composite_rule(edges);
}

}  // namespace signfold
