// Views of NumPy arrays whose type and order the Python side has made sure of.
#pragma once

#include <pybind11/numpy.h>

#include <span>

#include "signfold/base/matrix.h"

namespace signfold::python {

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
  if (!neighbours || stride < array.shape(1) * kSize || stride % kSize != 0) {
    fail("a matrix whose columns are not neighbours");
  }
  return {array.data(), static_cast<std::size_t>(array.shape(0)), static_cast<std::size_t>(array.shape(1)),
          static_cast<std::size_t>(stride / kSize)};
}

template <class T>
MatrixView<T> mutable_matrix_view(pybind11::array_t<T>& array) {
  const MatrixView<const T> view = matrix_view(array);
  return {array.mutable_data(), view.rows, view.cols, view.stride};  // mutable_data: throws for read-only arrays
}

/// Scales of codes, or nothing for None.
inline std::span<const float> scales_view(const pybind11::object& scales) {
  if (scales.is_none()) return {};
  const auto array = scales.cast<pybind11::array_t<float, pybind11::array::c_style>>();
  if (array.ndim() != 1) fail("scales with {} axes", array.ndim());
  return {array.data(), static_cast<std::size_t>(array.shape(0))};
}

}  // namespace signfold::python
