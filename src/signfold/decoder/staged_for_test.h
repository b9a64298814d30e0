// Staged codes of random numbers, for tests.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "signfold/base/random.h"
#include "signfold/decoder/trained_stages.h"

namespace signfold::testing {

inline void fill_normal(std::span<float> values, std::uint64_t index, double deviation) {
  RandomStream stream(4711, Purpose::test, index);
  for (float& v : values) v = static_cast<float>(deviation * stream.normal());
}

/// Stages of these bits whose sums are of size 1; rows of the encoders are of unit norm.
inline std::vector<Stage> random_stages(const std::vector<std::size_t>& bits, std::size_t hidden, std::size_t dim) {
  std::vector<Stage> stages;
  std::size_t before = 0;
  for (std::size_t s = 0; s < bits.size(); ++s) {
    Stage stage = blank_stage(bits[s], before, hidden, dim);
    before += bits[s];
    const double per_bit = 0.4 / std::sqrt(static_cast<double>(bits[s]));
    fill_normal(stage.encoder.values(), 10 * s, 1 / std::sqrt(static_cast<double>(dim)));
    fill_normal(stage.threshold, 10 * s + 1, 0.1);
    fill_normal(stage.linear.values(), 10 * s + 2, per_bit);
    fill_normal(stage.in.values(), 10 * s + 3, 1 / std::sqrt(static_cast<double>(before)));
    fill_normal(stage.bias, 10 * s + 4, 0.3);
    fill_normal(stage.out.values(), 10 * s + 5, hidden > 0 ? 0.3 / std::sqrt(static_cast<double>(hidden)) : 0);
    fill_normal(stage.offset, 10 * s + 6, 0.1);
    stages.push_back(std::move(stage));
  }
  return stages;
}

inline Matrix<float> normal_rows(std::size_t rows, std::size_t dim, std::uint64_t index = 999) {
  Matrix<float> x(rows, dim);
  fill_normal(x.values(), index, 1);
  return x;
}

}  // namespace signfold::testing
