// The number types that files hold, and their conversion to float32.
#pragma once

#include <cstddef>
#include <string_view>

#include "signfold/base/endian.h"

namespace signfold {

/// One type of number. Integers become their value, rounded to the nearest float32; nothing is rescaled.
struct Element {
  std::string_view name;  ///< "float32", as NumPy says it
  std::size_t size = 0;   ///< bytes
  /// out[i·stride] = the i-th of `count` consecutive numbers at `in` (any alignment).
  void (*convert)(const std::byte* in, std::size_t count, float* out, std::size_t stride) = nullptr;
};

/// kind 'f', 'i' or 'u' as in NumPy's type codes; null for a type that is not supported.
const Element* find_element(char kind, std::size_t size, ByteOrder order);

}  // namespace signfold
