#include "signfold/transform/separable.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "signfold/simd/matrix_product.h"
#include "signfold/transform/dct.h"

namespace signfold {
namespace {

constexpr std::size_t kRows = 64;           // rows in flight: bounds the scratch memory, changes no result
constexpr std::size_t kLargestSide = 4096;  // a name from a damaged file must not ask for all memory

Matrix<float> rounded(const Matrix<double>& matrix) {
  Matrix<float> out(matrix.rows(), matrix.cols());
  std::ranges::transform(matrix.values(), out.values().begin(), [](double v) { return static_cast<float>(v); });
  return out;
}

/// Brings the last axis (of n values) of every group to the front.
void last_axis_first(std::span<const float> in, std::size_t group, std::size_t n, std::span<float> out) {
  const std::size_t rest = group / n;
  for (std::size_t begin = 0; begin < in.size(); begin += group) {
    for (std::size_t i = 0; i < rest; ++i) {
      for (std::size_t k = 0; k < n; ++k) out[begin + k * rest + i] = in[begin + i * n + k];
    }
  }
}

class SeparableBasis final : public Basis {
 public:
  /// `axes`: a matrix per axis of a group, slowest first.
  SeparableBasis(std::string name, std::vector<Matrix<float>> axes, std::size_t dim)
      : name_(std::move(name)), axes_(std::move(axes)), dim_(dim) {}
  std::string name() const override { return name_; }
  void forward(MatrixView<const float> x, MatrixView<float> theta) const override { apply(true, x, theta); }
  void inverse(MatrixView<const float> theta, MatrixView<float> x) const override { apply(false, theta, x); }

 private:
  void apply(bool forwards, MatrixView<const float> in, MatrixView<float> out) const {
    if (in.cols != dim_ || out.cols != dim_ || in.rows != out.rows) {
      fail("{}: {}x{} and {}x{} do not fit dimension {}", name_, in.rows, in.cols, out.rows, out.cols, dim_);
    }
    for (std::size_t begin = 0; begin < in.rows; begin += kRows) {
      const std::size_t count = std::min(kRows, in.rows - begin);
      apply_block(forwards, in.row_range(begin, count), out.row_range(begin, count));
    }
  }

  /// Every step works on the last axis and brings it to the front, so that after all of them the order is the old one.
  void apply_block(bool forwards, MatrixView<const float> in, MatrixView<float> out) const {
    const std::size_t group = std::accumulate(axes_.begin(), axes_.end(), std::size_t{1},
                                              [](std::size_t n, const auto& axis) { return n * axis.rows(); });
    Matrix<float> a(in.rows, dim_);
    Matrix<float> b(in.rows, dim_);
    for (std::size_t i = 0; i < in.rows; ++i) std::ranges::copy(in.row(i), a.row(i).begin());
    for (std::size_t k = axes_.size(); k-- > 0;) {
      const Matrix<float>& axis = axes_[k];
      const std::size_t n = axis.rows();
      const std::size_t lines = a.size() / n;
      simd::matrix_product(false, forwards, {a.data(), lines, n}, axis, 0, {b.data(), lines, n});
      last_axis_first(b.values(), group, n, a.values());
    }
    for (std::size_t i = 0; i < in.rows; ++i) std::ranges::copy(a.row(i), out.row(i).begin());
  }

  std::string name_;
  std::vector<Matrix<float>> axes_;
  std::size_t dim_;
};

/// The whole text as a number from 1 to kLargestSide; 0 when it is none.
std::size_t parse_side(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value <= kLargestSide ? value : 0;
}

/// The numbers of "AxBx…"; a part that is none counts as 0.
std::vector<std::size_t> parse_sides(std::string_view text) {
  std::vector<std::size_t> sides;
  while (true) {
    const std::size_t cross = text.find('x');
    sides.push_back(parse_side(text.substr(0, cross)));
    if (cross == std::string_view::npos) return sides;
    text.remove_prefix(cross + 1);
  }
}

}  // namespace

BasisPtr make_separable_basis(const std::string& kind, AxisMatrix along, const std::string& name, std::size_t dim) {
  if (!name.starts_with(kind + ":")) fail("basis '{}' is no {}", name, kind);
  const std::vector<std::size_t> sides = parse_sides(std::string_view(name).substr(kind.size() + 1));
  if (sides.size() < 2 || sides.size() > 3 || std::ranges::count(sides, 0U) > 0) {
    fail("basis '{}': write {}:HxW or {}:HxWxP, for example {}:28x28", name, kind, kind, kind);
  }
  std::size_t group = 1;
  for (const std::size_t side : sides) group *= side;
  if (dim == 0 || dim % group != 0) {
    fail("basis '{}': {} coordinates are not a whole number of groups of {}", name, dim, group);
  }
  std::vector<Matrix<float>> axes;
  if (sides.size() == 3) axes.push_back(rounded(dct_matrix(sides[2])));
  axes.push_back(rounded(along(sides[0])));
  axes.push_back(rounded(along(sides[1])));
  return std::make_shared<SeparableBasis>(name, std::move(axes), dim);
}

}  // namespace signfold
