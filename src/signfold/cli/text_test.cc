#include "signfold/cli/text.h"

#include <gtest/gtest.h>

namespace signfold::cli {
namespace {
TEST(Text, NumbersHaveFiveDigits) {
  EXPECT_EQ(number(0.363380227), "0.36338");
  EXPECT_EQ(number(0.0121678), "0.012168");
  EXPECT_EQ(number(1), "1.0000");
  EXPECT_EQ(number(1.23456e-9), "1.2346e-09");
  EXPECT_EQ(number(0), "0");
}

TEST(Text, SizesHaveUnits) {
  EXPECT_EQ(size(0), "0 B");
  EXPECT_EQ(size(999), "999 B");
  EXPECT_EQ(size(1000), "1 kB");
  EXPECT_EQ(size(7840016), "7.84 MB");
  EXPECT_EQ(size(999999), "1 MB");  // not "1e+03 kB"
  EXPECT_EQ(speed(15300.4), "15300");
  EXPECT_EQ(speed(1.25e6), "1.25 M");
}

TEST(Text, BitsAreBytesWhereTheyAreWhole) {
  EXPECT_EQ(bits_and_bytes(784), "784 bits = 98 bytes");
  EXPECT_EQ(bits_and_bytes(98), "98 bits");
  EXPECT_EQ(bits_and_bytes(8), "8 bits = 1 byte");
  EXPECT_EQ(bits_and_bytes(1), "1 bit");
}

TEST(Text, TablesAreAligned) {
  EXPECT_EQ(table({{"decoder", "risk"}, {"linear", "0.36338"}, {"layer 1"}}),
            "decoder     risk\n"
            "linear   0.36338\n"
            "layer 1\n");
}

TEST(Text, FactsAreAligned) { EXPECT_EQ(facts({{"a", "1"}, {"long", "2"}}), "a     1\nlong  2\n"); }
}  // namespace
}  // namespace signfold::cli
