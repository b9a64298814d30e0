// Choosing the encoder where the user left it open.
#include "signfold/codec/fit.h"
#include "signfold/theory/mixed_risk.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {

/// Enough for every prior to come within a fraction of a percent of its fixed point.
constexpr int kManyLayers = 64;

double rotation_risk(const VectorPrior& prior, double rate) {
  return state_evolution(prior, rate, kManyLayers).layers.back().risk;
}

}  // namespace

std::string resolve_encoder(const std::string& name, const VectorPrior& prior, const Prior& pooled, double rate) {
  if (name != "auto" && name != "mixed") return name;
  const MixedOptimum best = optimal_mix(pooled, rate);
  if (name == "auto" && best.risk >= rotation_risk(prior, rate)) return "hadamard";
  return fmt::format("mixed:{}", best.m);
}

}  // namespace signfold
