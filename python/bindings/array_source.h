// NumPy arrays as sources of vectors: read where they lie, whatever their type, order and strides.
#pragma once

#include <pybind11/numpy.h>

#include <optional>
#include <string>
#include <vector>

#include "signfold/source/source.h"

namespace signfold::python {

/// The vectors X[0], X[1], … of an array, flattened in C order. Holds the array; converts block by block while reading,
/// so nothing is copied as a whole. Reading needs no GIL; making and destroying it do.
class ArraySource final : public Source {
 public:
  /// Types: bool, signed and unsigned integers, float16, float32, float64, all in the byte order of the machine. Throws
  /// Error for others, and for a shape of one vector that does not have its number of coordinates. An empty item shape
  /// means that of the array.
  ArraySource(const pybind11::array& x, std::string description, std::vector<std::size_t> item_shape);

  std::vector<std::size_t> item_shape() const override { return item_shape_; }
  /// The vectors where they lie, if that is float32 with neighbouring coordinates.
  std::optional<MatrixView<const float>> view() const;

 private:
  void do_read(MatrixView<float> block) override;
  void do_rewind() override { next_ = 0; }
  template <class T>
  void copy(MatrixView<float> block) const;

  pybind11::array array_;
  const char* data_;
  char kind_;  // as NumPy writes it: f, i, u, b
  std::ptrdiff_t item_size_;
  std::ptrdiff_t row_stride_;            // in bytes, like the offsets
  std::vector<std::ptrdiff_t> offsets_;  // of every coordinate from the first of its row
  std::vector<std::size_t> item_shape_;
  std::uint64_t next_ = 0;
};

}  // namespace signfold::python
