#include "signfold/decoder/unrolled_pass.h"

#include "signfold/simd/rows.h"

namespace signfold {
namespace {

void combine(double a, MatrixView<const float> fresh, double b, MatrixView<const float> other, double c,
             MatrixView<float> carried) {
  for (std::size_t i = 0; i < carried.rows; ++i) {
    simd::combine(static_cast<float>(a), fresh.row(i), static_cast<float>(b), other.row(i), static_cast<float>(c),
                  carried.row(i));
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
