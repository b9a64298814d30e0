#include "signfold/base/hash.h"

#include <gtest/gtest.h>

#include <array>

namespace signfold {
namespace {

TEST(Hash, IsXxh64) {
  EXPECT_EQ(hash64({}), 0xef46db3751d8e999U);  // the documented value of the empty string
  EXPECT_NE(hash64({}, 1), hash64({}));
}

TEST(Hash, NoticesEveryFlippedBit) {
  std::array<std::byte, 16> bytes{};
  const std::uint64_t whole = hash64(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(hash64(bytes), whole) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

}  // namespace
}  // namespace signfold
