#include "signfold/encoder/dense.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "signfold/base/linalg.h"
#include "signfold/base/memory.h"
#include "signfold/base/random.h"
#include "signfold/simd/matrix_product.h"

namespace signfold {
namespace {

/// Mean over the rows of Σ_j b_ij⁴: 1 for coordinate axes, 3/(d + 2) for uniformly random unit vectors.
double localisation(MatrixView<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < b.rows; ++i) {
    for (const float v : b.row(i)) sum += std::pow(static_cast<double>(v), 4);
  }
  return sum / static_cast<double>(b.rows);
}

class DenseEncoder final : public Encoder {
 public:
  DenseEncoder(Matrix<float> b, std::string name, std::uint64_t seed, bool orthonormal)
      : Encoder({.dim = b.cols(), .bits = b.rows()}, seed),
        b_(std::move(b)),
        name_(std::move(name)),
        orthonormal_(orthonormal),
        delocalised_(orthonormal || localisation(b_) <= 6 / (static_cast<double>(dim()) + 2)) {}

  std::string name() const override { return name_; }
  bool orthonormal() const override { return orthonormal_; }
  bool delocalised() const override { return delocalised_; }
  bool portable() const override { return false; }
  MatrixView<const float> matrix() const { return b_; }

  std::vector<double> spectrum() const override {
    if (orthonormal_) return Encoder::spectrum();
    Matrix<double> b(bits(), dim());
    std::ranges::copy(b_.values(), b.values().begin());
    const bool wide = bits() <= dim();
    Matrix<double> gram(std::min(bits(), dim()), std::min(bits(), dim()));
    gemm(!wide, wide, 1.0, b, b, 0.0, gram);
    std::vector<double> values = symmetric_eigenvalues(gram);
    for (double& v : values) v = std::max(0.0, v);
    values.resize(bits(), 0.0);
    return values;
  }

 private:
  void do_apply(MatrixView<const float> x, MatrixView<float> u) const override {
    simd::matrix_product(false, true, x, b_, 0, u);
  }
  void do_adjoint(MatrixView<const float> s, MatrixView<float> v) const override {
    simd::matrix_product(false, false, s, b_, 0, v);
  }

  Matrix<float> b_;
  std::string name_;
  bool orthonormal_;
  bool delocalised_;
};

double row_norm(std::span<const float> row, std::size_t index) {
  double sum = 0;
  for (const float v : row) sum += static_cast<double>(v) * static_cast<double>(v);
  if (!std::isfinite(sum)) fail("encoder matrix: row {} holds a number that is not finite", index);
  if (sum == 0) fail("encoder matrix: row {} is zero and has no direction", index);
  return std::sqrt(sum);
}

}  // namespace

EncoderPtr make_dense(MatrixView<const float> b, std::string name, std::uint64_t seed) {
  Matrix<float> unit(b.rows, b.cols);
  for (std::size_t i = 0; i < b.rows; ++i) {
    const double norm = row_norm(b.row(i), i);
    const double divisor = std::abs(norm - 1) < 1e-6 ? 1 : norm;  // unit rows read back from a model stay as they are
    for (std::size_t j = 0; j < b.cols; ++j) unit(i, j) = static_cast<float>(b(i, j) / divisor);
  }
  return std::make_shared<DenseEncoder>(std::move(unit), std::move(name), seed, false);
}

EncoderPtr make_haar(EncoderShape shape, std::uint64_t seed) {
  check_shape(shape);
  const double entries = static_cast<double>(shape.bits) * static_cast<double>(shape.dim);
  require_memory((sizeof(double) + sizeof(float)) * entries,
                 fmt::format("a haar encoder of {} x {}", shape.bits, shape.dim), "take the encoder hadamard");
  const SingleThreadedBlas single;  // the same matrix for any number of threads
  const bool wide = shape.bits <= shape.dim;
  Matrix<double> gaussian(std::min(shape.bits, shape.dim), std::max(shape.bits, shape.dim));
  for (std::size_t i = 0; i < gaussian.rows(); ++i) {
    RandomStream stream(seed, Purpose::haar, i);
    for (double& v : gaussian.row(i)) v = stream.normal();
  }
  orthonormalize_rows(gaussian);
  Matrix<float> b(shape.bits, shape.dim);
  const double gain = wide ? 1 : std::sqrt(shape.rate());
  for (std::size_t i = 0; i < shape.bits; ++i) {
    for (std::size_t j = 0; j < shape.dim; ++j)
      b(i, j) = static_cast<float>(gain * (wide ? gaussian(i, j) : gaussian(j, i)));
  }
  return std::make_shared<DenseEncoder>(std::move(b), "haar", seed, true);
}

MatrixView<const float> dense_matrix(const Encoder& encoder) {
  const auto* dense = dynamic_cast<const DenseEncoder*>(&encoder);
  return dense != nullptr ? dense->matrix() : MatrixView<const float>();
}

Matrix<float> explicit_matrix(const Encoder& encoder) {
  Matrix<float> unit(1, encoder.dim());
  Matrix<float> column(1, encoder.bits());
  Matrix<float> b(encoder.bits(), encoder.dim());
  for (std::size_t j = 0; j < encoder.dim(); ++j) {
    unit(0, j) = 1;
    encoder.apply(unit, column);
    unit(0, j) = 0;
    for (std::size_t i = 0; i < encoder.bits(); ++i) b(i, j) = column(0, i);
  }
  return b;
}

}  // namespace signfold
