#include "signfold/training/staged_gradient.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/decoder/stage_search.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"
#include "signfold/simd/sign_product.h"
#include "signfold/training/blocks.h"

namespace signfold {
namespace {

void sum_of_rows(MatrixView<const float> rows, std::vector<float>& to) {
  std::ranges::fill(to, 0.0F);
  for (std::size_t i = 0; i < rows.rows; ++i) simd::add_scaled(1.0F, rows.row(i), to);
}

}  // namespace

StagedGradient::StagedGradient(const std::vector<Stage>& shapes, std::size_t batch, Team& team) : team_(&team) {
  if (shapes.empty() || batch == 0) fail("staged gradient: {} stages, {} vectors", shapes.size(), batch);
  std::size_t before = 0;
  for (const Stage& stage : shapes) {
    const std::size_t bits = stage.bits();
    const std::size_t dim = stage.offset.size();
    work_.push_back({.before = before,
                     .residual = Matrix<float>(batch, dim),
                     .u = Matrix<float>(batch, bits),
                     .slope = Matrix<float>(batch, bits),
                     .hidden = Matrix<float>(batch, stage.hidden()),
                     .hidden_slope = Matrix<float>(batch, stage.hidden()),
                     .estimate = Matrix<float>(batch, dim),
                     .estimate_slope = Matrix<float>(batch, dim),
                     .energy = std::vector<double>(batch),
                     .error = std::vector<double>(batch)});
    before += bits;
  }
  codes_ = Matrix<std::uint8_t>(batch, code_bytes(before));
  transposed_ = Matrix<std::uint8_t>(before, code_bytes(batch));
}

void StagedGradient::check(const std::vector<Stage>& stages, MatrixView<const float> x) const {
  bool fits = stages.size() == work_.size() && x.rows > 0 && x.rows <= codes_.rows();
  for (std::size_t s = 0; fits && s < stages.size(); ++s) {
    fits = stages[s].bits() == work_[s].u.cols() && stages[s].hidden() == work_[s].hidden.cols() &&
           stages[s].offset.size() == work_[s].estimate.cols() && x.cols == work_[s].estimate.cols();
  }
  if (!fits) fail("staged gradient: {} stages and {} vectors do not fit the workspace", stages.size(), x.rows);
}

/// With the bits that codes_ holds already, or with the signs of the scores.
void StagedGradient::forward_block(const std::vector<Stage>& stages, MatrixView<const float> x, Bits bits,
                                   std::size_t begin, std::size_t count) {
  for (std::size_t s = 0; s < stages.size(); ++s) {
    Work& work = work_[s];
    for (std::size_t i = begin; i < begin + count; ++i) {
      const std::span<float> estimate = work.estimate.row(i);
      const std::span<float> residual = work.residual.row(i);
      std::ranges::copy(x.row(i), residual.begin());
      if (s == 0) {
        std::ranges::fill(estimate, 0.0F);
      } else {
        std::ranges::copy(work_[s - 1].estimate.row(i), estimate.begin());
        simd::add_scaled(-1.0F, estimate, residual);
      }
    }
    const MatrixView<float> u = work.u.view().row_range(begin, count);
    stage_scores(stages[s], work.residual.view().row_range(begin, count), u);
    if (bits == Bits::signs) keep_signs(u, work.before, codes_.view().row_range(begin, count));
    for (std::size_t i = begin; i < begin + count; ++i) {
      work.energy[i] = static_cast<double>(simd::dot(work.u.row(i), work.u.row(i)));
    }
    const MatrixView<float> estimate = work.estimate.view().row_range(begin, count);
    add_stage(stages[s], codes_.view().row_range(begin, count), work.hidden.view().row_range(begin, count), estimate);
    for (std::size_t i = begin; i < begin + count; ++i) {
      const std::span<const float> from = x.row(i);
      const std::span<const float> to = work.estimate.row(i);
      float error = 0;
      for (std::size_t j = 0; j < from.size(); ++j) error += (from[j] - to[j]) * (from[j] - to[j]);
      work.error[i] = static_cast<double>(error);
    }
  }
}

void StagedGradient::forward(const std::vector<Stage>& stages, MatrixView<const float> x, Bits bits) {
  check(stages, x);
  rows_ = x.rows;
  team_->run(rows_, grain_of(rows_),
             [&](std::size_t begin, std::size_t end) { forward_block(stages, x, bits, begin, end - begin); });
  for (Work& work : work_) {
    const double energy = sum(work.energy, rows_) / static_cast<double>(rows_ * work.u.cols());
    work.tau = energy > 0 ? std::sqrt(energy) : 1;
  }
}

void StagedGradient::forward(const std::vector<Stage>& stages, MatrixView<const float> x, std::size_t rounds) {
  forward(stages, x, Bits::signs);
  if (rounds == 0) return;
  team_->run(rows_, grain_of(rows_), [&](std::size_t begin, std::size_t end) {
    search_bits(stages, x.row_range(begin, end - begin), rounds, codes_.view().row_range(begin, end - begin));
  });
  forward(stages, x, Bits::kept);
}

void StagedGradient::backward_block(const std::vector<Stage>& stages, std::size_t first,
                                    std::span<const double> weights, MatrixView<const float> x, std::size_t begin,
                                    std::size_t count) {
  for (std::size_t s = stages.size(); s-- > first;) {
    Work& work = work_[s];
    const Stage& stage = stages[s];
    const MatrixView<float> g = work.estimate_slope.view().row_range(begin, count);
    // Through x̂ of the next stage, which contains this one's and whose bits depend on it.
    const bool last = s + 1 == stages.size();
    if (!last) {
      const Work& next = work_[s + 1];
      for (std::size_t i = begin; i < begin + count; ++i) {
        std::ranges::copy(next.estimate_slope.row(i), work.estimate_slope.row(i).begin());
      }
      simd::matrix_product(false, false, next.slope.view().row_range(begin, count), stages[s + 1].encoder, 1.0F, g);
    }
    const auto factor = static_cast<float>(2 * weights[s] / static_cast<double>(rows_));
    for (std::size_t i = begin; i < begin + count; ++i) {
      const std::span<float> slope = work.estimate_slope.row(i);
      if (last) std::ranges::fill(slope, 0.0F);
      simd::add_scaled(factor, work.estimate.row(i), slope);
      simd::add_scaled(-factor, x.row(i), slope);
    }
    const MatrixView<float> h = work.hidden_slope.view().row_range(begin, count);
    if (stage.hidden() > 0) {
      simd::matrix_product(false, true, g, stage.out, 0.0F, h);
      for (std::size_t i = 0; i < count; ++i) simd::times_rectifier_slope(work.hidden.row(begin + i), h.row(i));
    }
    const MatrixView<float> slope = work.slope.view().row_range(begin, count);
    simd::matrix_product(false, true, g, stage.linear, 0.0F, slope);
    for (std::size_t t = s; t < stages.size(); ++t) {
      if (stages[t].hidden() == 0) continue;
      simd::matrix_product(false, true, work_[t].hidden_slope.view().row_range(begin, count),
                           stages[t].in.view().row_range(work.before, stage.bits()), 1.0F, slope);
    }
    const auto tau = static_cast<float>(work.tau);
    for (std::size_t i = 0; i < count; ++i) {
      simd::times_sign_slope(work.u.row(begin + i), tau, -1 / tau, slope.row(i));
    }
  }
  simd::transpose_bits(
      codes_.view().row_range(begin, count), transposed_.rows(),
      columns(MatrixView<std::uint8_t>(transposed_.data(), transposed_.rows(), code_bytes(rows_), transposed_.cols()),
              begin / 8, code_bytes(count)));
}

void StagedGradient::collect(std::size_t s, Stage& gradient) {
  const Work& work = work_[s];
  const std::size_t bits = work.u.cols();
  const MatrixView<const float> g = work.estimate_slope.view().row_range(0, rows_);
  const MatrixView<const float> h = work.hidden_slope.view().row_range(0, rows_);
  const MatrixView<const float> slope = work.slope.view().row_range(0, rows_);
  const MatrixView<const float> hidden = work.hidden.view().row_range(0, rows_);
  const MatrixView<const float> residual = work.residual.view().row_range(0, rows_);
  const MatrixView<const std::uint8_t> signs{transposed_.data(), transposed_.rows(), code_bytes(rows_),
                                             transposed_.cols()};
  team_->run(bits, grain_of(bits), [&](std::size_t begin, std::size_t end) {
    const std::size_t count = end - begin;
    simd::sign_product(signs.row_range(work.before + begin, count), g, false,
                       gradient.linear.view().row_range(begin, count));
    simd::matrix_product(true, false, columns(slope, begin, count), residual, 0.0F,
                         gradient.encoder.view().row_range(begin, count));
    for (std::size_t i = begin; i < end; ++i) simd::scale(gradient.encoder.row(i), -1.0F);
  });
  sum_of_rows(slope, gradient.threshold);
  simd::scale(gradient.threshold, -1.0F);
  sum_of_rows(g, gradient.offset);
  if (hidden.cols == 0) return;
  team_->run(work.before + bits, grain_of(work.before + bits), [&](std::size_t begin, std::size_t end) {
    simd::sign_product(signs.row_range(begin, end - begin), h, false, gradient.in.view().row_range(begin, end - begin));
  });
  team_->run(hidden.cols, grain_of(hidden.cols), [&](std::size_t begin, std::size_t end) {
    simd::matrix_product(true, false, columns(hidden, begin, end - begin), g, 0.0F,
                         gradient.out.view().row_range(begin, end - begin));
  });
  sum_of_rows(h, gradient.bias);
}

std::vector<double> StagedGradient::total_errors() const {
  std::vector<double> totals;
  for (const Work& work : work_) totals.push_back(sum(work.error, rows_));
  return totals;
}

/// The weights of the squared errors in the loss, for the batch in hand.
std::vector<double> StagedGradient::weights_of(const StagedLoss& loss, std::size_t dim) const {
  if (!loss.relative) return loss.weights;
  std::vector<double> weights = loss.weights;
  const std::vector<double> totals = total_errors();
  for (std::size_t s = 0; s < weights.size(); ++s) {
    weights[s] = totals[s] > 0 ? weights[s] * static_cast<double>(dim * rows_) / totals[s] : 0;
  }
  return weights;
}

std::vector<double> StagedGradient::gradient(const std::vector<Stage>& stages, const StagedLoss& loss,
                                             MatrixView<const float> x, std::vector<Stage>& gradient) {
  check(gradient, x);
  if (loss.first >= stages.size() || loss.weights.size() != stages.size()) {
    fail("staged gradient: {} stages from {} on with {} weights", stages.size(), loss.first, loss.weights.size());
  }
  forward(stages, x, loss.rounds);
  const std::vector<double> weights = weights_of(loss, x.cols);
  team_->run(rows_, grain_of(rows_), [&](std::size_t begin, std::size_t end) {
    backward_block(stages, loss.first, weights, x, begin, end - begin);
  });
  for (std::size_t s = loss.first; s < stages.size(); ++s) collect(s, gradient[s]);
  std::vector<double> means = total_errors();
  for (double& mean : means) mean /= static_cast<double>(rows_);
  return means;
}

std::vector<double> StagedGradient::errors(const std::vector<Stage>& stages, MatrixView<const float> x,
                                           std::size_t rounds) {
  forward(stages, x, rounds);
  return total_errors();
}

}  // namespace signfold
