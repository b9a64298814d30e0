#include "signfold/decoder/unrolled_pass.h"

namespace signfold {
namespace {

/// carried ← a·fresh + b·other + c·carried.
void combine(double a, MatrixView<const float> fresh, double b, MatrixView<const float> other, double c,
             MatrixView<float> carried) {
  const auto fa = static_cast<float>(a);
  const auto fb = static_cast<float>(b);
  const auto fc = static_cast<float>(c);
  for (std::size_t i = 0; i < carried.rows * carried.cols; ++i) {
    carried.data[i] = fa * fresh.data[i] + fb * other.data[i] + fc * carried.data[i];
  }
}

}  // namespace

void UnrolledPass::output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                               MatrixView<float> ghat) {
  const UnrolledLayer& layer = parameters().unrolled.layers[t];
  combine(layer.product, product, layer.onsager, score, layer.output_memory, ghat);
}

void UnrolledPass::input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                              MatrixView<float> y) {
  const UnrolledLayer& layer = parameters().unrolled.layers[t];
  combine(layer.adjoint, adjoint, layer.estimate, estimate, layer.input_memory, y);
}

}  // namespace signfold
