#include "signfold/training/optimizer.h"

#include <cmath>

#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/rows.h"

namespace signfold {
namespace {

/// Takes from v what is not tangent to the sphere at the unit vector p.
void project(std::span<const float> p, std::span<float> v) { simd::add_scaled(-simd::dot(p, v), p, v); }

/// A vector of length 0 stays as it is.
void normalize(std::span<float> p) {
  const float norm = std::sqrt(simd::dot(p, p));
  if (norm > 0) simd::scale(p, 1 / norm);
}

simd::AdamStep adam_step(std::size_t step, double rate, float second_decay) {
  const auto t = static_cast<double>(step + 1);
  const double first_bias = 1 - std::pow(static_cast<double>(Optimizer::kMomentum), t);
  const double root_bias = std::sqrt(1 - std::pow(static_cast<double>(second_decay), t));
  return {.first_decay = Optimizer::kMomentum,
          .second_decay = second_decay,
          .rate = static_cast<float>(rate * root_bias / first_bias),
          .epsilon = static_cast<float>(1e-8 * root_bias)};
}

}  // namespace

OptimizerKind parse_optimizer(const std::string& text) {
  if (text == "sgd") return OptimizerKind::sgd;
  if (text == "momentum") return OptimizerKind::momentum;
  if (text == "adam") return OptimizerKind::adam;
  fail("unknown optimizer '{}'; there are: sgd, momentum, adam", text);
}

std::string to_string(OptimizerKind kind) {
  if (kind == OptimizerKind::sgd) return "sgd";
  return kind == OptimizerKind::momentum ? "momentum" : "adam";
}

Optimizer::Optimizer(OptimizerKind k, std::size_t rows, std::size_t cols) : kind(k) {
  if (kind != OptimizerKind::sgd) first = Matrix<float>(rows, cols);
  if (kind == OptimizerKind::adam) second = Matrix<float>(rows, cols);
}

void Optimizer::move(std::size_t i, std::size_t step, double rate, std::span<float> gradient,
                     std::span<float> parameters) {
  if (kind == OptimizerKind::sgd) {
    simd::add_scaled(static_cast<float>(-rate), gradient, parameters);
  } else if (kind == OptimizerKind::momentum) {
    simd::scale(first.row(i), kMomentum);
    simd::add_scaled(1.0F, gradient, first.row(i));
    simd::add_scaled(static_cast<float>(-rate), first.row(i), parameters);
  } else {
    simd::adam(adam_step(step, rate, kSecondDecay), gradient, first.row(i), second.row(i), parameters);
  }
}

void Optimizer::move_on_sphere(std::size_t i, std::size_t step, double rate, std::span<float> gradient,
                               std::span<float> parameters) {
  project(parameters, gradient);
  move(i, step, rate, gradient, parameters);
  normalize(parameters);
  if (kind == OptimizerKind::momentum) project(parameters, first.row(i));
}

}  // namespace signfold
