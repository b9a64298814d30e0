#include "signfold/prior/learn.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "signfold/base/error.h"
#include "signfold/prior/binned.h"
#include "signfold/prior/mixture.h"

namespace signfold {
namespace {

constexpr double kVarianceFloor = 1e-6;  ///< of a component, relative to the variance of all it is fitted to
constexpr int kTrialIterations = 50;     ///< for each start, before the better one goes on
constexpr double kValuesPerComponent = 20;
constexpr double kSmallestWeight = 1e-6;

struct Fit {
  std::vector<Component> components;
  double log_likelihood = 0;  ///< per unit of weight, before the last update
};

/// log(weight·density) of a component as c0 − c2·(x − mean)².
struct LogTerm {
  double mean;
  double constant;
  double curvature;
};

/// Sums of one component over the bins: what its next weight, mean and variance are made of.
struct Sums {
  double weight = 0;
  double first = 0;
  double second = 0;
};

/// One iteration of EM.
void em_step(const Binned& data, double variance_floor, Fit& fit) {
  const std::size_t count = fit.components.size();
  std::vector<LogTerm> terms;
  for (const auto& [weight, mean, variance] : fit.components) {
    terms.push_back({mean, std::log(weight) - 0.5 * std::log(2 * std::numbers::pi * variance), 0.5 / variance});
  }
  std::vector<Sums> sums(count);
  std::vector<double> rho(count);
  fit.log_likelihood = 0;
  for (const Bin& bin : data.bins) {
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < count; ++k) {
      const double distance = bin.mean - terms[k].mean;
      rho[k] = terms[k].constant - terms[k].curvature * distance * distance;
      largest = std::max(largest, rho[k]);
    }
    double total = 0;
    for (double& r : rho) total += r = std::exp(r - largest);
    fit.log_likelihood += bin.weight * (largest + std::log(total));
    const double second = bin.mean * bin.mean + bin.variance;
    for (std::size_t k = 0; k < count; ++k) {
      const double share = bin.weight * rho[k] / total;
      sums[k].weight += share;
      sums[k].first += share * bin.mean;
      sums[k].second += share * second;
    }
  }
  fit.log_likelihood /= data.weight;
  for (std::size_t k = 0; k < count; ++k) {
    const double mean = sums[k].first / sums[k].weight;
    const bool alive = sums[k].weight > 1e-12 * data.weight && std::isfinite(mean);
    if (!alive) {  // stays where it is, with next to no weight, until it is pruned
      fit.components[k].weight = 1e-12;
      continue;
    }
    const double variance = sums[k].second / sums[k].weight - mean * mean;
    fit.components[k] = {sums[k].weight / data.weight, mean, std::max(variance, variance_floor)};
  }
}

/// Iterates until the gain per value is below the tolerance.
void run_em(const Binned& data, double variance_floor, int iterations, double tolerance, Fit& fit) {
  double before = -std::numeric_limits<double>::infinity();
  for (int i = 0; i < iterations; ++i) {
    em_step(data, variance_floor, fit);
    if (fit.log_likelihood - before < tolerance) return;
    before = fit.log_likelihood;
  }
}

/// Components of one centre and many scales: for heavy tails.
Fit start_by_scale(const Binned& data, std::size_t count, double variance_floor) {
  const double center = quantile(data, 0.5);
  Binned distances = data;
  for (Bin& bin : distances.bins) bin.mean = std::abs(bin.mean - center);
  sort_bins(distances);
  Fit fit;
  for (std::size_t k = 0; k < count; ++k) {
    // Exceedance from 0.7 down to 0.001, evenly in its logarithm.
    const double fraction = count == 1 ? 0.5 : static_cast<double>(k) / static_cast<double>(count - 1);
    const double scale = quantile(distances, 1 - 0.7 * std::pow(0.001 / 0.7, fraction));
    fit.components.push_back({1.0 / static_cast<double>(count), center, std::max(scale * scale, variance_floor)});
  }
  return fit;
}

/// Components side by side, each with the data between two quantiles: for several humps.
Fit start_by_place(const Binned& data, std::size_t count, double variance_floor) {
  Fit fit;
  const double step = 1.0 / static_cast<double>(count);
  for (std::size_t k = 0; k < count; ++k) {
    const double low = static_cast<double>(k) * step;
    const double spread = 0.5 * (quantile(data, low + 0.9 * step) - quantile(data, low + 0.1 * step));
    fit.components.push_back({step, quantile(data, low + 0.5 * step), std::max(spread * spread, variance_floor)});
  }
  return fit;
}

/// Nearly the same bell: a fifth of a standard deviation apart at most, variances within 20 %.
bool alike(const Component& a, const Component& b) {
  const double narrow = std::min(a.variance, b.variance);
  const double distance = a.mean - b.mean;
  return distance * distance <= 0.04 * narrow && std::max(a.variance, b.variance) <= 1.2 * narrow;
}

/// One component with the weight, mean and variance of two.
Component merged(const Component& a, const Component& b) {
  const double weight = a.weight + b.weight;
  const double share = a.weight / weight;
  const double distance = a.mean - b.mean;
  return {weight, b.mean + share * distance,
          share * a.variance + (1 - share) * b.variance + share * (1 - share) * distance * distance};
}

/// Replaces components that say the same by one: EM with more components than the data need leaves such.
void merge_alike(std::vector<Component>& components) {
  for (std::size_t i = 0; i < components.size(); ++i) {
    for (std::size_t j = i + 1; j < components.size();) {
      if (!alike(components[i], components[j])) {
        ++j;
        continue;
      }
      components[i] = merged(components[i], components[j]);
      components.erase(components.begin() + static_cast<std::ptrdiff_t>(j));
      j = i + 1;  // the merged one may have come closer to those before
    }
  }
}

/// Moves and scales the law to the exact mean and variance of the data. EM keeps both, up to the floor of the
/// variances and what was dropped, so this changes little.
void match_moments(std::vector<Component>& components, const Binned& data) {
  double total = 0;
  double mean = 0;
  for (const Component& c : components) total += c.weight;
  for (Component& c : components) mean += (c.weight /= total) * c.mean;
  double variance = 0;
  for (const Component& c : components) variance += c.weight * (c.variance + (c.mean - mean) * (c.mean - mean));
  const double stretch = std::sqrt(data.variance / variance);
  for (Component& c : components) {
    c.mean = data.mean + stretch * (c.mean - mean);
    c.variance *= stretch * stretch;
  }
}

/// The mixture of best likelihood for values without a spike.
std::vector<Component> fit_mixture(const Binned& data, const LearnOptions& options) {
  if (data.variance <= 0) return {{1, data.mean, 0}};
  const double affordable = std::min(data.weight_count / kValuesPerComponent, static_cast<double>(options.components));
  const auto count = static_cast<std::size_t>(std::max(1.0, affordable));
  const double variance_floor = kVarianceFloor * data.variance;
  Fit best = start_by_scale(data, count, variance_floor);
  Fit other = start_by_place(data, count, variance_floor);
  const int trial = std::min(kTrialIterations, options.iterations);
  run_em(data, variance_floor, trial, options.tolerance, best);
  run_em(data, variance_floor, trial, options.tolerance, other);
  if (other.log_likelihood > best.log_likelihood) best = std::move(other);
  run_em(data, variance_floor, options.iterations - trial, options.tolerance, best);
  std::vector<Component> components = std::move(best.components);
  const double smallest = std::max(kSmallestWeight, 0.5 / data.weight_count);
  std::erase_if(components, [smallest](const Component& c) { return c.weight < smallest; });
  merge_alike(components);
  match_moments(components, data);
  return components;
}

void check_options(const LearnOptions& options) {
  if (options.components < 1 || options.components > 64) {
    fail("learning a prior: {} components; 1 to 64 are possible", options.components);
  }
  if (options.iterations < 1) fail("learning a prior: {} iterations; at least 1 is needed", options.iterations);
  if (!(options.tolerance >= 0)) fail("learning a prior: the tolerance must be at least 0");
  if (!(options.spike_share > 0)) fail("learning a prior: the share of a spike must be above 0");
}

}  // namespace

PriorPtr learn_prior(std::span<const float> values, std::span<const float> weights, const LearnOptions& options) {
  check_options(options);
  check_values(values, weights);
  const std::optional<Spike> spike = find_spike(values, weights, options.spike_share, options.seed);
  const Binned rest = bin_values(values, weights, spike, options.seed);
  if (rest.bins.empty()) return make_mixture("learned", {{1, spike->value, 0}}, false);
  std::vector<Component> components = fit_mixture(rest, options);
  for (Component& c : components) {
    c.mean += rest.center;
    if (spike) c.weight *= rest.weight / (rest.weight + spike->weight);
  }
  // The spike stays at its exact value; the rest alone was matched to the moments of the rest.
  if (spike) components.insert(components.begin(), {spike->weight / (rest.weight + spike->weight), spike->value, 0});
  return make_mixture("learned", std::move(components), false);
}

}  // namespace signfold
