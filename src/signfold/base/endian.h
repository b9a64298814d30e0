// Integers and floats as bytes of a stated order, whatever the machine's own order is.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace signfold {

enum class ByteOrder { little, big };

/// The T stored in the sizeof(T) bytes at `from` (any alignment).
template <class T>
T load(const std::byte* from, ByteOrder order) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::array<std::byte, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), from, sizeof(T));
  if ((order == ByteOrder::little) != (std::endian::native == std::endian::little)) std::ranges::reverse(bytes);
  return std::bit_cast<T>(bytes);
}

/// The inverse: writes sizeof(T) bytes at `to`.
template <class T>
void store(T value, std::byte* to, ByteOrder order) {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  if ((order == ByteOrder::little) != (std::endian::native == std::endian::little)) std::ranges::reverse(bytes);
  std::memcpy(to, bytes.data(), sizeof(T));
}

}  // namespace signfold
