#include "signfold/decoder/fit_affine.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

constexpr std::size_t kBlockRows = 512;
constexpr double kRidge = 1e-6;  // of the mean diagonal: only so that repeated bits do not make the system singular

/// Weighted sums over rows of (z, 1)(z, 1)ᵀ, (z, 1)xᵀ and ‖x‖².
struct Normal {
  Matrix<double> zz;
  Matrix<double> zx;
  double energy = 0;
};

Normal gather(const Encoder& encoder, MatrixView<const float> rows, std::span<const double> weights) {
  const std::size_t n = encoder.bits();
  Normal sums{Matrix<double>(n + 1, n + 1), Matrix<double>(n + 1, rows.cols)};
  Matrix<std::uint8_t> codes(kBlockRows, code_bytes(n));
  Matrix<double> z(kBlockRows, n + 1);
  Matrix<double> x(kBlockRows, rows.cols);
  std::vector<float> signs(n);
  for (std::size_t begin = 0; begin < rows.rows; begin += kBlockRows) {
    throw_if_interrupted();
    const std::size_t count = std::min(kBlockRows, rows.rows - begin);
    encoder.encode(rows.row_range(begin, count), codes.view().row_range(0, count));
    for (std::size_t i = 0; i < count; ++i) {
      const double root = std::sqrt(weights[begin + i]);
      simd::unpack_signs(codes.row(i), 1.0F, signs);
      for (std::size_t j = 0; j < n; ++j) z(i, j) = root * signs[j];
      z(i, n) = root;
      for (std::size_t j = 0; j < rows.cols; ++j) x(i, j) = root * rows(begin + i, j);
      for (const double v : x.row(i)) sums.energy += v * v;
    }
    const MatrixView<const double> block = z.view().row_range(0, count);
    gemm(true, false, 1.0, block, block, 1.0, sums.zz);
    gemm(true, false, 1.0, block, MatrixView<const double>(x.view().row_range(0, count)), 1.0, sums.zx);
  }
  return sums;
}

}  // namespace

AffineFit fit_affine(const Encoder& encoder, MatrixView<const float> rows, std::span<const double> weights) {
  const std::size_t n = encoder.bits();
  const std::size_t d = encoder.dim();
  if (rows.rows <= n + 1) fail("the affine decoder needs more vectors than bits: {} vectors, {} bits", rows.rows, n);
  Normal sums = gather(encoder, rows, weights);
  for (std::size_t i = 0; i < n; ++i) sums.zz(i, i) *= 1 + kRidge;
  Matrix<double> solution = sums.zx.clone();
  solve_spd(sums.zz, solution);

  // At the solution the residual is ‖x‖² − ⟨A, Σ z xᵀ⟩, up to the ridge.
  double explained = 0;
  for (std::size_t i = 0; i < solution.size(); ++i) explained += solution.data()[i] * sums.zx.data()[i];
  const auto k = static_cast<double>(rows.rows);
  const auto free = static_cast<double>(n + 1);
  AffineFit fit;
  fit.risk = std::max(0.0, 1 - explained / sums.energy) * (k + free) / (k - free);
  fit.decoder.matrix = Matrix<float>(n, d);
  fit.decoder.offset.resize(d);
  std::transform(solution.data(), solution.data() + n * d, fit.decoder.matrix.data(),
                 [](double v) { return static_cast<float>(v); });
  std::ranges::transform(solution.row(n), fit.decoder.offset.begin(), [](double v) { return static_cast<float>(v); });
  return fit;
}

}  // namespace signfold
