// Posterior means and their derivatives at any precision, from tables that are made when first needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "signfold/prior/profile.h"
#include "signfold/simd/kernels.h"

namespace signfold {

/// A tabulated function and its slope at one point.
struct TableSample {
  float value = 0;
  float slope = 0;
};
TableSample sample(const simd::Cubic& table, float x);

/// η(y; γ) of every coordinate, in units of its σ, as a function of (y − μ)/σ: between two tables of a grid of ln γσ²,
/// linear in the logarithm. Steps of 0.05 change η by less than 1e-3 of its spread, and derivatives are those of what
/// is evaluated. Not thread-safe; what at() returns is.
class PosteriorTables {
 public:
  PosteriorTables(const VectorPrior& prior, std::size_t dim);

  /// The two tables around one value of ln γσ².
  struct Pair {
    const simd::Cubic* low = nullptr;
    const simd::Cubic* high = nullptr;
    float mix = 0;  ///< weight of `high`
  };
  /// For every group of coordinates that share tables.
  std::vector<Pair> at(double log_precision);
  std::size_t group_of(std::size_t j) const { return group_of_.empty() ? 0 : group_of_[j]; }
  float offset(std::size_t j) const { return prior_.iid() ? 0 : prior_.offset[j]; }
  float scale(std::size_t j) const { return prior_.iid() ? 1 : prior_.scale[j]; }

  static constexpr double kStep = 0.05;

 private:
  const simd::Cubic* table(std::size_t shape, long level);

  struct Group {
    std::size_t shape;
    double log_variance;  ///< ln σ²
  };
  VectorPrior prior_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> group_of_;
  std::map<std::pair<std::size_t, long>, std::unique_ptr<simd::Cubic>> tables_;
};

}  // namespace signfold
