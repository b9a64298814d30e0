#include "signfold/training/population_masks.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <numeric>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

void check(std::size_t dim, double p) {
  if (dim == 0) fail("population risk: the dimension is 0");
  if (!(p > 0 && p <= 1)) fail("population risk: p is {}; it must be above 0 and at most 1", p);
}

SourceMasks full_mask(std::size_t dim) {
  std::vector<std::uint32_t> everything(dim);
  std::iota(everything.begin(), everything.end(), 0U);
  return {.dim = dim, .p = 1, .kept = {std::move(everything)}, .weights = {1.0}};
}

/// The probabilities of 0, …, d kept coordinates.
std::vector<double> size_law(std::size_t dim, double p) {
  const boost::math::binomial law(static_cast<double>(dim), p);
  std::vector<double> result(dim + 1);
  for (std::size_t k = 0; k <= dim; ++k) result[k] = boost::math::pdf(law, static_cast<double>(k));
  return result;
}

/// `count` numbers of kept coordinates in random order, one from each of `count` equally likely slices of their law.
std::vector<std::size_t> stratified_sizes(std::size_t dim, double p, std::size_t count, RandomStream& stream) {
  std::vector<double> below = size_law(dim, p);
  std::partial_sum(below.begin(), below.end(), below.begin());
  const std::vector<std::uint32_t> order = random_permutation(stream, count);
  std::vector<std::size_t> sizes(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double level = (static_cast<double>(i) + stream.uniform()) / static_cast<double>(count);
    const auto found = std::ranges::lower_bound(below, level) - below.begin();
    sizes[order[i]] = std::min(dim, static_cast<std::size_t>(found));  // the sums may end an ulp below the last level
  }
  return sizes;
}

/// Deals coordinates like cards from a shuffled deck, and shuffles a new one when it runs out. Nothing prefers one
/// coordinate to another, so a hand of k cards is a uniformly random subset.
class Deck {
 public:
  Deck(std::size_t dim, RandomStream& stream) : dim_(dim), stream_(&stream) {}

  std::vector<std::uint32_t> deal(std::size_t size) {
    std::vector<std::uint32_t> hand;
    take(hand, std::min(size, cards_.size()));
    if (hand.size() < size) {
      cards_ = random_permutation(*stream_, dim_);
      std::vector<bool> held(dim_);
      for (const std::uint32_t card : hand) held[card] = true;
      std::stable_partition(cards_.begin(), cards_.end(), [&](std::uint32_t card) { return held[card]; });
      take(hand, size - hand.size());
    }
    std::ranges::sort(hand);
    return hand;
  }

 private:
  /// From the back of the deck.
  void take(std::vector<std::uint32_t>& hand, std::size_t count) {
    const auto from = cards_.end() - static_cast<std::ptrdiff_t>(count);
    hand.insert(hand.end(), from, cards_.end());
    cards_.erase(from, cards_.end());
  }

  std::size_t dim_;
  RandomStream* stream_;
  std::vector<std::uint32_t> cards_;
};

}  // namespace

SourceMasks all_masks(std::size_t dim, double p) {
  check(dim, p);
  if (p == 1) return full_mask(dim);
  if (dim > 12) fail("population risk: dimension {} has too many masks to enumerate; draw them", dim);
  SourceMasks masks{.dim = dim, .p = p, .kept = {}, .weights = {}};
  for (std::uint32_t mask = 0; mask < 1U << dim; ++mask) {
    std::vector<std::uint32_t> kept;
    double weight = 1;
    for (std::uint32_t j = 0; j < dim; ++j) {
      const bool keep = (mask >> j & 1U) != 0;
      if (keep) kept.push_back(j);
      weight *= keep ? p : 1 - p;
    }
    masks.kept.push_back(std::move(kept));
    masks.weights.push_back(weight);
  }
  return masks;
}

SourceMasks draw_masks(std::size_t dim, double p, std::size_t count, std::uint64_t seed, std::uint64_t index) {
  check(dim, p);
  if (count == 0) fail("population risk: 0 masks; ask for at least one");
  if (p == 1) return full_mask(dim);
  RandomStream stream(seed, Purpose::masks, index);
  SourceMasks masks{.dim = dim, .p = p, .kept = {}, .weights = {}};
  masks.weights.assign(count, 1 / static_cast<double>(count));
  const std::vector<std::size_t> sizes = stratified_sizes(dim, p, count, stream);
  Deck deck(dim, stream);
  for (const std::size_t size : sizes) masks.kept.push_back(deck.deal(size));
  return masks;
}

double mean_flat_length(std::size_t dim, double p) {
  check(dim, p);
  if (p == 1) return 1;
  const std::vector<double> law = size_law(dim, p);
  double sum = 0;
  for (std::size_t k = 0; k <= dim; ++k) sum += law[k] * std::sqrt(static_cast<double>(k));
  return sum / std::sqrt(p * static_cast<double>(dim));
}

}  // namespace signfold
