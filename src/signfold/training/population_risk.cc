#include "signfold/training/population_risk.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <span>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/parallel.h"

namespace signfold {
namespace {

constexpr double kC = 2 / std::numbers::pi;
/// Rows of a block of parallel work: large enough for products to dominate the gathering that every block repeats.
constexpr std::size_t kGrain = 50;
constexpr std::uint64_t kMeasuringIndex = std::uint64_t{1} << 63U;  // far from the masks of any training step

/// The directions of the rows under one mask.
class MaskedRows {
 public:
  MaskedRows(std::size_t rows, std::size_t dim) : directions_(rows, dim), inverse_norm_(rows) {}

  /// Rows [first, n), kept columns only. A row of which rounding errors alone are left counts as zero.
  void gather(MatrixView<const double> rows, std::size_t first, const std::vector<std::uint32_t>& kept) {
    constexpr double kNothing = 1e-30;  // squared, of rows of norm 1
    width_ = kept.size();
    for (std::size_t i = first; i < rows.rows; ++i) {
      const std::span<const double> from = rows.row(i);
      const std::span<double> to = row(i);
      double sum = 0;
      for (std::size_t k = 0; k < width_; ++k) {
        to[k] = from[kept[k]];
        sum += to[k] * to[k];
      }
      const double norm = std::sqrt(sum);
      inverse_norm_[i] = sum > kNothing ? 1 / norm : 0;
      // Divided, so that a single kept coordinate gives ±1 exactly.
      for (double& v : to) v = sum > kNothing ? v / norm : 0;
    }
  }

  std::span<double> row(std::size_t i) { return {directions_.data() + i * width_, width_}; }
  MatrixView<const double> block(std::size_t begin, std::size_t end) const {
    return {directions_.data() + begin * width_, end - begin, width_};
  }
  double inverse_norm(std::size_t i) const { return inverse_norm_[i]; }

 private:
  Matrix<double> directions_;  ///< packed n × width_
  std::vector<double> inverse_norm_;
  std::size_t width_ = 0;
};

std::size_t widest(const SourceMasks& masks) {
  std::size_t width = 0;
  for (const auto& kept : masks.kept) width = std::max(width, kept.size());
  return width;
}

/// Calls body(begin, end) for blocks of rows, with BLAS on one thread so that its bytes do not depend on their number.
void for_row_blocks(std::size_t rows, int threads, const std::function<void(std::size_t, std::size_t)>& body) {
  const SingleThreadedBlas single;
  parallel_for(rows, kGrain, threads, body);
}

/// Rows that are parallel up to rounding are parallel: arcsin would turn an error of 1e-16 into 1e-8, and moments of
/// repeated bits into a matrix that is not positive semi-definite.
double arcsin(double cosine) {
  constexpr double kParallel = 1 - 1e-14;
  return std::abs(cosine) < kParallel ? std::asin(cosine) : std::copysign(std::numbers::pi / 2, cosine);
}

/// Adds the rows [begin, end) of the moments under one mask, above the diagonal of zz.
void add_moments(const MaskedRows& masked, std::size_t begin, std::size_t end, const SourceMasks& masks, std::size_t s,
                 MatrixView<double> cosines, SignMoments& sum) {
  const double weight = masks.weights[s];
  const double gain = weight * std::sqrt(kC / masks.p);
  const std::vector<std::uint32_t>& kept = masks.kept[s];
  const std::size_t n = sum.zz.rows();
  gemm(false, true, 1.0, masked.block(begin, end), masked.block(begin, n), 0.0, cosines);
  const MatrixView<const double> directions = masked.block(0, n);
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t k = 0; k < kept.size(); ++k) sum.zx(i, kept[k]) += gain * directions(i, k);
    const std::span<double> zz = sum.zz.row(i);
    for (std::size_t j = i + 1; j < n; ++j) zz[j] += weight * kC * arcsin(cosines(i - begin, j - begin));
  }
}

/// slope(i, j) = W_ij F'(cosine_ij) in place of the cosines, zero on the diagonal. For almost parallel rows F' is
/// cut off where rounding has eaten the cosine: the other factor, the tangent part of b_j, vanishes faster.
void to_slopes(MatrixView<const double> w, std::size_t begin, MatrixView<double> cosines) {
  constexpr double kSmallestSquaredSine = 1e-12;
  for (std::size_t i = 0; i < cosines.rows; ++i) {
    const std::span<double> row = cosines.row(i);
    const std::span<const double> weight = w.row(begin + i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      row[j] = weight[j] * kC / std::sqrt(std::max(1 - row[j] * row[j], kSmallestSquaredSine));
    }
    row[begin + i] = 0;
  }
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

void check_shapes(MatrixView<const double> rows, const SourceMasks& masks) {
  if (rows.rows == 0 || rows.cols != masks.dim) {
    fail("population risk: rows of shape {} x {} for masks of dimension {}", rows.rows, rows.cols, masks.dim);
  }
}

}  // namespace

SignMoments sign_moments(MatrixView<const double> rows, const SourceMasks& masks, int threads) {
  check_shapes(rows, masks);
  const std::size_t n = rows.rows;
  SignMoments sum{Matrix<double>(n, rows.cols), Matrix<double>(n, n)};
  for_row_blocks(n, threads, [&](std::size_t begin, std::size_t end) {
    MaskedRows masked(n, widest(masks));
    Matrix<double> cosines(end - begin, n - begin);
    for (std::size_t s = 0; s < masks.kept.size(); ++s) {
      if (masks.kept[s].empty()) continue;
      masked.gather(rows, begin, masks.kept[s]);
      add_moments(masked, begin, end, masks, s, cosines, sum);
    }
  });
  for (std::size_t i = 0; i < n; ++i) {
    sum.zz(i, i) = 1;
    for (std::size_t j = 0; j < i; ++j) sum.zz(i, j) = sum.zz(j, i);
  }
  return sum;
}

Matrix<double> best_decoder(const SignMoments& moments) {
  constexpr double kRidge = 1e-10;  // costs the risk its square
  const SingleThreadedBlas single;
  Matrix<double> zz = moments.zz.clone();
  for (std::size_t i = 0; i < zz.rows(); ++i) zz(i, i) += kRidge;
  Matrix<double> decoder = moments.zx.clone();
  solve_spd(zz, decoder);
  return decoder;
}

double decoder_risk(const SignMoments& moments, MatrixView<const double> decoder) {
  const SingleThreadedBlas single;
  Matrix<double> filtered(decoder.rows, decoder.cols);
  gemm(false, false, 1.0, moments.zz, decoder, 0.0, filtered);
  double sum = 0;
  for (std::size_t i = 0; i < decoder.rows; ++i) {
    sum += dot(decoder.row(i), filtered.row(i)) - 2 * dot(decoder.row(i), moments.zx.row(i));
  }
  return 1 + sum / static_cast<double>(decoder.cols);
}

Matrix<double> risk_gradient(MatrixView<const double> rows, MatrixView<const double> decoder, const SourceMasks& masks,
                             int threads) {
  check_shapes(rows, masks);
  const std::size_t n = rows.rows;
  const double gain = std::sqrt(kC / masks.p);
  const SingleThreadedBlas single;
  Matrix<double> w(n, n);
  gemm(false, true, 1.0, decoder, decoder, 0.0, w);
  Matrix<double> gradient(n, rows.cols);
  for_row_blocks(n, threads, [&](std::size_t begin, std::size_t end) {
    MaskedRows masked(n, widest(masks));
    Matrix<double> slopes(end - begin, n);
    Matrix<double> pulls(end - begin, widest(masks));
    for (std::size_t s = 0; s < masks.kept.size(); ++s) {
      const std::vector<std::uint32_t>& kept = masks.kept[s];
      if (kept.empty()) continue;
      masked.gather(rows, 0, kept);
      gemm(false, true, 1.0, masked.block(begin, end), masked.block(0, n), 0.0, slopes);
      to_slopes(w, begin, slopes);
      const MatrixView<double> pull{pulls.data(), end - begin, kept.size()};
      gemm(false, false, 1.0, slopes, masked.block(0, n), 0.0, pull);
      for (std::size_t i = begin; i < end; ++i) {
        const std::span<double> g = pull.row(i - begin);
        for (std::size_t k = 0; k < kept.size(); ++k) g[k] -= gain * decoder(i, kept[k]);
        // The derivative of a direction: the tangent part, divided by the norm.
        const std::span<const double> direction = masked.row(i);
        const double radial = dot(g, direction);
        const double scale = 2 * masks.weights[s] * masked.inverse_norm(i);
        for (std::size_t k = 0; k < kept.size(); ++k) gradient(i, kept[k]) += scale * (g[k] - radial * direction[k]);
      }
    }
  });
  return gradient;
}

RiskEstimate measure_risk(MatrixView<const double> rows, double p, std::size_t masks, std::uint64_t seed, int threads) {
  const SourceMasks fitted = draw_masks(rows.cols, p, p == 1 ? 1 : masks, seed, kMeasuringIndex);
  return measure_risk(rows, best_decoder(sign_moments(rows, fitted, threads)), p, masks, seed, threads);
}

RiskEstimate measure_risk(MatrixView<const double> rows, MatrixView<const double> decoder, double p, std::size_t masks,
                          std::uint64_t seed, int threads) {
  constexpr std::size_t kBatches = 32;
  if (p == 1) return {decoder_risk(sign_moments(rows, draw_masks(rows.cols, p, 1, seed, 0), threads), decoder), 0};
  if (masks < 2 * kBatches) fail("population risk: {} masks are too few to measure with; use at least 64", masks);
  double sum = 0;
  double squares = 0;
  for (std::size_t b = 1; b <= kBatches; ++b) {
    const SourceMasks batch = draw_masks(rows.cols, p, masks / kBatches, seed, kMeasuringIndex + b);
    const double risk = decoder_risk(sign_moments(rows, batch, threads), decoder);
    sum += risk;
    squares += risk * risk;
  }
  constexpr double kCount = kBatches;
  const double mean = sum / kCount;
  return {mean, std::sqrt(std::max(0.0, squares / kCount - mean * mean) / (kCount - 1))};
}

double flat_orthonormal_risk(std::size_t bits, std::size_t dim, double p) {
  if (bits > dim) fail("flat_orthonormal_risk: {} orthonormal rows do not fit in dimension {}", bits, dim);
  const double length = mean_flat_length(dim, p);
  return 1 - kC * static_cast<double>(bits) / static_cast<double>(dim) * length * length;
}

}  // namespace signfold
