#include "signfold/training/posterior_tables.h"

#include <algorithm>
#include <cmath>

#include "signfold/decoder/pointwise.h"

namespace signfold {
namespace {

/// ln σ is rounded to a multiple of this, as in decoding.
constexpr double kSigmaGrid = 0.02;
/// Precisions below this, relative to the variance, tell nothing.
constexpr double kLeastLog = -18;
constexpr double kMostLog = 30;

}  // namespace

TableSample sample(const simd::Cubic& table, float x) {
  const std::size_t intervals = table.coefficients.size() / 4;
  const float position = (x - table.origin) * table.inverse_step;
  if (position < 0) {
    return {table.coefficients[0] + table.left_slope * (x - table.origin), table.left_slope};
  }
  if (position >= static_cast<float>(intervals)) {
    const float end = table.origin + static_cast<float>(intervals) / table.inverse_step;
    return {table.right_value + table.right_slope * (x - end), table.right_slope};
  }
  const auto k = static_cast<std::size_t>(position);
  const float t = position - static_cast<float>(k);
  const float* c = &table.coefficients[4 * k];
  return {c[0] + t * (c[1] + t * (c[2] + t * c[3])), (c[1] + t * (2 * c[2] + 3 * t * c[3])) * table.inverse_step};
}

PosteriorTables::PosteriorTables(const VectorPrior& prior, std::size_t dim) : prior_(prior) {
  check_vector_prior(prior, dim);
  if (prior.iid()) {
    groups_.push_back({0, 0});
    return;
  }
  std::map<std::pair<std::size_t, long>, std::uint32_t> known;
  group_of_.resize(dim);
  for (std::size_t j = 0; j < dim; ++j) {
    const std::size_t shape = prior.shape_of.empty() ? 0 : prior.shape_of[j];
    const double sigma = std::max(1e-8, static_cast<double>(prior.scale[j]));  // σ = 0 multiplies whatever comes out
    const long level = std::lround(std::log(sigma) / kSigmaGrid);
    const auto [entry, is_new] = known.try_emplace({shape, level}, static_cast<std::uint32_t>(groups_.size()));
    if (is_new) groups_.push_back({shape, 2 * kSigmaGrid * static_cast<double>(level)});
    group_of_[j] = entry->second;
  }
}

const simd::Cubic* PosteriorTables::table(std::size_t shape, long level) {
  std::unique_ptr<simd::Cubic>& entry = tables_[{shape, level}];
  if (!entry) {
    const double precision = std::exp(kStep * static_cast<double>(level));
    entry = std::make_unique<simd::Cubic>(posterior_table(*prior_.shapes[shape], precision));
  }
  return entry.get();
}

std::vector<PosteriorTables::Pair> PosteriorTables::at(double log_precision) {
  std::vector<Pair> out;
  out.reserve(groups_.size());
  for (const Group& group : groups_) {
    const double position = std::clamp(log_precision + group.log_variance, kLeastLog, kMostLog) / kStep;
    const double whole = std::floor(position);
    const auto level = static_cast<long>(whole);
    out.push_back({table(group.shape, level), table(group.shape, level + 1), static_cast<float>(position - whole)});
  }
  return out;
}

}  // namespace signfold
