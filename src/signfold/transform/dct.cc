#include "signfold/transform/dct.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string_view>

#include "signfold/base/linalg_rows.h"

namespace signfold {
namespace {

constexpr std::size_t kRows = 64;  // rows in flight: bounds the scratch memory, changes no result

Matrix<float> dct_matrix(std::size_t n) {
  Matrix<float> c(n, n);
  const auto size = static_cast<double>(n);
  for (std::size_t k = 0; k < n; ++k) {
    const double scale = std::sqrt((k == 0 ? 1 : 2) / size);
    for (std::size_t i = 0; i < n; ++i) {
      const double angle = std::numbers::pi * (static_cast<double>(i) + 0.5) * static_cast<double>(k) / size;
      c(k, i) = static_cast<float>(scale * std::cos(angle));
    }
  }
  return c;
}

/// Transposes every height × width plane of `in`.
void transpose_planes(std::span<const float> in, std::size_t height, std::size_t width, std::span<float> out) {
  for (std::size_t plane = 0; plane < in.size(); plane += height * width) {
    for (std::size_t i = 0; i < height; ++i) {
      for (std::size_t j = 0; j < width; ++j) out[plane + j * height + i] = in[plane + i * width + j];
    }
  }
}

class Dct2Basis final : public Basis {
 public:
  Dct2Basis(std::size_t height, std::size_t width, std::size_t dim)
      : dim_(dim), along_height_(dct_matrix(height)), along_width_(dct_matrix(width)) {}
  std::string name() const override { return fmt::format("dct2:{}x{}", along_height_.rows(), along_width_.rows()); }
  void forward(MatrixView<const float> x, MatrixView<float> theta) const override { apply(true, x, theta); }
  void inverse(MatrixView<const float> theta, MatrixView<float> x) const override { apply(false, theta, x); }

 private:
  void apply(bool forwards, MatrixView<const float> in, MatrixView<float> out) const {
    if (in.cols != dim_ || out.cols != dim_ || in.rows != out.rows) {
      fail("{}: {}x{} and {}x{} do not fit dimension {}", name(), in.rows, in.cols, out.rows, out.cols, dim_);
    }
    for (std::size_t begin = 0; begin < in.rows; begin += kRows) {
      const std::size_t count = std::min(kRows, in.rows - begin);
      apply_block(forwards, in.row_range(begin, count), out.row_range(begin, count));
    }
  }

  void apply_block(bool forwards, MatrixView<const float> in, MatrixView<float> out) const {
    const std::size_t height = along_height_.rows();
    const std::size_t width = along_width_.rows();
    const std::size_t lines = in.rows * dim_ / width;  // rows of pixels
    const std::size_t columns = in.rows * dim_ / height;
    Matrix<float> a(1, in.rows * dim_);
    Matrix<float> b(1, in.rows * dim_);
    for (std::size_t i = 0; i < in.rows; ++i) std::ranges::copy(in.row(i), a.data() + i * dim_);
    gemm_rows(forwards, {a.data(), lines, width}, along_width_, {b.data(), lines, width});
    transpose_planes(b.values(), height, width, a.values());
    gemm_rows(forwards, {a.data(), columns, height}, along_height_, {b.data(), columns, height});
    transpose_planes(b.values(), width, height, a.values());
    for (std::size_t i = 0; i < in.rows; ++i) std::copy_n(a.data() + i * dim_, dim_, out.row(i).begin());
  }

  std::size_t dim_;
  Matrix<float> along_height_;
  Matrix<float> along_width_;
};

/// The whole text as a positive number of at most 9 digits; 0 when it is none.
std::size_t parse_side(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && text.size() <= 9 ? value : 0;
}

}  // namespace

BasisPtr make_dct2_basis(const std::string& name, std::size_t dim) {
  const std::string_view sides = std::string_view(name).substr(std::string_view("dct2:").size());
  const std::size_t cross = std::min(sides.find('x'), sides.size());
  const std::size_t height = parse_side(sides.substr(0, cross));
  const std::size_t width = cross < sides.size() ? parse_side(sides.substr(cross + 1)) : 0;
  if (height == 0 || width == 0) fail("basis '{}': write dct2:HxW, for example dct2:28x28", name);
  if (dim == 0 || dim % (height * width) != 0) {
    fail("basis '{}': {} coordinates are not a whole number of {}x{} planes", name, dim, height, width);
  }
  return std::make_shared<Dct2Basis>(height, width, dim);
}

}  // namespace signfold
