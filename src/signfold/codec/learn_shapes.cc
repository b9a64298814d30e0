#include "signfold/codec/learn_shapes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "signfold/base/parallel.h"
#include "signfold/base/random.h"
#include "signfold/prior/learn.h"

namespace signfold {
namespace {

constexpr std::size_t kMostValues = 2000000;  // that EM looks at
constexpr std::size_t kHeldOut = 5;           // every fifth row decides where to cut
constexpr std::size_t kLeastValues = 200;     // for a law of its own
/// A band with less than this share of the sum of scales is not halved.
constexpr double kLeastShare = 1.0 / 512;
/// Laws are compared as a decoder meets them, behind noise; also, values with atoms have no density otherwise. This is
/// the precision that a code of about one bit per coordinate reaches, where the mean square of a coordinate is 1.
constexpr double kPrecision = 10;
/// Standard errors of the held-out vectors by which the likelihood must rise for a cut: the tree of bands has hundreds
/// of them, and without this equal laws are cut wherever chance has it.
constexpr double kEnough = 2;

/// EM for a band: close to converged, where laws for predictions of a whole vector take their time. The risk measured
/// with 784 laws is the same to four digits.
LearnOptions quick_options(std::uint64_t seed) {
  LearnOptions options;
  options.iterations = 100;
  options.tolerance = 1e-5;
  options.seed = seed;
  return options;
}

/// The same for the hundreds of bands that are compared, of which few remain.
LearnOptions draft_options(std::uint64_t seed) {
  LearnOptions options = quick_options(seed);
  options.iterations = 20;
  return options;
}

/// Standardised values of the coordinates that vary, in decreasing order of scale: one coordinate per row.
struct Values {
  std::vector<std::size_t> order;
  std::vector<double> precision;  ///< of the noise that laws are compared behind
  Matrix<float> w;
  std::vector<float> weights;  ///< one per column of w
};

/// A run of coordinates with one law.
struct Band {
  std::size_t begin = 0;
  std::size_t end = 0;
  PriorPtr law;
  std::vector<double> scores;  ///< log-likelihood of the held out values, vector by vector
  std::size_t halves = 0;      ///< where its halves are in the list of bands; 0 = not halved
};

Values standard_values(MatrixView<const float> rows, std::span<const double> weights, const VectorPrior& prior) {
  Values v;
  for (std::size_t j = 0; j < rows.cols; ++j) {
    if (prior.scale[j] > 0) v.order.push_back(j);
  }
  std::ranges::stable_sort(v.order, [&](auto a, auto b) { return prior.scale[a] > prior.scale[b]; });
  const std::size_t stride = std::max<std::size_t>(1, (rows.rows * rows.cols + kMostValues - 1) / kMostValues);
  const std::size_t count = (rows.rows + stride - 1) / stride;
  v.w = Matrix<float>(v.order.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = rows.row(i * stride);
    for (std::size_t k = 0; k < v.order.size(); ++k) {
      const std::size_t j = v.order[k];
      v.w(k, i) = (row[j] - prior.offset[j]) / prior.scale[j];
    }
    v.weights.push_back(static_cast<float>(weights[i * stride]));
  }
  for (const std::size_t j : v.order) {
    v.precision.push_back(std::max(kLeastPrecision, kPrecision * prior.scale[j] * static_cast<double>(prior.scale[j])));
  }
  return v;
}

/// The columns of v whose number modulo kHeldOut is (or is not) the last.
Values part_of(const Values& v, bool held_out) {
  Values part{v.order, v.precision, {}, {}};
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < v.weights.size(); ++i) {
    if ((i % kHeldOut == kHeldOut - 1) == held_out) columns.push_back(i);
  }
  part.w = Matrix<float>(v.order.size(), columns.size());
  for (const std::size_t i : columns) part.weights.push_back(v.weights[i]);
  for (std::size_t k = 0; k < v.order.size(); ++k) {
    for (std::size_t i = 0; i < columns.size(); ++i) part.w(k, i) = v.w(k, columns[i]);
  }
  return part;
}

/// Adds the noise that laws are compared behind.
void blur(Values& v, std::uint64_t seed) {
  for (std::size_t k = 0; k < v.order.size(); ++k) {
    RandomStream stream(seed, Purpose::held_out, k);
    const double deviation = 1 / std::sqrt(v.precision[k]);
    for (float& value : v.w.row(k)) value = static_cast<float>(value + deviation * stream.normal());
  }
}

/// Shifts and scales the values to weighted mean 0 and variance 1.
void standardize(std::vector<float>& values, const std::vector<float>& weights) {
  double total = 0, mean = 0, variance = 0;
  for (const float w : weights) total += w;
  for (std::size_t i = 0; i < values.size(); ++i) mean += weights[i] / total * values[i];
  for (std::size_t i = 0; i < values.size(); ++i)
    variance += weights[i] / total * (values[i] - mean) * (values[i] - mean);
  const double factor = variance > 0 ? 1 / std::sqrt(variance) : 0;
  for (float& v : values) v = static_cast<float>((v - mean) * factor);
}

PriorPtr learn_law(const Values& v, const Band& band, const LearnOptions& options) {
  std::vector<float> values;
  std::vector<float> weights;
  for (std::size_t k = band.begin; k < band.end; ++k) {
    const auto row = v.w.row(k);
    values.insert(values.end(), row.begin(), row.end());
    weights.insert(weights.end(), v.weights.begin(), v.weights.end());
  }
  standardize(values, weights);
  return learn_prior(values, weights, options);
}

std::vector<double> log_likelihoods(const Values& held_out, const Band& band) {
  std::vector<double> sums(held_out.weights.size());
  for (std::size_t k = band.begin; k < band.end; ++k) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += held_out.weights[i] * band.law->log_marginal(held_out.w(k, i), held_out.precision[k]);
    }
  }
  return sums;
}

/// Is the sum of a above that of b by more than kEnough standard errors of their paired difference?
bool clearly_better(const std::vector<double>& a, const std::vector<double>& b) {
  const auto count = static_cast<double>(a.size());
  double gain = 0;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    gain += a[i] - b[i];
    squares += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return gain > kEnough * std::sqrt(std::max(0.0, squares - gain * gain / count));
}

/// Where the first half of the sum of scales ends; at least one coordinate on either side.
std::size_t middle(const Values& v, const VectorPrior& prior, const Band& band) {
  double total = 0;
  for (std::size_t k = band.begin; k < band.end; ++k) total += prior.scale[v.order[k]];
  std::size_t k = band.begin;
  for (double sum = 0; k < band.end && sum < total / 2; ++k) sum += prior.scale[v.order[k]];
  return std::clamp(k, band.begin + 1, band.end - 1);
}

/// All bands that halving gives, each after the one it is half of.
std::vector<Band> halve(const Values& v, const VectorPrior& prior) {
  double total = 0;
  for (const std::size_t j : v.order) total += prior.scale[j];
  std::vector<Band> bands = {{0, v.order.size(), nullptr, {}}};
  for (std::size_t b = 0; b < bands.size(); ++b) {
    const Band band = bands[b];
    double share = 0;
    for (std::size_t k = band.begin; k < band.end; ++k) share += prior.scale[v.order[k]] / total;
    if (band.end - band.begin < 2 || share < kLeastShare) continue;
    const std::size_t cut = middle(v, prior, band);
    if (std::min(cut - band.begin, band.end - cut) * v.weights.size() < kLeastValues) continue;
    bands[b].halves = bands.size();
    bands.push_back({band.begin, cut, nullptr, {}});
    bands.push_back({cut, band.end, nullptr, {}});
  }
  return bands;
}

/// Bottom up, a band gives way to what its halves came to, where that is clearly better.
std::vector<Band> best_cut(const std::vector<Band>& all) {
  std::vector<std::vector<double>> best(all.size());
  std::vector<bool> cut(all.size());
  for (std::size_t b = all.size(); b-- > 0;) {
    best[b] = all[b].scores;
    if (all[b].halves == 0) continue;
    std::vector<double> halves = std::move(best[all[b].halves]);
    const std::vector<double>& second = best[all[b].halves + 1];
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i] += second[i];
    cut[b] = clearly_better(halves, best[b]);
    if (cut[b]) best[b] = std::move(halves);
  }
  std::vector<Band> chosen;
  std::vector<std::size_t> open = {0};
  while (!open.empty()) {
    const std::size_t b = open.back();
    open.pop_back();
    if (cut[b]) {
      open.push_back(all[b].halves + 1);
      open.push_back(all[b].halves);
    } else {
      chosen.push_back(all[b]);
    }
  }
  return chosen;
}

std::vector<Band> choose_bands(const Values& v, const VectorPrior& prior, std::uint64_t seed, int threads) {
  const Values learned = part_of(v, false);
  std::vector<Band> bands = halve(learned, prior);
  if (bands.size() == 1) return bands;
  Values held_out = part_of(v, true);
  blur(held_out, seed);
  parallel_for(bands.size(), 1, threads, [&](std::size_t begin, std::size_t /*end*/) {
    Band& band = bands[begin];
    band.law = learn_law(learned, band, draft_options(seed));
    band.scores = log_likelihoods(held_out, band);
  });
  return best_cut(bands);
}

}  // namespace

void learn_shapes(MatrixView<const float> rows, std::span<const double> weights, std::uint64_t seed, int threads,
                  VectorPrior& prior) {
  prior.shape_of.assign(rows.cols, 0);
  const Values v = standard_values(rows, weights, prior);
  if (v.order.empty()) {  // coordinates that never vary: their law is never looked at
    prior.shapes = {parse_prior("gaussian")};
    return;
  }
  std::vector<Band> bands = choose_bands(v, prior, seed, threads);
  parallel_for(bands.size(), 1, threads, [&](std::size_t begin, std::size_t /*end*/) {
    bands[begin].law = learn_law(v, bands[begin], quick_options(seed));
  });
  prior.shapes.clear();
  for (const Band& band : bands) {
    for (std::size_t k = band.begin; k < band.end; ++k) {
      prior.shape_of[v.order[k]] = static_cast<std::uint16_t>(prior.shapes.size());
    }
    prior.shapes.push_back(band.law);
  }
}

}  // namespace signfold
