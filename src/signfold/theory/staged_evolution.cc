#include "signfold/theory/staged_evolution.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

/// c(V) near 0 is not asked below this. Risks end there too: decoders divide variances by risks.
constexpr double kLeastVariance = 1e-10;
constexpr double kLeastRisk = kLeastVariance;
constexpr double kRounding = 1e-9;

void check(const std::vector<RotationRows>& stages, const StageEvolutionOptions& options) {
  if (stages.empty()) fail("staged evolution: there are no stages");
  if (options.layers < 1 || !(options.stop >= 0)) {
    fail("staged evolution: {} layers that stop at a gain of {}", options.layers, options.stop);
  }
  std::vector<double> taken;
  for (const RotationRows& stage : stages) {
    if (stage.rotation >= stages.size()) fail("staged evolution: rotation {} of {}", stage.rotation, stages.size());
    taken.resize(std::max(taken.size(), stage.rotation + 1));
    taken[stage.rotation] += stage.fraction;
    if (!(stage.fraction > 0) || taken[stage.rotation] > 1 + kRounding) {
      fail("staged evolution: a stage with a fraction {} of the rows of a rotation, {} with those before it",
           stage.fraction, taken[stage.rotation]);
    }
  }
}

/// The variance of Bx given what the other rotations tell: the risk without the rotation's own precision.
double variance_without(double risk, double precision) { return 1 / (1 / risk - precision); }

/// One layer after `before`: of rotations that the stages so far have rows of.
StagedLayer layer_after(const VectorPrior& prior, const std::vector<RotationRows>& rows,
                        const std::vector<StageScalars>& stages, const StagedLayer& before) {
  StagedLayer layer;
  layer.rotations.resize(before.rotations.size());
  for (std::size_t r = 0; r < layer.rotations.size(); ++r) {
    RotationScalars& rotation = layer.rotations[r];
    rotation.variance = std::clamp(variance_without(before.risk, before.rotations[r].precision), kLeastVariance, 1.0);
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (rows[s].rotation == r) rotation.variance = std::min(rotation.variance, stages[s].variance);
    }
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (rows[s].rotation != r) continue;
      rotation.information += rows[s].fraction * sign_information(rotation.variance / stages[s].variance);
    }
    rotation.precision = rotation.information / (1 - rotation.information) / rotation.variance;
    layer.precision += rotation.precision;
  }
  if (layer.precision > kLargestPrecision) {  // by as much for all: decoders weigh rotations by their precisions
    for (RotationScalars& rotation : layer.rotations) rotation.precision *= kLargestPrecision / layer.precision;
  }
  layer.precision = std::clamp(layer.precision, kLeastPrecision, kLargestPrecision);
  layer.risk = std::clamp(average_mmse(prior, layer.precision), kLeastRisk, 1.0);
  return layer;
}

}  // namespace

std::vector<StageScalars> staged_evolution(const VectorPrior& prior, const std::vector<RotationRows>& stages,
                                           const StageEvolutionOptions& options) {
  check(stages, options);
  std::vector<StageScalars> done;
  StagedLayer now;
  for (const RotationRows& stage : stages) {
    now.rotations.resize(std::max(now.rotations.size(), stage.rotation + 1));
    const double known = now.rotations[stage.rotation].precision;
    StageScalars scalars;
    scalars.variance = std::clamp(variance_without(now.risk, known), kLeastVariance, 1.0);
    done.push_back(scalars);
    for (int t = 0; t < options.layers; ++t) {
      StagedLayer next = layer_after(prior, stages, done, now);
      const double gain = now.risk - next.risk;
      const bool last = gain < options.stop * now.risk;
      done.back().layers.push_back(next);
      now = std::move(next);
      if (last || now.risk <= kLeastRisk) break;
    }
  }
  return done;
}

}  // namespace signfold
