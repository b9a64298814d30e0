#include "signfold/decoder/two_term_pass.h"

#include "signfold/simd/rows.h"

namespace signfold {

// Damping (guard G4) is linear too, so that each step is one combination of three vectors.

void TwoTermPass::output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                              MatrixView<float> ghat) {
  const LayerScalars& now = parameters().schedule.layers[t];
  const double fresh = now.damping * now.memory;
  const double onsager = parameters().schedule.layers[t - 1].onsager;
  const double carried = 1 - now.damping - now.damping * (now.memory - 1);
  for (std::size_t i = 0; i < ghat.rows; ++i) {
    simd::combine(static_cast<float>(fresh), product.row(i), static_cast<float>(-fresh * onsager), score.row(i),
                  static_cast<float>(carried), ghat.row(i));
  }
}

void TwoTermPass::input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                             MatrixView<float> y) {
  const LayerScalars& now = parameters().schedule.layers[t];
  const double carried = 1 - now.damping - now.damping * (now.memory - 1);
  for (std::size_t i = 0; i < y.rows; ++i) {
    simd::combine(static_cast<float>(now.damping / rate()), adjoint.row(i),
                  static_cast<float>(now.damping * now.memory), estimate.row(i), static_cast<float>(carried), y.row(i));
  }
}

}  // namespace signfold
