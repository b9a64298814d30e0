#include "signfold/theory/pair_mix.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <numbers>
#include <tuple>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/prior/mixture.h"

namespace signfold {

PriorPtr rotated_pair(const Prior& prior, double angle) {
  constexpr std::size_t kMostAtoms = 16;
  const std::vector<Atom> atoms = prior.atoms();
  double mass = 0;
  for (const Atom& atom : atoms) mass += atom.weight;
  if (!(std::abs(mass - 1) < 1e-9) || atoms.size() > kMostAtoms) {
    fail("{}: rotated pairs need a prior made of at most {} atoms", prior.name(), kMostAtoms);
  }
  std::vector<Component> components;
  for (const Atom& a : atoms) {
    for (const Atom& b : atoms) {
      components.push_back({a.weight * b.weight, std::cos(angle) * a.value + std::sin(angle) * b.value, 0});
    }
  }
  return make_mixture(fmt::format("pair of {} at {}", prior.name(), angle), std::move(components), false);
}

PairOptimum optimal_pair_mix(const Prior& prior, double rate) {
  if (!(rate > 0 && rate <= 1)) fail("the rate is {}; pairs are rotated for rates in (0, 1]", rate);
  constexpr int kSteps = 32;
  constexpr double kEnd = std::numbers::pi / 4;
  const auto risk = [&](double angle) { return optimal_mix(*rotated_pair(prior, angle), rate).risk; };
  std::vector<double> scan(kSteps + 1);
  for (int k = 0; k <= kSteps; ++k) scan[k] = risk(kEnd * k / kSteps);

  double best = 0;
  double least = scan[0];
  for (int k = 1; k <= kSteps; ++k) {
    if (scan[k] > scan[k - 1] || (k < kSteps && scan[k] > scan[k + 1])) continue;
    constexpr int kBits = 15;
    const auto [angle, value] = boost::math::tools::brent_find_minima(risk, kEnd * (k - 1) / kSteps,
                                                                      kEnd * std::min(k + 1, kSteps) / kSteps, kBits);
    constexpr double kGain = 1e-12;  // of an angle over none: rounding must not decide
    if (value < least - kGain) std::tie(least, best) = std::pair(value, angle);
  }
  return {best, optimal_mix(*rotated_pair(prior, best), rate)};
}

}  // namespace signfold
