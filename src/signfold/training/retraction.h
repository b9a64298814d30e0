// Back to the orthonormal encoders after a step that left them.
#pragma once

#include "signfold/base/matrix.h"
#include "signfold/base/team.h"

namespace signfold {

/// Replaces the rows of b (n × d, n ≤ d) by (nearly) the closest orthonormal ones, the polar factor of b, by
/// Newton–Schulz iterations b ← (3b − b bᵀ b)/2 until no entry of b bᵀ − I is above 1e-2, which one iteration
/// does after the small steps of training; as the steps get smaller, so does what is left. Results do not depend on the
/// number of threads. Throws Error when b has dependent rows, is not finite or has another shape.
class Retraction {
 public:
  Retraction(std::size_t rows, std::size_t cols);
  void operator()(MatrixView<float> b, Team& team);

 private:
  void gram(MatrixView<const float> b, Team& team);

  Matrix<float> gram_;     ///< n × n: b bᵀ
  Matrix<float> product_;  ///< n × d
};

}  // namespace signfold
