#include "signfold/base/bits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(std::size_t count, std::uint64_t index) {
  RandomStream stream(7, Purpose::test, index);
  Bytes bytes(count);
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(stream.bits32());
  return bytes;
}

unsigned bit(const Bytes& bytes, std::size_t i) { return (bytes[i / 8] >> i % 8) & 1U; }

void set(Bytes& bytes, std::size_t i, unsigned value) {
  bytes[i / 8] = static_cast<std::uint8_t>((bytes[i / 8] & ~(1U << i % 8)) | value << i % 8);
}

/// One bit after the other.
Bytes plainly(const Bytes& from, std::size_t first, std::size_t count, Bytes to, std::size_t at) {
  for (std::size_t i = 0; i < count; ++i) set(to, at + i, bit(from, first + i));
  for (std::size_t i = at + count; count > 0 && i % 8 != 0; ++i) set(to, i, 0);
  return to;
}

TEST(Bits, EveryRunOfThreeBytesToEveryPlace) {
  const Bytes from = random_bytes(3, 0);
  const Bytes before = random_bytes(4, 1);
  for (std::size_t first = 0; first <= 24; ++first) {
    for (std::size_t count = 0; first + count <= 24; ++count) {
      for (std::size_t at = 0; at + count <= 32; ++at) {
        Bytes to = before;
        copy_bits(from, first, count, to, at);
        EXPECT_EQ(to, plainly(from, first, count, before, at)) << first << " " << count << " " << at;
      }
    }
  }
}

TEST(Bits, RunsOneBehindTheOtherMakeTheWhole) {
  const Bytes whole = random_bytes(98, 2);
  Bytes joined(98, 0xFF);
  std::size_t at = 0;
  for (const std::size_t count : {98U, 98U, 196U, 392U}) {
    Bytes part(code_bytes(count));
    copy_bits(whole, at, count, part, 0);
    copy_bits(part, 0, count, joined, at);
    at += count;
  }
  EXPECT_EQ(joined, whole);
}

TEST(Bits, RefusesWhatIsTooShort) {
  const Bytes from(2);
  Bytes to(2);
  EXPECT_THAT([&] { copy_bits(from, 9, 8, to, 0); }, ThrowsMessage<Error>(HasSubstr("8 bits from 9 on of 2 bytes")));
  EXPECT_THAT([&] { copy_bits(from, 0, 8, to, 9); }, ThrowsMessage<Error>(HasSubstr("to bit 9 of 2 bytes")));
  EXPECT_THAT([&] { copy_bits(from, 17, 0, to, 0); }, ThrowsMessage<Error>(HasSubstr("from 17 on")));
}

}  // namespace
}  // namespace signfold
