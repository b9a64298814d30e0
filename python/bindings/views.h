// Views of NumPy arrays whose type and order the Python side has made sure of.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <span>

#include "signfold/base/matrix.h"

namespace signfold::python {

/// Whether numbers start where the machine wants them, as those of slices of bytes need not.
template <class T, int kFlags>
bool is_aligned(const pybind11::array_t<T, kFlags>& array) {
  return reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0;
}

/// A matrix of T with neighbouring columns. Throws Error for anything else.
template <class T>
MatrixView<const T> matrix_view(const pybind11::array_t<T>& array) {
  constexpr pybind11::ssize_t kSize = sizeof(T);
  if (array.ndim() != 2) fail("an array of {} axes where a matrix was expected", array.ndim());
  if (array.size() == 0) {  // whose strides mean nothing
    return {array.data(), static_cast<std::size_t>(array.shape(0)), static_cast<std::size_t>(array.shape(1))};
  }
  const pybind11::ssize_t stride = array.shape(0) > 1 ? array.strides(0) : array.shape(1) * kSize;
  const bool neighbours = array.shape(1) <= 1 || array.strides(1) == kSize;
  if (!neighbours || stride < array.shape(1) * kSize || stride % kSize != 0 || !is_aligned(array)) {
    fail("a matrix whose columns are not neighbours, or that is not aligned");
  }
  return {array.data(), static_cast<std::size_t>(array.shape(0)), static_cast<std::size_t>(array.shape(1)),
          static_cast<std::size_t>(stride / kSize)};
}

template <class T>
MatrixView<T> mutable_matrix_view(pybind11::array_t<T>& array) {
  const MatrixView<const T> view = matrix_view(array);
  return {array.mutable_data(), view.rows, view.cols, view.stride};  // mutable_data: throws for read-only arrays
}

/// Scales of codes, or nothing for None. Throws Error for anything but neighbouring floats: a cast would convert them,
/// and the view would be that of an array which is gone.
inline std::span<const float> scales_view(const pybind11::object& scales) {
  using Array = pybind11::array_t<float, pybind11::array::c_style>;
  if (scales.is_none()) return {};
  if (!pybind11::isinstance<Array>(scales)) fail("scales that are not neighbouring float32 numbers");
  const auto array = pybind11::reinterpret_borrow<Array>(scales);
  if (array.ndim() != 1) fail("scales with {} axes", array.ndim());
  if (!is_aligned(array)) fail("scales that are not aligned");
  return {array.data(), static_cast<std::size_t>(array.shape(0))};
}

}  // namespace signfold::python
