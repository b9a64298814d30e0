// The layers of a trained multi-layer decoder.
#pragma once

#include "signfold/decoder/pass.h"

namespace signfold {

/// Runs parameters.unrolled.
class UnrolledPass final : public Pass {
 public:
  using Pass::Pass;

 private:
  /// ĝ ← product·Bx̂ + onsager·s + output_memory·ĝ.
  void output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                   MatrixView<float> ghat) override;
  /// y ← adjoint·Bᵀs + estimate·x̂ + input_memory·y.
  void input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                  MatrixView<float> y) override;
};

}  // namespace signfold
