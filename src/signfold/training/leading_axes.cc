#include "signfold/training/leading_axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/base/memory.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"
#include "signfold/training/blocks.h"

namespace signfold {
namespace {

constexpr std::size_t kVectors = 32768;  // the axes are those of so many
constexpr std::size_t kBlock = 2048;     // of them at a time
constexpr int kRounds = 6;               // of orthogonal iteration
constexpr std::size_t kSpare = 8;        // axes that are found besides: the last ones converge last
constexpr double kShift = 1e-5;          // of the mean variance along the axes
constexpr double kNothing = 1e-9;        // of the largest variance: rounding
constexpr std::size_t kGrain = 32;       // rows of a product that one thread finds at a time

class BatchesAlong final : public Batches {
 public:
  BatchesAlong(Batches& batches, const LeadingAxes& axes) : batches_(&batches), axes_(&axes) {}
  std::size_t dim() const override { return axes_->rows.rows(); }
  void fill(std::uint64_t first, MatrixView<float> x, Team& team) override {
    if (whole_.rows() != x.rows) whole_ = Matrix<float>(x.rows, batches_->dim());
    batches_->fill(first, whole_, team);
    along(*axes_, whole_, x, team);
  }

 private:
  Batches* batches_;
  const LeadingAxes* axes_;
  Matrix<float> whole_;  ///< the batch in hand, in all coordinates
};

/// c = keep·c + aᵀ·b, rows of c shared out.
void add_product(MatrixView<const float> a, MatrixView<const float> b, float keep, MatrixView<float> c, Team& team) {
  team.run(c.rows, kGrain, [&](std::size_t begin, std::size_t end) {
    simd::matrix_product(true, false, columns(a, begin, end - begin), b, keep, c.row_range(begin, end - begin));
  });
}

/// Sums over the vectors: one product of the second moments with the axes, d·K numbers in place of d² (where it is
/// wanted), and the moments along the axes, K × K.
void apply_moments(Batches& batches, const LeadingAxes& axes, Matrix<float>* product, Matrix<float>& inner,
                   Team& team) {
  Matrix<float> x(kBlock, batches.dim());
  Matrix<float> y(kBlock, axes.rows.rows());
  for (std::size_t begin = 0; begin < kVectors; begin += kBlock) {
    throw_if_interrupted();
    batches.fill(begin, x, team);
    along(axes, x, y, team);
    const float keep = begin == 0 ? 0 : 1;
    if (product != nullptr) add_product(y, x, keep, *product, team);
    add_product(y, y, keep, inner, team);
  }
}

void orthonormalize(const Matrix<float>& from, Matrix<float>& to) {
  Matrix<double> rows(from.rows(), from.cols());
  std::ranges::copy(from.values(), rows.values().begin());
  orthonormalize_rows(rows);
  std::ranges::transform(rows.values(), to.values().begin(), [](double v) { return static_cast<float>(v); });
}

/// Turns the axes among themselves so that the coordinates along them are uncorrelated. Returns their variances.
std::vector<double> diagonalize(const Matrix<float>& inner, Matrix<float>& rows) {
  Matrix<double> moments(inner.rows(), inner.cols());
  for (std::size_t i = 0; i < inner.rows(); ++i) {
    for (std::size_t j = 0; j < inner.cols(); ++j)
      moments(i, j) = 0.5 * (double{inner(i, j)} + inner(j, i)) / static_cast<double>(kVectors);
  }
  const SymmetricEigen eigen = symmetric_eigen(moments);
  Matrix<float> turn(inner.rows(), inner.cols());
  std::ranges::transform(eigen.vectors.values(), turn.values().begin(), [](double v) { return static_cast<float>(v); });
  Matrix<float> turned(rows.rows(), rows.cols());
  simd::matrix_product(false, false, turn, rows, 0, turned);
  orthonormalize(turned, rows);
  return eigen.values;
}

Matrix<float> widened(const Matrix<float>& narrow, const LeadingAxes& axes, float factor) {
  Matrix<float> wide(narrow.rows(), axes.rows.cols());
  if (narrow.rows() > 0) simd::matrix_product(false, false, narrow, axes.rows, 0, wide);
  simd::scale(wide.values(), factor);
  return wide;
}

/// For the axes, their products and the doubles of QR, and for the moments along them and what diagonalises them.
double bytes_for(std::size_t axes, std::size_t dim) {
  const auto k = static_cast<double>(axes);
  const auto d = static_cast<double>(dim);
  return sizeof(float) * (4 * k * d + kBlock * (k + d) + 2 * k * k) + sizeof(double) * (2 * k * d + 6 * k * k);
}

}  // namespace

void check_axes(std::size_t axes, std::size_t dim) {
  if (axes == 0 || axes > dim) fail("{} axes of vectors of {} coordinates: take 1 to {}", axes, dim, dim);
}

LeadingAxes leading_axes(Batches& batches, std::size_t axes, std::uint64_t seed, Team& team) {
  const std::size_t dim = batches.dim();
  check_axes(axes, dim);
  const std::size_t found = std::min(dim, axes + kSpare);
  require_memory(bytes_for(found, dim), fmt::format("{} principal axes of {} coordinates", axes, dim),
                 "take fewer axes");
  LeadingAxes wide{explicit_matrix(*make_haar({dim, found}, seed))};
  Matrix<float> product(found, dim);
  Matrix<float> inner(found, found);
  for (int round = 0; round < kRounds; ++round) {
    const bool last = round + 1 == kRounds;
    apply_moments(batches, wide, last ? nullptr : &product, inner, team);
    if (last) break;
    // Without this, of M + εI for the moments M, axes along which nothing varies would have no direction.
    double trace = 0;
    for (std::size_t k = 0; k < found; ++k) trace += inner(k, k);
    const double shift = kShift * trace / static_cast<double>(found);
    simd::add_scaled(static_cast<float>(shift), wide.rows.values(), product.values());
    orthonormalize(product, wide.rows);
  }
  const std::vector<double> variances = diagonalize(inner, wide.rows);
  LeadingAxes out{Matrix<float>(axes, dim)};
  for (std::size_t k = 0; k < axes; ++k) std::ranges::copy(wide.rows.row(k), out.rows.row(k).begin());
  const double mean_square = sum(variances, axes) / static_cast<double>(axes);
  if (!(variances[axes - 1] > kNothing * variances[0])) {
    fail("the vectors do not vary along {} axes: take fewer", axes);
  }
  out.unit = static_cast<float>(std::sqrt(mean_square));
  return out;
}

void along(const LeadingAxes& axes, MatrixView<const float> x, MatrixView<float> y, Team& team) {
  team.run(x.rows, grain_of(x.rows), [&](std::size_t begin, std::size_t end) {
    simd::matrix_product(false, true, x.row_range(begin, end - begin), axes.rows, 0, y.row_range(begin, end - begin));
    for (std::size_t i = begin; i < end; ++i) simd::scale(y.row(i), 1 / axes.unit);
  });
}

std::unique_ptr<Batches> batches_along(Batches& batches, const LeadingAxes& axes) {
  return std::make_unique<BatchesAlong>(batches, axes);
}

std::vector<Stage> in_all_coordinates(const std::vector<Stage>& stages, const LeadingAxes& axes) {
  std::vector<Stage> out;
  for (const Stage& stage : stages) {
    Stage wide = stage.clone();
    wide.encoder = widened(stage.encoder, axes, 1);
    for (float& v : wide.threshold) v *= axes.unit;  // B x/unit + b, times the unit
    wide.linear = widened(stage.linear, axes, axes.unit);
    wide.out = widened(stage.out, axes, axes.unit);
    Matrix<float> offset(1, stage.offset.size());
    std::ranges::copy(stage.offset, offset.values().begin());
    const Matrix<float> wide_offset = widened(offset, axes, axes.unit);
    wide.offset.assign(wide_offset.values().begin(), wide_offset.values().end());
    out.push_back(std::move(wide));
  }
  return out;
}

}  // namespace signfold
