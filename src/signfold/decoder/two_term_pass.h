// The two-term form of RI-GAMP, for orthonormal encoders (docs/rigamp.md section 3.2).
#pragma once

#include "signfold/decoder/pass.h"

namespace signfold {

/// Runs parameters.schedule.
class TwoTermPass final : public Pass {
 public:
  using Pass::Pass;

 private:
  /// ĝ ← b (B x̂ − α s) − (b − 1) ĝ: b of this layer, α of the layer that made x̂.
  void output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                   MatrixView<float> ghat) override;
  /// y ← Bᵀs/r + b x̂ − (b − 1) y.
  void input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                  MatrixView<float> y) override;
};

}  // namespace signfold
