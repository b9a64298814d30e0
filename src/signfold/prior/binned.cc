#include "signfold/prior/binned.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

constexpr std::size_t kSample = 65536;
constexpr std::size_t kCandidates = 4;
constexpr std::uint64_t kFewestOccurrences = 3;
constexpr std::size_t kBins = 65536;
constexpr double kRounding = 1e-11;  ///< of a sum of squares over 1e8 values, with room to spare

double weight_of(std::span<const float> weights, std::size_t i) { return weights.empty() ? 1 : weights[i]; }

/// Positions of the values looked at first: all of them, or kSample drawn at random.
std::vector<std::size_t> sample_positions(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> positions(std::min(count, kSample));
  if (count <= kSample) {
    std::iota(positions.begin(), positions.end(), std::size_t{0});
  } else {
    RandomStream stream(seed, Purpose::em);
    for (std::size_t& p : positions) p = stream.below(count);
  }
  return positions;
}

/// The heaviest exact values of the sample, heaviest first.
std::vector<float> spike_candidates(std::span<const float> values, std::span<const float> weights, std::uint64_t seed) {
  std::map<float, double> weight;
  for (const std::size_t i : sample_positions(values.size(), seed)) weight[values[i]] += weight_of(weights, i);
  std::vector<std::pair<double, float>> ranked;
  ranked.reserve(weight.size());
  for (const auto& [value, w] : weight) ranked.emplace_back(-w, value);
  const std::size_t kept = std::min(kCandidates, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(kept), ranked.end());
  std::vector<float> candidates;
  for (std::size_t i = 0; i < kept; ++i) candidates.push_back(ranked[i].second);
  return candidates;
}

float sample_median(std::span<const float> values, std::uint64_t seed) {
  std::vector<float> sample;
  for (const std::size_t i : sample_positions(values.size(), seed)) sample.push_back(values[i]);
  const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 2);
  std::nth_element(sample.begin(), middle, sample.end());
  return *middle;
}

/// Weight, first and second moment of one bin.
struct Sums {
  double weight = 0;
  double first = 0;
  double second = 0;
};

}  // namespace

void check_values(std::span<const float> values, std::span<const float> weights) {
  if (values.size() < 2) fail("learning a prior needs at least 2 values, not {}", values.size());
  if (!weights.empty() && weights.size() != values.size()) {
    fail("learning a prior: {} weights for {} values", weights.size(), values.size());
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) fail("learning a prior: value {} is {}", i, values[i]);
  }
  double total = weights.empty() ? 1 : 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || std::isinf(weights[i])) fail("learning a prior: weight {} is {}", i, weights[i]);
    total += weights[i];
  }
  if (total == 0) fail("learning a prior: all weights are 0");
}

std::optional<Spike> find_spike(std::span<const float> values, std::span<const float> weights, double share,
                                std::uint64_t seed) {
  struct Count {
    float value;
    std::uint64_t occurrences = 0;
    double weight = 0;
  };
  std::vector<Count> counts;
  for (const float value : spike_candidates(values, weights, seed)) counts.push_back({value});
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double weight = weight_of(weights, i);
    total += weight;
    for (Count& c : counts) {
      if (values[i] != c.value) continue;
      ++c.occurrences;
      c.weight += weight;
    }
  }
  const Count& best = *std::max_element(counts.begin(), counts.end(),
                                        [](const Count& a, const Count& b) { return a.weight < b.weight; });
  if (best.occurrences < kFewestOccurrences && best.occurrences < values.size()) return std::nullopt;
  if (best.weight <= share * total) return std::nullopt;
  return Spike{best.value + 0.0, best.weight};  // + 0.0: a spike at −0 is one at 0
}

Binned bin_values(std::span<const float> values, std::span<const float> weights, const std::optional<Spike>& spike,
                  std::uint64_t seed) {
  const float center = spike ? static_cast<float>(spike->value) : sample_median(values, seed);
  std::vector<Sums> sums(kBins);
  double squared_weights = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (spike && values[i] == center) continue;
    const double weight = weight_of(weights, i);
    const double x = static_cast<double>(values[i]) - center;
    // The upper half of a float32 is its sign, exponent and 7 bits of fraction: a logarithmic bin number for free.
    Sums& bin = sums[std::bit_cast<std::uint32_t>(values[i] - center) >> 16];
    bin.weight += weight;
    bin.first += weight * x;
    bin.second += weight * x * x;
    squared_weights += weight * weight;
  }
  Binned data;
  data.center = center;
  double first = 0;
  for (const Sums& s : sums) {
    if (!(s.weight > 0)) continue;
    const double mean = s.first / s.weight;
    const double variance = s.second / s.weight - mean * mean;
    data.bins.push_back({s.weight, mean, variance > kRounding * mean * mean ? variance : 0});
    data.weight += s.weight;
    first += s.first;
  }
  if (data.bins.empty()) return data;
  sort_bins(data);
  data.weight_count = data.weight * data.weight / squared_weights;
  data.mean = data.bins.size() == 1 ? data.bins[0].mean : first / data.weight;
  for (const Bin& bin : data.bins) {
    const double distance = bin.mean - data.mean;
    data.variance += bin.weight / data.weight * (bin.variance + distance * distance);
  }
  return data;
}

void sort_bins(Binned& data) {
  std::sort(data.bins.begin(), data.bins.end(), [](const Bin& a, const Bin& b) { return a.mean < b.mean; });
}

double quantile(const Binned& data, double level) {
  double left = level * data.weight;
  for (const Bin& bin : data.bins) {
    left -= bin.weight;
    if (left <= 0) return bin.mean;
  }
  return data.bins.back().mean;
}

}  // namespace signfold
