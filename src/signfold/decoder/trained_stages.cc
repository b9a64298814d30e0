#include "signfold/decoder/trained_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "signfold/base/bits.h"
#include "signfold/base/error.h"
#include "signfold/decoder/stage_search.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"
#include "signfold/simd/sign_product.h"

namespace signfold {
namespace {

/// Rows that pass through all stages together: products prepare a matrix once per block.
constexpr std::size_t kBlockRows = 256;

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

/// The first rows × cols numbers of a buffer, as a matrix.
MatrixView<float> view_of(Matrix<float>& buffer, std::size_t rows, std::size_t cols) {
  return {buffer.data(), rows, cols, cols};
}

/// Room for the hidden units of any stage, for a block of rows: taken once, not for every stage.
Matrix<float> hidden_buffer(const std::vector<Stage>& stages, std::size_t rows) {
  std::size_t most = 0;
  for (const Stage& stage : stages) most = std::max(most, stage.hidden());
  return {rows, most};
}

bool is(const Matrix<float>& a, std::size_t rows, std::size_t cols) { return a.rows() == rows && a.cols() == cols; }

/// `before`: bits of the stages before it.
void check_stage(const Stage& stage, std::size_t number, std::size_t before, std::size_t dim) {
  const std::size_t bits = stage.bits();
  const std::size_t hidden = stage.hidden();
  if (bits == 0 || dim == 0 || !is(stage.encoder, bits, dim) || stage.threshold.size() != bits ||
      !is(stage.linear, bits, dim) || !is(stage.in, before + bits, hidden) || stage.bias.size() != hidden ||
      !is(stage.out, hidden, dim) || stage.offset.size() != dim) {
    fail("stage {}: its parts do not fit {} bits, {} hidden units and {} coordinates", number, bits, hidden, dim);
  }
  for (const std::span<const float> values :
       {stage.encoder.values(), std::span<const float>(stage.threshold), stage.linear.values(), stage.in.values(),
        std::span<const float>(stage.bias), stage.out.values(), std::span<const float>(stage.offset)}) {
    if (!all_finite(values)) fail("stage {} holds a number that is not finite", number);
  }
}

void subtract(MatrixView<const float> x, MatrixView<const float> estimate, MatrixView<float> residual) {
  for (std::size_t i = 0; i < x.rows; ++i) {
    const std::span<const float> from = x.row(i);
    const std::span<const float> what = estimate.row(i);
    const std::span<float> to = residual.row(i);
    for (std::size_t j = 0; j < to.size(); ++j) to[j] = from[j] - what[j];
  }
}

std::vector<std::size_t> bits_of(const std::vector<Stage>& stages) {
  std::vector<std::size_t> bits;
  bits.reserve(stages.size());
  for (const Stage& stage : stages) bits.push_back(stage.bits());
  return bits;
}

MatrixView<const std::uint8_t> first_bytes(MatrixView<const std::uint8_t> codes, std::size_t bits) {
  return {codes.data, codes.rows, code_bytes(bits), codes.stride};
}

}  // namespace

Stage Stage::clone() const {
  return {encoder.clone(), threshold, linear.clone(), in.clone(), bias, out.clone(), offset, risk};
}

Stage blank_stage(std::size_t bits, std::size_t before, std::size_t hidden, std::size_t dim) {
  return {Matrix<float>(bits, dim),   std::vector<float>(bits),
          Matrix<float>(bits, dim),   Matrix<float>(before + bits, hidden),
          std::vector<float>(hidden), Matrix<float>(hidden, dim),
          std::vector<float>(dim)};
}

void stage_scores(const Stage& stage, MatrixView<const float> residual, MatrixView<float> u) {
  simd::matrix_product(false, true, residual, stage.encoder, 0.0F, u);
  for (std::size_t i = 0; i < u.rows; ++i) simd::add_scaled(1.0F, stage.threshold, u.row(i));
}

void keep_signs(MatrixView<const float> u, std::size_t before, MatrixView<std::uint8_t> codes) {
  std::vector<std::uint8_t> own(code_bytes(u.cols));
  for (std::size_t i = 0; i < u.rows; ++i) {
    simd::pack_signs(u.row(i), own);
    copy_bits(own, 0, u.cols, codes.row(i), before);
  }
}

void add_stage(const Stage& stage, MatrixView<const std::uint8_t> codes, MatrixView<float> hidden,
               MatrixView<float> estimate) {
  const std::size_t before = stage.in.rows() - stage.bits();
  Matrix<std::uint8_t> own(codes.rows, code_bytes(stage.bits()));
  for (std::size_t i = 0; i < own.rows(); ++i) copy_bits(codes.row(i), before, stage.bits(), own.row(i), 0);
  simd::sign_product(own, stage.linear, true, estimate);
  for (std::size_t i = 0; i < estimate.rows; ++i) simd::add_scaled(1.0F, stage.offset, estimate.row(i));
  if (stage.hidden() == 0) return;
  simd::sign_product(first_bytes(codes, stage.in.rows()), stage.in, false, hidden);
  for (std::size_t i = 0; i < hidden.rows; ++i) simd::rectify(stage.bias, hidden.row(i));
  simd::matrix_product(false, false, hidden, stage.out, 1.0F, estimate);
}

TrainedStages::TrainedStages(std::vector<Stage> stages)
    : StagedCode(stages.empty() ? 0 : stages.front().offset.size(), bits_of(stages)), stages_(std::move(stages)) {
  std::size_t before = 0;
  for (std::size_t s = 0; s < count(); ++s) {
    check_stage(stages_[s], s + 1, before, dim());
    before += stages_[s].bits();
  }
}

std::string TrainedStages::describe(std::size_t stage) const {
  return fmt::format("{} hidden units", stages_[stage].hidden());
}

void TrainedStages::do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const {
  Matrix<float> hidden = hidden_buffer(stages_, std::min(kBlockRows, x.rows));
  for (std::size_t begin = 0; begin < x.rows; begin += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, x.rows - begin);
    const MatrixView<const float> own = x.row_range(begin, rows);
    const MatrixView<std::uint8_t> bytes = codes.row_range(begin, rows);
    Matrix<float> estimate(rows, dim());
    Matrix<float> residual(rows, dim());
    std::size_t before = 0;
    for (const Stage& stage : stages_) {
      Matrix<float> u(rows, stage.bits());
      if (before > 0) subtract(own, estimate, residual);
      stage_scores(stage, before > 0 ? residual.view() : own, u);
      keep_signs(u, before, bytes);
      before += stage.bits();
      if (&stage == &stages_.back()) break;
      add_stage(stage, bytes, view_of(hidden, rows, stage.hidden()), estimate);
    }
  }
}

void TrainedStages::do_search(MatrixView<const float> x, std::size_t rounds, MatrixView<std::uint8_t> codes) const {
  search_bits(stages_, x, rounds, codes);
}

void TrainedStages::do_decode(MatrixView<const std::uint8_t> codes, std::size_t stages, MatrixView<float> x) const {
  Matrix<float> hidden = hidden_buffer(stages_, std::min(kBlockRows, x.rows));
  for (std::size_t begin = 0; begin < x.rows; begin += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, x.rows - begin);
    const MatrixView<float> estimate = x.row_range(begin, rows);
    for (std::size_t i = 0; i < rows; ++i) std::ranges::fill(estimate.row(i), 0.0F);
    for (std::size_t s = 0; s < stages; ++s) {
      add_stage(stages_[s], codes.row_range(begin, rows), view_of(hidden, rows, stages_[s].hidden()), estimate);
    }
  }
}

}  // namespace signfold
