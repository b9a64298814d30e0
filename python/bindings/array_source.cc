#include "array_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/codec/half.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

/// IEEE binary16, which C++20 has no type for.
struct Half {
  std::uint16_t bits;
};

float to_float(Half value) { return from_half(value.bits); }
template <class T>
float to_float(T value) {
  return static_cast<float>(value);
}

template <class T>
float float_at(const char* place) {
  T value;
  std::memcpy(&value, place, sizeof value);  // arrays need not be aligned
  return to_float(value);
}

/// Byte offsets of the elements of one item, in C order.
std::vector<std::ptrdiff_t> offsets_of(const py::array& x) {
  std::vector<std::ptrdiff_t> offsets = {0};
  for (py::ssize_t axis = 1; axis < x.ndim(); ++axis) {
    std::vector<std::ptrdiff_t> next;
    next.reserve(offsets.size() * static_cast<std::size_t>(x.shape(axis)));
    for (const std::ptrdiff_t offset : offsets) {
      for (py::ssize_t k = 0; k < x.shape(axis); ++k) next.push_back(offset + k * x.strides(axis));
    }
    offsets = std::move(next);
  }
  return offsets;
}

std::vector<std::size_t> shape_of(const py::array& x) {
  std::vector<std::size_t> shape;
  for (py::ssize_t axis = 1; axis < x.ndim(); ++axis) shape.push_back(static_cast<std::size_t>(x.shape(axis)));
  return shape;
}

/// Whether a shape has so many coordinates. By division: its product may be beyond 64 bits.
bool fits(const std::vector<std::size_t>& shape, std::size_t coordinates) {
  for (const std::size_t side : shape) {
    if (side == 0 || coordinates % side != 0) return false;
    coordinates /= side;
  }
  return coordinates == 1;
}

}  // namespace

ArraySource::ArraySource(const py::array& x, std::string description, std::vector<std::size_t> item_shape)
    : array_(x),
      data_(static_cast<const char*>(x.data())),
      kind_(x.dtype().kind()),
      item_size_(x.itemsize()),
      item_shape_(std::move(item_shape)) {
  if (x.ndim() < 2) fail("{}: it must have two axes or more, the first of which counts the vectors", description);
  row_stride_ = x.strides(0);
  offsets_ = offsets_of(x);
  if (!item_shape_.empty() && !fits(item_shape_, offsets_.size())) {
    fail("{}: an item_shape of {} does not fit vectors of {} coordinates", description, fmt::join(item_shape_, " x "),
         offsets_.size());
  }
  if (item_shape_.empty()) item_shape_ = shape_of(x);
  describe(std::move(description), static_cast<std::uint64_t>(x.shape(0)), offsets_.size());
}

std::optional<MatrixView<const float>> ArraySource::view() const {
  constexpr std::ptrdiff_t kSize = sizeof(float);
  const auto length = static_cast<std::ptrdiff_t>(dim()) * kSize;
  if (kind_ != 'f' || item_size_ != kSize || reinterpret_cast<std::uintptr_t>(data_) % alignof(float) != 0) return {};
  if (rows() > 1 && (row_stride_ < length || row_stride_ % kSize != 0)) return {};
  for (std::size_t j = 0; j < offsets_.size(); ++j) {
    if (offsets_[j] != static_cast<std::ptrdiff_t>(j) * kSize) return {};
  }
  const std::size_t stride = rows() > 1 ? static_cast<std::size_t>(row_stride_ / kSize) : dim();
  return MatrixView<const float>(reinterpret_cast<const float*>(data_), rows(), dim(), stride);
}

template <class T>
void ArraySource::copy(MatrixView<float> block) const {
  constexpr std::size_t kTile = 64;  // so that columns that lie far apart are read a cache line at a time
  const char* first = data_ + static_cast<std::ptrdiff_t>(next_) * row_stride_;
  for (std::size_t row = 0; row < block.rows; row += kTile) {
    const std::size_t row_end = std::min(block.rows, row + kTile);
    for (std::size_t col = 0; col < block.cols; col += kTile) {
      const std::size_t col_end = std::min(block.cols, col + kTile);
      for (std::size_t i = row; i < row_end; ++i) {
        const char* item = first + static_cast<std::ptrdiff_t>(i) * row_stride_;
        for (std::size_t j = col; j < col_end; ++j) block(i, j) = float_at<T>(item + offsets_[j]);
      }
    }
  }
}

void ArraySource::do_read(MatrixView<float> block) {
  const auto is = [this](char kind, std::size_t size) {
    return kind_ == kind && item_size_ == static_cast<std::ptrdiff_t>(size);
  };
  if (is('f', 4)) {
    copy<float>(block);
  } else if (is('f', 8)) {
    copy<double>(block);
  } else if (is('f', 2)) {
    copy<Half>(block);
  } else if (is('u', 1) || is('b', 1)) {
    copy<std::uint8_t>(block);
  } else if (is('u', 2)) {
    copy<std::uint16_t>(block);
  } else if (is('u', 4)) {
    copy<std::uint32_t>(block);
  } else if (is('u', 8)) {
    copy<std::uint64_t>(block);
  } else if (is('i', 1)) {
    copy<std::int8_t>(block);
  } else if (is('i', 2)) {
    copy<std::int16_t>(block);
  } else if (is('i', 4)) {
    copy<std::int32_t>(block);
  } else if (is('i', 8)) {
    copy<std::int64_t>(block);
  } else {
    fail("{}: numbers of kind {} with {} bytes cannot be read; use float32", description(), kind_, item_size_);
  }
  next_ += block.rows;
}

}  // namespace signfold::python
