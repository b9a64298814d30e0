#include <algorithm>
#include <utility>

#include "signfold/base/linalg.h"
#include "signfold/base/parallel.h"
#include "signfold/transform/transform.h"

namespace signfold {
namespace {

constexpr std::size_t kRows = 512;   // rows converted to double at a time
constexpr std::size_t kPanel = 256;  // columns of one product

MatrixView<const double> columns_of(const Matrix<double>& m, std::size_t rows, std::size_t begin) {
  return {m.data() + begin, rows, std::min(kPanel, m.cols() - begin), m.cols()};
}

/// The lower triangle of products += yᵀ y over the first `rows` rows of y, panel by panel: half the work of a full
/// product, and the same numbers for any thread count because every panel is single-threaded.
void add_products(const Matrix<double>& y, std::size_t rows, Matrix<double>& products) {
  const std::size_t dim = y.cols();
  std::vector<std::pair<std::size_t, std::size_t>> panels;
  for (std::size_t i = 0; i < dim; i += kPanel) {
    for (std::size_t j = 0; j <= i; j += kPanel) panels.emplace_back(i, j);
  }
  const SingleThreadedBlas single;
  parallel_for(panels.size(), 1, 0, [&](std::size_t begin, std::size_t) {
    const auto [i, j] = panels[begin];
    const auto left = columns_of(y, rows, i);
    const auto right = columns_of(y, rows, j);
    gemm(true, false, 1.0, left, right, 1.0, {products.data() + i * dim + j, left.cols, right.cols, dim});
  });
}

}  // namespace

CovarianceAccumulator::CovarianceAccumulator(std::size_t dim) : sum_(dim), shift_(dim), products_(dim, dim) {}

void CovarianceAccumulator::add(MatrixView<const float> block) {
  const std::size_t dim = sum_.size();
  if (block.cols != dim) fail("covariance: vectors of {} coordinates expected, {} given", dim, block.cols);
  if (count_ == 0 && block.rows > 0) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      for (std::size_t j = 0; j < dim; ++j) shift_[j] += block(i, j);
    }
    for (double& s : shift_) s /= static_cast<double>(block.rows);
  }
  Matrix<double> shifted(std::min(kRows, block.rows), dim);
  for (std::size_t begin = 0; begin < block.rows; begin += kRows) {
    const std::size_t rows = std::min(kRows, block.rows - begin);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < dim; ++j) {
        shifted(i, j) = block(begin + i, j) - shift_[j];
        sum_[j] += shifted(i, j);
      }
    }
    add_products(shifted, rows, products_);
  }
  count_ += block.rows;
}

std::vector<double> CovarianceAccumulator::mean() const {
  if (count_ == 0) fail("covariance: no vectors were given");
  std::vector<double> mean(shift_);
  for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += sum_[j] / static_cast<double>(count_);
  return mean;
}

Matrix<double> CovarianceAccumulator::covariance(bool centred) const {
  const std::vector<double> m = mean();
  const auto n = static_cast<double>(count_);
  Matrix<double> out(m.size(), m.size());
  for (std::size_t i = 0; i < m.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double about_mean = products_(i, j) / n - (sum_[i] / n) * (sum_[j] / n);
      out(i, j) = out(j, i) = centred ? about_mean : about_mean + m[i] * m[j];
    }
  }
  return out;
}

}  // namespace signfold
