#include "signfold/experiment/laws.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "signfold/codec/rotated.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_denoiser.h"
#include "signfold/theory/rate_distortion.h"
#include "signfold/theory/state_evolution.h"
#include "signfold/training/population_risk.h"

namespace signfold::experiment {
namespace {

const Prior& law_of(const Prior& prior) { return prior; }
const Prior& law_of(const PriorPtr& prior) { return *prior; }

/// A function of a prior (or a pointer to one) and a number that is computed once for each pair.
template <class Value, class PriorLike>
std::function<Value(const PriorLike&, double)> remembered(std::function<Value(const PriorLike&, double)> compute) {
  struct Memory {
    std::mutex mutex;
    std::map<std::pair<std::string, double>, Value> known;
  };
  return [memory = std::make_shared<Memory>(), compute = std::move(compute)](const PriorLike& prior, double number) {
    const std::pair key(law_of(prior).name(), number);
    {
      const std::lock_guard lock(memory->mutex);
      if (const auto found = memory->known.find(key); found != memory->known.end()) return found->second;
    }
    Value value = compute(prior, number);
    const std::lock_guard lock(memory->mutex);
    return memory->known.emplace(key, std::move(value)).first->second;
  };
}

std::vector<double> stage_risks(const PriorPtr& prior, double rate, int stages) {
  std::vector<double> risks;
  for (const StageScalars& stage : staged_evolution(iid_prior(prior), rotated_stage_rows(rate, stages))) {
    risks.push_back(stage.risk());
  }
  return risks;
}

constexpr int kMostLayers = 16;

std::vector<double> layer_risks(const PriorPtr& prior, double rate) {
  std::vector<double> risks;
  for (const LayerScalars& layer : state_evolution(iid_prior(prior), rate, kMostLayers).layers) {
    risks.push_back(layer.risk);
  }
  risks.resize(kMostLayers, risks.back());  // it had converged
  return risks;
}

}  // namespace

Laws library_laws() {
  Laws laws;
  laws.linear = linear_risk_limit;
  laws.flat = flat_orthonormal_risk;
  laws.mixed = mixed_risk;
  laws.best_mix = remembered<MixedOptimum, Prior>(optimal_mix);
  laws.best_pairs = remembered<PairOptimum, Prior>(optimal_pair_mix);
  laws.two_inputs =
      remembered<double, Prior>([](const Prior& prior, double m) { return TwoInputDenoiser(prior, m).risk(); });
  laws.layers = [all = remembered<std::vector<double>, PriorPtr>(layer_risks)](const PriorPtr& prior, double rate,
                                                                               int count) {
    std::vector<double> risks = all(prior, rate);
    risks.resize(static_cast<std::size_t>(count), risks.back());
    return risks;
  };
  laws.bayes = remembered<double, PriorPtr>(
      [](const PriorPtr& prior, double rate) { return fixed_point_risk(iid_prior(prior), rate); });
  laws.staged = stage_risks;
  laws.shannon =
      remembered<double, PriorPtr>([](const PriorPtr& prior, double rate) { return shannon_limit(*prior, rate); });
  return laws;
}

}  // namespace signfold::experiment
