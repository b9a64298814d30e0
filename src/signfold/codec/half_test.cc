#include "signfold/codec/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace signfold {
namespace {

/// The value of a finite half, from the definition.
double value_of(std::uint32_t bits) {
  const int exponent = static_cast<int>((bits >> 10) & 31U);
  const auto fraction = static_cast<double>(bits & 1023U);
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

TEST(Half, EveryValueRoundTrips) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = from_half(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(from_half(to_half(value)))) << bits;
      continue;
    }
    EXPECT_EQ(to_half(value), half);
    if (std::isfinite(value)) {
      EXPECT_EQ(static_cast<double>(value), value_of(bits)) << bits;
    }
  }
}

TEST(Half, RoundsToNearestAndTiesToEven) {
  // Between every two neighbours: the midpoint (exact in float32) and the float32 numbers on both sides of it.
  for (std::uint32_t low = 0; low < 0x7bff; ++low) {
    const auto midpoint = static_cast<float>((value_of(low) + value_of(low + 1)) / 2);
    const std::uint32_t even = low % 2 == 0 ? low : low + 1;
    EXPECT_EQ(to_half(midpoint), even) << low;
    EXPECT_EQ(to_half(std::nextafter(midpoint, 0.0F)), low) << low;
    EXPECT_EQ(to_half(std::nextafter(midpoint, 1e9F)), low + 1) << low;
    EXPECT_EQ(to_half(-midpoint), even | 0x8000U) << low;
  }
}

TEST(Half, OverflowAndSpecialValues) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(from_half(to_half(kHalfMax)), kHalfMax);
  EXPECT_EQ(from_half(to_half(65519.99F)), kHalfMax);
  EXPECT_EQ(from_half(to_half(65520.0F)), inf);
  EXPECT_EQ(from_half(to_half(1e30F)), inf);
  EXPECT_EQ(from_half(to_half(-inf)), -inf);
  EXPECT_TRUE(std::isnan(from_half(to_half(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(to_half(1e-30F), 0);
  EXPECT_EQ(to_half(-0.0F), 0x8000);
}

}  // namespace
}  // namespace signfold
