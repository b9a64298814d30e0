// Composite Gauss–Legendre quadrature, the one way Signfold integrates.
#pragma once

#include <functional>
#include <vector>

namespace signfold {

/// 64-point Gauss–Legendre on each panel between consecutive sorted `edges`. Panels of zero width cost nothing.
double integrate(const std::vector<double>& edges, const std::function<double(double)>& f);

/// Nodes and weights of the same rule, for integrands evaluated by the caller.
struct QuadratureRule {
  std::vector<double> nodes;
  std::vector<double> weights;
};
QuadratureRule composite_rule(const std::vector<double>& edges);
/// `panels` equal panels on [low, high].
QuadratureRule uniform_rule(double low, double high, int panels);

}  // namespace signfold
