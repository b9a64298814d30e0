// Row-major matrices: one sample per row, as in NumPy. A view borrows, a Matrix owns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "signfold/base/allocate.h"
#include "signfold/base/error.h"

namespace signfold {

/// A borrowed rows × cols matrix; consecutive rows are `stride` elements apart (stride ≥ cols).
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t stride = 0;

  MatrixView() = default;
  MatrixView(T* d, std::size_t r, std::size_t c, std::size_t s) : data(d), rows(r), cols(c), stride(s) {}
  MatrixView(T* d, std::size_t r, std::size_t c) : MatrixView(d, r, c, c) {}
  /// A view of mutable elements is also a view of constant ones.
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T> && !std::is_same_v<U, T>>>
  MatrixView(MatrixView<U> other)  // NOLINT: implicit on purpose
      : MatrixView(other.data, other.rows, other.cols, other.stride) {}

  std::span<T> row(std::size_t i) const { return {data + i * stride, cols}; }
  T& operator()(std::size_t i, std::size_t j) const { return data[i * stride + j]; }
  /// Rows [begin, begin + count).
  MatrixView row_range(std::size_t begin, std::size_t count) const {
    return {data + begin * stride, count, cols, stride};
  }
};

/// An owned rows × cols matrix, 64-byte aligned and zero-initialised. Movable; copied only by clone().
/// Throws Error when rows × cols does not fit in memory.
template <class T>
class Matrix {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t cols) : rows_(rows), cols_(cols) {
    if (cols != 0 && rows > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T) / cols) {
      fail("a {} x {} matrix is larger than the address space", rows, cols);
    }
    try {
      data_.reset(static_cast<T*>(allocate_numbers(std::max<std::size_t>(1, size()) * sizeof(T))));
    } catch (const std::bad_alloc&) {
      fail("not enough memory for a {} x {} matrix ({} MB)", rows, cols, size() * sizeof(T) >> 20);
    }
    std::fill_n(data_.get(), size(), T{});
  }

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t size() const { return rows_ * cols_; }
  bool empty() const { return size() == 0; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator()(std::size_t i, std::size_t j) { return data_.get()[i * cols_ + j]; }
  const T& operator()(std::size_t i, std::size_t j) const { return data_.get()[i * cols_ + j]; }
  std::span<T> row(std::size_t i) { return {data() + i * cols_, cols_}; }
  std::span<const T> row(std::size_t i) const { return {data() + i * cols_, cols_}; }
  std::span<T> values() { return {data(), size()}; }
  std::span<const T> values() const { return {data(), size()}; }
  MatrixView<T> view() { return {data(), rows_, cols_}; }
  MatrixView<const T> view() const { return {data(), rows_, cols_}; }
  operator MatrixView<T>() { return view(); }              // NOLINT: implicit on purpose
  operator MatrixView<const T>() const { return view(); }  // NOLINT: implicit on purpose
  Matrix clone() const {
    Matrix copy(rows_, cols_);
    std::copy_n(data(), size(), copy.data());
    return copy;
  }

 private:
  struct Free {
    void operator()(T* p) const { free_numbers(p); }
  };
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::unique_ptr<T[], Free> data_;
};

using ConstMatrixView = MatrixView<const float>;

}  // namespace signfold
