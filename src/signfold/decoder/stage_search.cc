#include "signfold/decoder/stage_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "signfold/base/bits.h"
#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"

namespace signfold {
namespace {

constexpr std::size_t kBlockRows = 64;  // searched together: products want many rows, the cache few
constexpr double kNoError = 1e-30;      // keeps logarithms and weights finite

/// What the codes of a block of rows come to.
class Block {
 public:
  Block(const std::vector<Stage>& stages, MatrixView<const float> x)
      : stages_(stages), x_(x), weights_(x.rows, stages.size()), slopes_(x.rows, stages.back().in.rows()) {
    for (const Stage& stage : stages) {
      errors_.emplace_back(x.rows, x.cols);
      hidden_.emplace_back(x.rows, stage.hidden());
    }
  }

  /// Σ_s ln ‖x − x̂_s‖² of every row.
  std::vector<double> costs(MatrixView<const std::uint8_t> codes) {
    std::vector<double> sums(x_.rows);
    Matrix<float> estimate(x_.rows, x_.cols);
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      add_stage(stages_[s], codes, hidden_[s], estimate);
      for (std::size_t i = 0; i < x_.rows; ++i) {
        const std::span<float> error = errors_[s].row(i);
        std::ranges::copy(x_.row(i), error.begin());
        simd::add_scaled(-1, estimate.row(i), error);
        const double energy = std::max(simd::energy(error), kNoError);
        sums[i] += std::log(energy);
        weights_(i, s) = static_cast<float>(1 / energy);
      }
    }
    return sums;
  }
  /// For the codes that costs() was called with last: minus half the derivatives of the sum in every bit z = ±1.
  MatrixView<const float> slopes() {
    Matrix<float> behind(x_.rows, x_.cols);  // Σ (x − x̂_t)/‖x − x̂_t‖² over t from a stage on
    std::ranges::fill(slopes_.values(), 0.0F);
    std::size_t before = slopes_.cols();
    for (std::size_t s = stages_.size(); s-- > 0;) {
      const Stage& stage = stages_[s];
      for (std::size_t i = 0; i < x_.rows; ++i) simd::add_scaled(weights_(i, s), errors_[s].row(i), behind.row(i));
      if (stage.hidden() > 0) {
        Matrix<float> units(x_.rows, stage.hidden());
        simd::matrix_product(false, true, behind, stage.out, 0, units);
        for (std::size_t i = 0; i < x_.rows; ++i) simd::times_rectifier_slope(hidden_[s].row(i), units.row(i));
        simd::matrix_product(false, true, units, stage.in, 1, slopes_of(0, stage.in.rows()));
      }
      before -= stage.bits();
      simd::matrix_product(false, true, behind, stage.linear, 1, slopes_of(before, stage.bits()));
    }
    return slopes_;
  }
  /// 1/‖x − x̂_s‖² of every stage.
  std::span<const float> weights(std::size_t row) const { return weights_.row(row); }

 private:
  MatrixView<float> slopes_of(std::size_t begin, std::size_t count) {
    return {slopes_.data() + begin, slopes_.rows(), count, slopes_.cols()};
  }

  const std::vector<Stage>& stages_;
  MatrixView<const float> x_;
  Matrix<float> weights_, slopes_;
  std::vector<Matrix<float>> errors_;  ///< x − x̂ after every stage
  std::vector<Matrix<float>> hidden_;
};

/// ‖row of A‖² of every bit: the second derivative of ‖x − x̂_s‖² in it, halved, as far as the linear decoders go.
std::vector<std::vector<float>> energies_of(const std::vector<Stage>& stages) {
  std::vector<std::vector<float>> energies;
  for (const Stage& stage : stages) {
    std::vector<float>& of = energies.emplace_back();
    for (std::size_t i = 0; i < stage.bits(); ++i) of.push_back(static_cast<float>(simd::energy(stage.linear.row(i))));
  }
  return energies;
}

/// What is known of the code that a row has now.
struct Now {
  double cost = 0;
  std::vector<float> slopes;
  std::vector<float> curvature;
  std::vector<bool> failed;  ///< flips that were tried in vain

  void take(double new_cost, std::span<const float> new_slopes, std::span<const float> weights,
            const std::vector<std::vector<float>>& energies) {
    cost = new_cost;
    slopes.assign(new_slopes.begin(), new_slopes.end());
    curvature.clear();
    failed.assign(slopes.size(), false);
    for (std::size_t s = 0; s < energies.size(); ++s) {
      float after = 0;
      for (const float weight : weights.subspan(s)) after += weight;
      for (const float energy : energies[s]) curvature.push_back(after * energy);
    }
  }
  /// None when all were tried.
  std::optional<std::size_t> most_promising(std::span<const std::uint8_t> code) const {
    std::optional<std::size_t> best;
    float least = std::numeric_limits<float>::infinity();
    for (std::size_t bit = 0; bit < slopes.size(); ++bit) {
      const float added = (bit_of(code, bit) ? slopes[bit] : -slopes[bit]) + curvature[bit];
      if (failed[bit] || !(added < least)) continue;
      least = added;
      best = bit;
    }
    return best;
  }
};

void search_block(const std::vector<Stage>& stages, const std::vector<std::vector<float>>& energies,
                  MatrixView<const float> x, std::size_t rounds, MatrixView<std::uint8_t> codes) {
  Block block(stages, x);
  std::vector<Now> now(x.rows);
  std::vector<std::optional<std::size_t>> tried(x.rows);
  for (std::size_t round = 0; round <= rounds; ++round) {
    bool any = round == 0;
    for (std::size_t i = 0; i < x.rows && round > 0; ++i) {
      tried[i] = now[i].most_promising(codes.row(i));
      if (tried[i]) flip_bit(codes.row(i), *tried[i]);
      any = any || tried[i];
    }
    if (!any) return;
    const std::vector<double> costs = block.costs(codes);
    const auto better = [&](std::size_t i) { return round == 0 || (tried[i] && costs[i] < now[i].cost); };
    MatrixView<const float> slopes;
    for (std::size_t i = 0; i < x.rows; ++i) {
      if (better(i) && round < rounds) {
        if (slopes.rows == 0) slopes = block.slopes();  // many rounds change nothing in a whole block, or are the last
        now[i].take(costs[i], slopes.row(i), block.weights(i), energies);
      } else if (!better(i) && tried[i]) {
        flip_bit(codes.row(i), *tried[i]);
        now[i].failed[*tried[i]] = true;
      }
    }
  }
}

}  // namespace

void search_bits(const std::vector<Stage>& stages, MatrixView<const float> x, std::size_t rounds,
                 MatrixView<std::uint8_t> codes) {
  if (stages.empty() || x.rows != codes.rows || codes.cols != code_bytes(stages.back().in.rows()) ||
      x.cols != stages.back().offset.size()) {
    fail("search of bits: {} stages, {} vectors and {} codes do not fit", stages.size(), x.rows, codes.rows);
  }
  if (rounds == 0) return;
  const std::vector<std::vector<float>> energies = energies_of(stages);
  for (std::size_t begin = 0; begin < x.rows; begin += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, x.rows - begin);
    search_block(stages, energies, x.row_range(begin, rows), rounds, codes.row_range(begin, rows));
  }
}

}  // namespace signfold
