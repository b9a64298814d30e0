#include "signfold/codec/half.h"

#include <bit>

namespace signfold {
namespace {
constexpr std::uint32_t kInfinity32 = 0x7f800000;
constexpr std::uint32_t kOverflow = 0x477ff000;        // 65520: halfway between the largest half and 2^16
constexpr std::uint32_t kSmallestNormal = 0x38800000;  // 2^-14
constexpr std::uint32_t kBiasShift = 112U << 23;       // float32's exponent bias minus binary16's
}  // namespace

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  std::uint32_t half = 0;
  if (magnitude > kInfinity32) {
    half = 0x7e00;
  } else if (magnitude >= kOverflow) {
    half = 0x7c00;
  } else if (magnitude < kSmallestNormal) {
    // One unit in the last place of 0.5 is 2^-24, the smallest half: the addition rounds to a multiple of it.
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
  } else {
    const std::uint32_t even = (magnitude >> 13) & 1U;
    half = (magnitude - kBiasShift + 0xfffU + even) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

float from_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fU;
  const std::uint32_t fraction = bits & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  if (exponent == 31) return std::bit_cast<float>(sign | kInfinity32 | (fraction << 13));
  return std::bit_cast<float>(sign | (((exponent << 23) | (fraction << 13)) + kBiasShift));
}

}  // namespace signfold
