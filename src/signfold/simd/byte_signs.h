// Eight bits as the signs of eight float32 numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace signfold::simd {

/// kByteSigns[byte][k] is the float32 −0 where bit k of the byte is set, 0 elsewhere: 8 KiB.
alignas(64) constexpr std::array<std::array<std::uint32_t, 8>, 256> kByteSigns = [] {
  std::array<std::array<std::uint32_t, 8>, 256> signs{};
  for (std::size_t byte = 0; byte < signs.size(); ++byte) {
    for (std::size_t k = 0; k < 8; ++k) signs[byte][k] = (byte >> k & 1U) << 31U;
  }
  return signs;
}();

}  // namespace signfold::simd
