#include "signfold/decoder/fit_affine.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

constexpr std::size_t kBlockRows = 512;
constexpr double kRidge = 1e-6;  // of the mean diagonal: only so that repeated bits do not make the system singular

void accumulate(const Matrix<float>& block, Matrix<double>& sums) {
  for (std::size_t i = 0; i < block.size(); ++i) sums.data()[i] += static_cast<double>(block.data()[i]);
}

}  // namespace

AffineSums::AffineSums(std::size_t bits, std::size_t dim) : zz_(bits + 1, bits + 1), zx_(bits + 1, dim) {}

void AffineSums::add(const Encoder& encoder, MatrixView<const float> rows, std::span<const double> weights) {
  const std::size_t n = encoder.bits();
  if (n + 1 != zz_.rows() || rows.cols != zx_.cols() || (!weights.empty() && weights.size() != rows.rows)) {
    fail("affine decoder: {} bits, {} coordinates and {} weights do not fit sums for {} and {}", n, rows.cols,
         weights.size(), zz_.rows() - 1, zx_.cols());
  }
  rows_ += rows.rows;
  Matrix<std::uint8_t> codes(kBlockRows, code_bytes(n));
  Matrix<float> z(kBlockRows, n + 1);
  Matrix<float> x(kBlockRows, rows.cols);
  Matrix<float> zz(n + 1, n + 1);
  Matrix<float> zx(n + 1, rows.cols);
  // Sums of one block in float32, sums of blocks in double: the rounding is that of 512 terms, however many there are.
  for (std::size_t begin = 0; begin < rows.rows; begin += kBlockRows) {
    throw_if_interrupted();
    const std::size_t count = std::min(kBlockRows, rows.rows - begin);
    encoder.encode(rows.row_range(begin, count), codes.view().row_range(0, count));
    for (std::size_t i = 0; i < count; ++i) {
      const double weight = weights.empty() ? 1 : weights[begin + i];
      const auto root = static_cast<float>(std::sqrt(weight));
      simd::unpack_signs(codes.row(i), root, z.row(i).first(n));
      z(i, n) = root;
      for (std::size_t j = 0; j < rows.cols; ++j) {
        const double v = rows(begin + i, j);
        energy_ += weight * v * v;
        x(i, j) = root * rows(begin + i, j);
      }
    }
    const MatrixView<const float> block = z.view().row_range(0, count);
    gemm(true, false, 1.0F, block, block, 0.0F, zz);
    gemm(true, false, 1.0F, block, MatrixView<const float>(x.view().row_range(0, count)), 0.0F, zx);
    accumulate(zz, zz_);
    accumulate(zx, zx_);
  }
}

AffineFit AffineSums::solve() const {
  const std::size_t n = zz_.rows() - 1;
  if (rows_ <= n + 1) fail("the affine decoder needs more vectors than bits: {} vectors, {} bits", rows_, n);
  Matrix<double> ridged = zz_.clone();
  for (std::size_t i = 0; i < n; ++i) ridged(i, i) *= 1 + kRidge;
  Matrix<double> solution = zx_.clone();
  solve_spd(ridged, solution);

  // At the solution the residual is ‖x‖² − ⟨A, Σ z xᵀ⟩, up to the ridge.
  double explained = 0;
  for (std::size_t i = 0; i < solution.size(); ++i) explained += solution.data()[i] * zx_.data()[i];
  const auto k = static_cast<double>(rows_);
  const auto free = static_cast<double>(n + 1);
  const auto narrow = [](double v) { return static_cast<float>(v); };
  AffineFit fit;
  fit.risk = std::max(0.0, 1 - explained / energy_) * (k + free) / (k - free);
  fit.decoder.matrix = Matrix<float>(n, zx_.cols());
  fit.decoder.offset.resize(zx_.cols());
  std::transform(solution.data(), solution.data() + n * zx_.cols(), fit.decoder.matrix.data(), narrow);
  std::ranges::transform(solution.row(n), fit.decoder.offset.begin(), narrow);
  return fit;
}

AffineFit fit_affine(const Encoder& encoder, MatrixView<const float> rows, std::span<const double> weights) {
  AffineSums sums(encoder.bits(), encoder.dim());
  sums.add(encoder, rows, weights);
  return sums.solve();
}

}  // namespace signfold
