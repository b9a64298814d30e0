// For tests: the laws they run on, and expectations and Bayes' rule by plain numerical integration.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "signfold/prior/mixture.h"
#include "signfold/prior/prior.h"
#include "signfold/prior/quadrature.h"

namespace signfold {

/// One of every family, extremes of p, and mixtures with spikes off centre, close bells and scales far apart.
inline std::vector<PriorPtr> laws_under_test() {
  std::vector<PriorPtr> laws;
  for (const char* name : {"gaussian", "sparse-gaussian:0.1", "sparse-gaussian:1", "sparse-gaussian:1e-06",
                           "sparse-rademacher:0.3", "sparse-rademacher:1", "sparse-rademacher:1e-06",
                           "sparse-laplace:0.3", "sparse-laplace:1", "sparse-laplace:1e-06"}) {
    laws.push_back(parse_prior(name));
  }
  laws.push_back(make_mixture("two humps", {{0.7, -0.6, 0.16}, {0.3, 1.4, 0.16}}, false));
  laws.push_back(make_mixture("spikes and bells", {{0.2, 0.3, 0}, {0.1, -1, 0}, {0.4, 0.5, 1e-4}, {0.3, 0, 3}}, true));
  laws.push_back(make_mixture("many scales", {{0.5, 0, 1e-6}, {0.3, 0.01, 1e-2}, {0.19, 0, 1}, {0.01, -2, 90}}, true));
  return laws;
}

/// A law as points with weights: its atoms, and 64-point panels half a width wide that also break at `breaks`.
struct LawPoints {
  std::vector<double> values;
  std::vector<double> weights;
};

inline LawPoints law_points(const Prior& law, std::vector<double> breaks) {
  double low = 0;
  double high = 0;
  for (const Feature& f : law.features()) {
    for (int k = -60; k <= 60 && f.width > 0; ++k) breaks.push_back(f.center + 0.5 * k * f.width);
    low = std::min(low, f.center - 30 * f.width);
    high = std::max(high, f.center + 30 * f.width);
  }
  for (double& b : breaks) b = std::clamp(b, low, high);
  std::sort(breaks.begin(), breaks.end());
  const QuadratureRule rule = composite_rule(breaks);
  LawPoints points;
  for (const Atom& atom : law.atoms()) {
    points.values.push_back(atom.value);
    points.weights.push_back(atom.weight);
  }
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    points.values.push_back(rule.nodes[i]);
    points.weights.push_back(rule.weights[i] * law.density(rule.nodes[i]));
  }
  return points;
}

/// E f(x). `breaks` are points where f is not smooth.
template <class F>
double expectation(const Prior& law, const F& f, const std::vector<double>& breaks = {}) {
  const LawPoints points = law_points(law, breaks);
  double sum = 0;
  for (std::size_t i = 0; i < points.values.size(); ++i) sum += points.weights[i] * f(points.values[i]);
  return sum;
}

struct OraclePosterior {
  double mean = 0;
  double variance = 0;
  double log_marginal = 0;
};

/// Bayes' rule for x given y = x + N(0, 1/precision).
inline OraclePosterior integrate_posterior(const Prior& law, double y, double precision) {
  std::vector<double> breaks;
  for (int k = -60; k <= 60; ++k) breaks.push_back(y + 0.5 * k / std::sqrt(precision));
  LawPoints points = law_points(law, breaks);
  double largest = -1e300;
  const auto log_likelihood = [&](double x) { return -0.5 * precision * (y - x) * (y - x); };
  for (std::size_t i = 0; i < points.values.size(); ++i) {
    if (points.weights[i] > 0) largest = std::max(largest, log_likelihood(points.values[i]));
  }
  double total = 0;
  double mean = 0;
  for (std::size_t i = 0; i < points.values.size(); ++i) {
    if (points.weights[i] > 0) points.weights[i] *= std::exp(log_likelihood(points.values[i]) - largest);
    total += points.weights[i];
    mean += points.weights[i] * points.values[i];
  }
  mean /= total;
  double variance = 0;
  for (std::size_t i = 0; i < points.values.size(); ++i) {
    variance += points.weights[i] / total * (points.values[i] - mean) * (points.values[i] - mean);
  }
  return {mean, variance, std::log(total) + largest + 0.5 * std::log(precision / (2 * std::numbers::pi))};
}

}  // namespace signfold
