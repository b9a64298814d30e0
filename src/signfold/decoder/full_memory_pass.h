// The full-memory form of RI-GAMP, for encoders of any spectrum (docs/rigamp.md section 4.5).
#pragma once

#include <vector>

#include "signfold/decoder/pass.h"

namespace signfold {

/// Runs parameters.memory. Keeps s, r, x and x̂ of every layer for its block of rows: at most 512 (n + d) bytes per
/// layer.
class FullMemoryPass final : public Pass {
 public:
  using Pass::Pass;

 private:
  /// r = B x̂ − Σ α s, then ĝ = Σ b r.
  void output_step(std::size_t t, MatrixView<const float> product, MatrixView<const float> score,
                   MatrixView<float> ghat) override;
  /// x = Bᵀs − Σ β x̂, then y = Σ a x.
  void input_step(std::size_t t, MatrixView<const float> adjoint, MatrixView<const float> estimate,
                  MatrixView<float> y) override;

  std::vector<Matrix<float>> scores_, outputs_;    // s, r
  std::vector<Matrix<float>> inputs_, estimates_;  // x, x̂
};

}  // namespace signfold
