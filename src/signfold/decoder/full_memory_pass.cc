#include "signfold/decoder/full_memory_pass.h"

#include <algorithm>

#include "signfold/simd/rows.h"

namespace signfold {
namespace {

/// Keeps a copy of m as what layer `index` made; a former block may have left its own there.
MatrixView<float> keep(std::vector<Matrix<float>>& kept, std::size_t index, MatrixView<const float> m) {
  if (kept.size() == index) kept.emplace_back(m.rows, m.cols);
  std::copy_n(m.data, m.rows * m.cols, kept[index].data());
  return kept[index].view().row_range(0, m.rows);
}

/// sum += factor · Σ_i weights[i]·terms[i].
void accumulate(std::span<const double> weights, const std::vector<Matrix<float>>& terms, double factor,
                MatrixView<float> sum) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto weight = static_cast<float>(factor * weights[i]);
    for (std::size_t k = 0; k < sum.rows; ++k) simd::add_scaled(weight, terms[i].row(k), sum.row(k));
  }
}

void combine(std::span<const double> weights, const std::vector<Matrix<float>>& terms, MatrixView<float> sum) {
  std::fill_n(sum.data, sum.rows * sum.cols, 0.0F);
  accumulate(weights, terms, 1, sum);
}

}  // namespace

void FullMemoryPass::output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                                 MatrixView<float> ghat) {
  keep(scores_, t - 1, score);
  accumulate(parameters().memory.layers[t - 1].onsager, scores_, -1, keep(outputs_, t - 1, product));
  combine(parameters().memory.layers[t].outputs, outputs_, ghat);
}

void FullMemoryPass::input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                                MatrixView<float> y) {
  if (t > 0) keep(estimates_, t - 1, estimate);
  accumulate(parameters().memory.layers[t].correction, estimates_, -1, keep(inputs_, t, adjoint));
  combine(parameters().memory.layers[t].inputs, inputs_, y);
}

}  // namespace signfold
