#include "signfold/base/bits.h"

#include <algorithm>
#include <cstring>

#include "signfold/base/error.h"

namespace signfold {
namespace {

/// The 8 bits from `bit` on, zeros behind the last byte.
unsigned eight_bits(std::span<const std::uint8_t> from, std::size_t bit) {
  const std::size_t byte = bit / 8;
  const unsigned next = byte + 1 < from.size() ? from[byte + 1] : 0;
  return ((next << 8 | from[byte]) >> bit % 8) & 0xFF;
}

constexpr unsigned low_bits(unsigned bits, std::size_t count) { return bits & ((1U << count) - 1); }

}  // namespace

void copy_bits(std::span<const std::uint8_t> from, std::size_t first, std::size_t count, std::span<std::uint8_t> to,
               std::size_t at) {
  if (from.size() * 8 < first || from.size() * 8 - first < count || to.size() * 8 < at || to.size() * 8 - at < count) {
    fail("copy_bits: {} bits from {} on of {} bytes, to bit {} of {} bytes", count, first, from.size(), at, to.size());
  }
  if (first % 8 == 0 && at % 8 == 0 && count >= 8) {
    const std::size_t whole = count / 8;
    std::memcpy(to.data() + at / 8, from.data() + first / 8, whole);
    first += 8 * whole;
    at += 8 * whole;
    count -= 8 * whole;
  }
  while (count > 0) {
    const std::size_t shift = at % 8;
    const std::size_t some = std::min(8 - shift, count);
    std::uint8_t& byte = to[at / 8];
    byte = static_cast<std::uint8_t>(low_bits(byte, shift) | low_bits(eight_bits(from, first), some) << shift);
    first += some;
    at += some;
    count -= some;
  }
}

}  // namespace signfold
