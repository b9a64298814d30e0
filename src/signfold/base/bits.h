// Runs of packed bits that begin anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace signfold {

/// Bytes of one packed code: bit i is bit i % 8 (least significant first) of byte i / 8; padding bits are 0.
constexpr std::size_t code_bytes(std::size_t bits) { return (bits + 7) / 8; }

/// Bit `bit` of a code that has so many; flip_bit() changes it.
constexpr bool bit_of(std::span<const std::uint8_t> code, std::size_t bit) {
  return (code[bit / 8] >> (bit % 8) & 1) != 0;
}
constexpr void flip_bit(std::span<std::uint8_t> code, std::size_t bit) {
  code[bit / 8] = static_cast<std::uint8_t>(code[bit / 8] ^ (1U << (bit % 8)));
}

/// Bits [first, first + count) of `from` become bits [at, at + count) of `to`, with bit i as in a code. Bits of `to`
/// before `at` stay, those behind the last in its byte become 0 (none where count = 0): runs can be put one behind the
/// other. The two do not overlap. Throws Error where either is too short.
void copy_bits(std::span<const std::uint8_t> from, std::size_t first, std::size_t count, std::span<std::uint8_t> to,
               std::size_t at);

}  // namespace signfold
