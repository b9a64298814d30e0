// Many values summed into few bins, so that EM costs the same for a thousand values and for a hundred million.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace signfold {

/// An exact value that many of the data share.
struct Spike {
  double value = 0;
  double weight = 0;  ///< total weight of the values equal to it
};

/// The values that fell together, as numbers relative to the centre.
struct Bin {
  double weight = 0;
  double mean = 0;
  double variance = 0;
};

struct Binned {
  std::vector<Bin> bins;    ///< not empty of weight, in increasing order of mean
  double center = 0;        ///< what was subtracted from every value
  double weight = 0;        ///< sum over the bins
  double weight_count = 0;  ///< how many equally heavy values would carry the same information: (Σw)²/Σw²
  double mean = 0;          ///< relative to the centre
  double variance = 0;
};

/// Throws Error unless there are at least 2 finite values, and weights that are empty or as many, finite, ≥ 0, not
/// all 0.
void check_values(std::span<const float> values, std::span<const float> weights);

/// The most frequent exact value, if it occurs at least three times and has more than `share` of the weight.
/// Candidates come from 65536 values drawn with the seed (all values where there are fewer), counts from all values.
std::optional<Spike> find_spike(std::span<const float> values, std::span<const float> weights, double share,
                                std::uint64_t seed);

/// All values that are not the spike. The centre is the spike, or else the median of a sample. Bins are as wide as
/// 1/128 of the distance from the centre, so that scales far apart are resolved alike.
Binned bin_values(std::span<const float> values, std::span<const float> weights, const std::optional<Spike>& spike,
                  std::uint64_t seed);

/// Puts the bins in increasing order of mean.
void sort_bins(Binned& data);
/// The mean of the bin at the given level in (0, 1) of the weight.
double quantile(const Binned& data, double level);

}  // namespace signfold
