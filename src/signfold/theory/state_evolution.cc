#include "signfold/theory/state_evolution.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/theory/rate.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

/// Guard G6: risks below this are numerically zero, and so is a variance of u below kLeastVariance.
constexpr double kLeastRisk = 1e-12;
constexpr double kLeastVariance = 1e-10;

/// One layer, given the variance of u before it: docs/rigamp.md section 3.1, up to its risk.
LayerScalars layer_at(const VectorPrior& prior, double rate, double variance, double memory) {
  LayerScalars layer;
  layer.variance = variance;
  layer.memory = memory;
  layer.information = sign_information(variance);
  const double known = std::min(rate, 1.0) * layer.information;
  layer.precision =
      std::clamp(std::max(rate, 1.0) * known / (1 - known) / variance, kLeastPrecision, kLargestPrecision);
  layer.risk = std::clamp(average_mmse(prior, layer.precision), kLeastRisk, 1.0);
  layer.onsager = layer.precision * layer.risk / rate;
  return layer;
}

/// b_{t+1}. The factor γm/R is below 1: no estimate is worse than the linear one, m ≤ 1/(1 + γ).
double next_memory(const LayerScalars& layer, double rate) {
  return 1 / (1 - layer.precision * layer.risk / std::max(rate, 1.0));
}

double next_variance(const LayerScalars& layer, double rate) {
  return std::min(1.0, layer.risk * next_memory(layer, rate));
}

/// The variance of u before and after one layer, and the risk between.
struct Passage {
  double before = 1;
  double risk = 1;
  double after = 1;
};

Passage pass(const VectorPrior& prior, double rate, double variance) {
  const LayerScalars layer = layer_at(prior, rate, variance, 1);
  return {variance, layer.risk, next_variance(layer, rate)};
}

}  // namespace

Schedule state_evolution(const VectorPrior& prior, double rate, int layers, double stop) {
  check_rate(rate);
  if (layers < 1) fail("state evolution: {} layers; at least 1 is needed", layers);
  if (!(stop >= 0)) fail("state evolution: the tolerance {} is not a number ≥ 0", stop);
  Schedule schedule;
  schedule.rate = rate;
  double variance = 1;
  double memory = 1;
  while (static_cast<int>(schedule.layers.size()) < layers && variance >= kLeastVariance) {
    const LayerScalars layer = layer_at(prior, rate, variance, memory);
    if (!schedule.layers.empty() && stop > 0) {
      const double before = schedule.layers.back().risk;
      if (before - layer.risk < stop * before) break;  // guard G1
    }
    schedule.layers.push_back(layer);
    if (layer.risk <= kLeastRisk) schedule.layers.back().risk = 0;  // exact recovery
    memory = next_memory(layer, rate);
    variance = next_variance(layer, rate);
  }
  return schedule;
}

double fixed_point_risk(const VectorPrior& prior, double rate) {
  check_rate(rate);
  // One layer maps the variance of u to the next by an increasing function f, so that from 1 the variances fall to the
  // largest fixed point of f. Two plain layers give the ratio of the geometric series they are in, and its sum is the
  // next guess (Steffensen). The guess is kept only if it lies above the fixed point, where layers still gain.
  constexpr int kCycles = 2000;
  constexpr double kTolerance = 1e-13;
  Passage now = pass(prior, rate, 1);
  for (int cycle = 0; cycle < kCycles && now.risk > kLeastRisk; ++cycle) {
    const double step = now.before - now.after;
    if (step <= kTolerance * now.before) break;
    const Passage next = pass(prior, rate, now.after);
    const double ratio = (next.before - next.after) / step;
    now = next;
    if (!(ratio > 0 && ratio < 1)) continue;
    const double guess = next.after - (next.before - next.after) * ratio / (1 - ratio);
    if (!(guess > 0)) continue;
    const Passage jump = pass(prior, rate, guess);
    if (jump.after <= jump.before) now = jump;
  }
  return now.risk > kLeastRisk ? now.risk : 0;
}

}  // namespace signfold
