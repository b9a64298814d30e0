// Little-endian numbers in byte buffers: what the two file formats are made of.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "signfold/base/endian.h"

namespace signfold {

static_assert(std::endian::native == std::endian::little,
              "arrays of floats are written and read as they lie in memory");

/// Appends the bytes of a number.
template <class T>
void append(std::vector<std::byte>& out, T value) {
  static_assert(std::is_arithmetic_v<T>);
  const auto* begin = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), begin, begin + sizeof(T));
}

/// The number at a byte offset; the caller has checked that it lies inside.
template <class T>
T number_at(std::span<const std::byte> bytes, std::size_t offset) {
  static_assert(std::is_arithmetic_v<T>);
  return load<T>(bytes.data() + offset, ByteOrder::little);
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The least multiple of 8 not below n: everything in a file starts at one.
constexpr std::uint64_t padded(std::uint64_t n) { return (n + 7) / 8 * 8; }

}  // namespace signfold
