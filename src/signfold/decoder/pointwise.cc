#include "signfold/decoder/pointwise.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "signfold/decoder/table.h"
#include "signfold/simd/rows.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

/// ln σ is rounded to a multiple of this before tables are built: neighbours agree within 1 %.
constexpr double kSigmaGrid = 0.02;
/// (y − offset)/σ of less could overflow; times such a σ, whatever the table says is 0.
constexpr float kSmallSigma = 1e-30F;

/// Coordinates with the same key share a table.
struct TableKey {
  std::size_t shape = 0;
  long level = 0;  ///< ln σ in steps of kSigmaGrid
  bool operator<(const TableKey& other) const { return std::tie(shape, level) < std::tie(other.shape, other.level); }
};

TableKey key_of(const VectorPrior& prior, std::size_t j) {
  return {.shape = prior.shape_of.empty() ? 0U : prior.shape_of[j],
          .level = std::lround(std::log(static_cast<double>(prior.scale[j])) / kSigmaGrid)};
}

/// Where the posterior mean may bend within a few widths of a feature seen through the noise: an atom in a wide slab
/// makes it follow two lines with such a step between them, far from 0 if the atom is. Not closer to each other than
/// the noise: nothing is narrower.
std::vector<double> probes_of(const Prior& prior, double noise) {
  std::vector<double> all;
  for (const Feature& feature : prior.features()) {
    const double seen = std::hypot(feature.width, noise);
    for (int k = -10; k <= 10; k += 2) all.push_back(feature.center + k * seen);
  }
  std::ranges::sort(all);
  std::vector<double> probes;
  for (const double x : all) {
    if (probes.empty() || x - probes.back() >= noise) probes.push_back(x);
  }
  return probes;
}

/// Does f continue as its tangent at `from` all the way to `to`?
bool is_straight(const Differentiable& f, double from, double to, double tolerance, std::span<const double> probes) {
  constexpr int kProbes = 64;
  const double value = f.value(from);
  const double slope = f.derivative(from);
  const auto off = [&](double x) { return std::abs(value + slope * (x - from) - f.value(x)) > tolerance; };
  for (const double x : probes) {
    if ((x - from) * (to - x) > 0 && off(x)) return false;
  }
  for (int k = 1; k <= kProbes; ++k) {
    if (off(from + (to - from) * k / kProbes)) return false;
  }
  return true;
}

/// The end of the curved part of f on the side of `end`, at least `least` from 0: far out, posterior means are straight
/// lines, which a table continues for free.
double end_of_curve(const Differentiable& f, double end, double least, double tolerance,
                    std::span<const double> probes) {
  const double full = end;
  for (const double factor : {0.5, 0.8, 0.95}) {  // an end 20 % too far out may need pieces that a coarse table lacks
    while (std::abs(end) * factor > least && is_straight(f, end * factor, full, tolerance, probes)) end *= factor;
  }
  return end;
}

/// 24 standard deviations of y around every feature of the law: what a table must follow, straight or curved.
std::pair<double, double> full_range(const Prior& prior, double precision) {
  double low = 0;
  double high = 0;
  for (const Feature& feature : prior.features()) {
    const double reach = 24 * std::hypot(feature.width, 1 / std::sqrt(precision));
    low = std::min(low, feature.center - reach);
    high = std::max(high, feature.center + reach);
  }
  return {low, high};
}

Differentiable posterior_mean(const Prior& prior, double precision) {
  return {[&prior, precision](double y) { return prior.posterior(y, precision).mean; },
          [&prior, precision](double y) { return precision * prior.posterior(y, precision).variance; }};
}

/// v ↦ √V h(v/√V)/c
Differentiable score(double root, double height) {
  return {[=](double v) { return height * hazard(v / root); },
          [=](double v) {  // h' = −h(a + h)
            const double h = hazard(v / root);
            return -height * h * (v / root + h) / root;
          }};
}

}  // namespace

simd::Cubic posterior_table(const Prior& prior, double precision) {
  const Differentiable f = posterior_mean(prior, precision);
  const auto [low, high] = full_range(prior, precision);
  const double noise = 1 / std::sqrt(precision);
  const std::vector<double> probes = probes_of(prior, noise);
  return tabulate(f, end_of_curve(f, low, noise, kFineTolerance, probes),
                  end_of_curve(f, high, noise, kFineTolerance, probes), kFineTolerance, probes);
}

Curve posterior_curve(const Prior& prior, double precision, int most_intervals) {
  const Differentiable f = posterior_mean(prior, precision);
  const auto [full_low, full_high] = full_range(prior, precision);
  const double noise = 1 / std::sqrt(precision);
  const double tolerance = kCoarseTolerance / 2;  // the other half is for what lies between the knots
  std::vector<double> probes = probes_of(prior, noise);
  double low = end_of_curve(f, full_low, noise, tolerance, probes);
  double high = end_of_curve(f, full_high, noise, tolerance, probes);
  // Equal ends give an odd function a table of half the width; rounding may have made them differ.
  if (std::abs(low + high) < 0.2 * high) {
    high = std::max(high, -low);
    low = -high;
  }
  return Curve({.f = f, .low = low, .high = high, .probes = std::move(probes)}, most_intervals);
}

simd::Cubic score_table(double variance, double information, double clip) {
  const double root = std::sqrt(variance);
  const double height = root / information;
  constexpr double kVanishes = 8;  // h(8) = 5e-15
  simd::Cubic table = tabulate(score(root, height), -clip * root, kVanishes * root, kFineTolerance * height);
  table.left_slope = 0;  // the clip: constant to the left
  table.right_slope = 0;
  return table;
}

Curve score_curve(double variance, double information, double clip) {
  const double root = std::sqrt(variance);
  const double height = root / information;
  constexpr double kVanishes = 5;  // h(5) = 1.5e-6
  return Curve(
      {.f = score(root, height), .low = -clip * root, .high = kVanishes * root, .height = height, .flat = true});
}

PosteriorMean::PosteriorMean(const VectorPrior& prior, std::size_t dim, double precision, int most_intervals,
                             simd::Cubic correction)
    : correction_(std::move(correction)) {
  if (prior.iid()) {
    tables_.push_back(posterior_curve(*prior.shapes[0], precision, most_intervals));
    return;
  }
  offset_ = prior.offset;
  if (offset_.empty()) offset_.assign(dim, 0.0F);
  scale_ = prior.scale;
  table_of_.resize(dim);
  std::map<TableKey, std::uint32_t> known;
  for (std::size_t j = 0; j < dim; ++j) {
    if (scale_[j] <= 0) continue;  // σ = 0: the value is multiplied by 0 whatever the table says
    const TableKey key = key_of(prior, j);
    const auto [entry, is_new] = known.try_emplace(key, static_cast<std::uint32_t>(tables_.size()));
    if (is_new) {
      const double sigma = std::exp(kSigmaGrid * static_cast<double>(key.level));
      tables_.push_back(posterior_curve(*prior.shapes[key.shape],
                                        std::clamp(precision * sigma * sigma, kLeastPrecision, kLargestPrecision),
                                        most_intervals));
    }
    table_of_[j] = entry->second;
  }
  if (tables_.empty()) tables_.push_back(posterior_curve(*prior.shapes[0], precision, most_intervals));
}

std::size_t PosteriorMean::tables(const VectorPrior& prior, std::size_t dim) {
  if (prior.iid()) return 1;
  std::set<TableKey> keys;
  for (std::size_t j = 0; j < dim; ++j) {
    if (prior.scale[j] > 0) keys.insert(key_of(prior, j));
  }
  return std::max<std::size_t>(1, keys.size());
}

void PosteriorMean::apply_curve(const Curve& curve, std::span<float> added, std::span<const float> y,
                                std::span<float> x) const {
  if (!added.empty()) simd::table(correction_, y, added);
  curve.apply(y, x);
  if (!added.empty()) simd::add_scaled(1.0F, added, x);
}

void PosteriorMean::apply(MatrixView<const float> y, MatrixView<float> x) const {
  if (!table_of_.empty()) return apply_to_columns(y, x);
  std::vector<float> added(correction_.coefficients.empty() ? 0 : y.cols);
  for (std::size_t i = 0; i < y.rows; ++i) apply_curve(tables_[0], added, y.row(i), x.row(i));
}

void PosteriorMean::apply_to_columns(MatrixView<const float> y, MatrixView<float> x) const {
  std::vector<float> column(y.rows);
  std::vector<float> added(correction_.coefficients.empty() ? 0 : y.rows);
  for (std::size_t j = 0; j < y.cols; ++j) {
    const float sigma = scale_[j];
    const float inverse = sigma > kSmallSigma ? 1 / sigma : 0;
    for (std::size_t i = 0; i < y.rows; ++i) column[i] = (y(i, j) - offset_[j]) * inverse;
    apply_curve(tables_[table_of_[j]], added, column, column);
    for (std::size_t i = 0; i < y.rows; ++i) x(i, j) = offset_[j] + sigma * column[i];
  }
}

}  // namespace signfold
