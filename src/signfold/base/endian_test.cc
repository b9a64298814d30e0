#include "signfold/base/endian.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace signfold {
namespace {

TEST(Endian, LoadsAndStoresBothOrders) {
  const std::array<std::byte, 5> bytes = {std::byte{0xff}, std::byte{0x01}, std::byte{0x02}, std::byte{0x03},
                                          std::byte{0x84}};
  EXPECT_EQ(load<std::uint32_t>(&bytes[1], ByteOrder::little), 0x84030201U);  // also an odd address
  EXPECT_EQ(load<std::uint32_t>(&bytes[1], ByteOrder::big), 0x01020384U);
  EXPECT_EQ(load<std::int16_t>(&bytes[3], ByteOrder::little), static_cast<std::int16_t>(0x8403));
  for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
    std::array<std::byte, 8> out{};
    store(-1234.5, out.data(), order);
    EXPECT_EQ(load<double>(out.data(), order), -1234.5);
  }
  std::array<std::byte, 2> out{};
  store<std::uint16_t>(0x1234, out.data(), ByteOrder::big);
  EXPECT_EQ(out[0], std::byte{0x12});
}

}  // namespace
}  // namespace signfold
