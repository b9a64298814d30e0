// First-order steps: plain, with momentum, Adam; free parameters, or rows that stay on the unit sphere.
#pragma once

#include <span>
#include <string>

#include "signfold/base/matrix.h"

namespace signfold {

enum class OptimizerKind { sgd, momentum, adam };
/// "sgd", "momentum" or "adam"; throws Error otherwise.
OptimizerKind parse_optimizer(const std::string& text);
std::string to_string(OptimizerKind kind);

/// What an optimizer remembers of one n × d matrix of parameters, and how it moves it.
struct Optimizer {
  static constexpr float kMomentum = 0.9F;
  static constexpr float kSecondDecay = 0.999F;

  OptimizerKind kind = OptimizerKind::sgd;
  Matrix<float> first;   ///< momentum, adam: running mean of the gradient
  Matrix<float> second;  ///< adam: of its squares

  Optimizer() = default;
  Optimizer(OptimizerKind k, std::size_t rows, std::size_t cols);

  /// Moves row i of the parameters against its gradient, which is used as scratch. `step` counts from 0. Rows are
  /// independent of each other: any number of threads may move different ones.
  void move(std::size_t i, std::size_t step, double rate, std::span<float> gradient, std::span<float> parameters);
  /// The same on the unit sphere: with the gradient's projection on the tangent space, and renormalised.
  void move_on_sphere(std::size_t i, std::size_t step, double rate, std::span<float> gradient,
                      std::span<float> parameters);
};

}  // namespace signfold
