// The one reader behind every format that stores its vectors one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signfold/source/byte_stream.h"
#include "signfold/source/element.h"
#include "signfold/source/source.h"

namespace signfold {

/// Where the numbers of a file are: `offset` bytes, then `rows` records of `prefix` bytes and dim numbers each, then
/// the end of the file.
struct RowLayout {
  std::string format;  ///< for messages: "IDX"
  std::uint64_t offset = 0;
  std::uint64_t rows = 0;
  std::vector<std::size_t> item_shape;  ///< its product is dim
  const Element* element = nullptr;
  std::size_t prefix = 0;
  /// Throws Error when the prefix of a row is not what it should be.
  std::function<void(std::uint64_t row, std::span<const std::byte> prefix)> check_prefix;
};

/// The product of the sizes. Throws Error naming the path when it is above 2^48.
std::uint64_t checked_product(const std::string& path, std::span<const std::size_t> sizes);

/// The size of a stream of this layout. Throws Error when it holds more than 2^48 numbers.
std::uint64_t promised_bytes(const std::string& path, const RowLayout& layout);

/// Checks that the layout fits the size of the stream, or the bound on it, where there is one; returns dim. Only a pipe
/// can still promise what it does not have: compare its dimension before taking memory for a vector.
std::size_t check_layout(const ByteStream& stream, const RowLayout& layout);

/// The source of a checked layout. A stream of unknown size is checked when its last vector is read.
std::unique_ptr<Source> make_row_source(std::unique_ptr<ByteStream> stream, RowLayout layout);

/// "PATH (FORMAT, float32, 60000 x 784)".
std::string describe_array(const std::string& path, const RowLayout& layout, std::size_t dim);

}  // namespace signfold
