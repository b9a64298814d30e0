#include "signfold/training/retraction.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/rows.h"

namespace signfold {
namespace {

constexpr std::size_t kGrain = 128;  // rows that a thread takes at a time

struct Deviation {
  float row_energy = 0;  ///< largest Σ_j (b bᵀ − I)²_ij: no entry of (b bᵀ − I)² is larger
  float row_sum = 0;     ///< largest Σ_j |(b bᵀ)_ij|: at least the largest eigenvalue
};

/// Throws Error for entries that are not finite.
Deviation deviation(MatrixView<const float> gram) {
  Deviation worst;
  for (std::size_t i = 0; i < gram.rows; ++i) {
    float sum = 0;
    float energy = 0;
    for (std::size_t j = 0; j < gram.cols; ++j) {
      const float difference = gram(i, j) - (i == j ? 1.0F : 0.0F);
      sum += std::abs(gram(i, j));
      energy += difference * difference;
    }
    if (!std::isfinite(sum)) fail("orthonormal rows: the encoder matrix is not finite");
    worst.row_energy = std::max(worst.row_energy, energy);
    worst.row_sum = std::max(worst.row_sum, sum);
  }
  return worst;
}

}  // namespace

Retraction::Retraction(std::size_t rows, std::size_t cols) : gram_(rows, rows), product_(rows, cols) {}

void Retraction::gram(MatrixView<const float> b, Team& team) {
  team.run(b.rows, kGrain, [&](std::size_t begin, std::size_t end) {
    gemm(false, true, 1.0F, b.row_range(begin, end - begin), b, 0.0F, gram_.view().row_range(begin, end - begin));
  });
}

void Retraction::operator()(MatrixView<float> b, Team& team) {
  constexpr int kMostIterations = 60;
  constexpr float kClose = 8e-3F;  // an iteration turns E = b bᵀ − I into −3/4 E² + E³/4, and here ‖E‖ < 1.5
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    gram(b, team);
    const Deviation before = deviation(gram_);
    // The iteration converges for eigenvalues below 3; dividing by a bound of the largest one makes sure of it.
    const float scale = before.row_sum < 2.5F ? 1.0F : 1 / std::sqrt(before.row_sum);
    team.run(b.rows, kGrain, [&](std::size_t begin, std::size_t end) {
      const std::size_t count = end - begin;
      gemm(false, false, 1.0F, gram_.view().row_range(begin, count), b, 0.0F, product_.view().row_range(begin, count));
    });
    for (std::size_t i = 0; i < b.rows; ++i) {
      simd::scale(b.row(i), 1.5F * scale);
      simd::add_scaled(-0.5F * scale * scale * scale, product_.row(i), b.row(i));
    }
    if (scale == 1.0F && before.row_energy < kClose) return;
  }
  fail("orthonormal rows: the encoder matrix has dependent rows; take a smaller step size");
}

}  // namespace signfold
