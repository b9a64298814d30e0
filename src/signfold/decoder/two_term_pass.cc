#include "signfold/decoder/two_term_pass.h"

namespace signfold {

void TwoTermPass::output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                              MatrixView<float> ghat) {
  const LayerScalars& now = parameters().schedule.layers[t];
  const auto b = static_cast<float>(now.memory);
  const auto alpha = static_cast<float>(parameters().schedule.layers[t - 1].onsager);
  const auto rho = static_cast<float>(now.damping);
  for (std::size_t i = 0; i < ghat.rows * ghat.cols; ++i) {
    float& g = ghat.data[i];
    const float fresh = b * (product.data[i] - alpha * score.data[i]) - (b - 1) * g;
    g = rho * fresh + (1 - rho) * g;
  }
}

void TwoTermPass::input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                             MatrixView<float> y) {
  const LayerScalars& now = parameters().schedule.layers[t];
  const auto per_rate = static_cast<float>(1 / rate());
  const auto b = static_cast<float>(now.memory);
  const auto rho = static_cast<float>(now.damping);
  for (std::size_t i = 0; i < y.rows * y.cols; ++i) {
    float& v = y.data[i];
    const float fresh = per_rate * adjoint.data[i] + b * estimate.data[i] - (b - 1) * v;
    v = rho * fresh + (1 - rho) * v;
  }
}

}  // namespace signfold
