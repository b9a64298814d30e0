#include "signfold/source/cifar.h"

#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

using CifarTest = SourceFiles;

constexpr std::size_t kRecord = 3073;

/// Record i has label i % 10 and pixels i, i + 1, … modulo 256.
std::string cifar(std::size_t records) {
  std::string out;
  for (std::size_t i = 0; i < records; ++i) {
    out += static_cast<char>(i % 10);
    for (std::size_t j = 0; j + 1 < kRecord; ++j) out += static_cast<char>((i + j) % 256);
  }
  return out;
}

TEST_F(CifarTest, ReadsPixelsAndDropsLabels) {
  const auto source = open_source(write("a.bin", cifar(30)));
  EXPECT_EQ(source->rows(), 30U);
  EXPECT_EQ(source->dim(), 3072U);
  EXPECT_THAT(source->item_shape(), ElementsAre(3, 32, 32));
  const Matrix<float> x = read_in_blocks(*source, 7);
  for (std::size_t i = 0; i < 30; ++i) {
    for (std::size_t j = 0; j < 3072; ++j) ASSERT_EQ(x(i, j), static_cast<float>((i + j) % 256));
  }
}

TEST_F(CifarTest, ALabelAboveNineNamesItsRecord) {
  std::string bytes = cifar(20);
  bytes[17 * kRecord] = 10;
  const auto source = open_source(write("a.bin", bytes));
  EXPECT_THAT([&] { read_all(*source); }, ThrowsMessage<Error>(AllOf(HasSubstr("record 17"), HasSubstr("label 10"))));
  bytes[0] = 10;
  EXPECT_THAT([&] { open_source(write("b.bin", bytes)); }, ThrowsMessage<Error>(HasSubstr("not recognised")));
}

TEST_F(CifarTest, TruncationsAreRefusedExceptBetweenRecords) {
  const std::string bytes = cifar(2);
  for (const std::size_t length : {0UL, 1UL, 2UL, 4UL, 100UL, kRecord - 1, kRecord + 1, 2 * kRecord - 1}) {
    EXPECT_FALSE(try_to_read(write("cut.bin", bytes.substr(0, length)))) << length;
  }
  EXPECT_TRUE(try_to_read(write("cut.bin", bytes.substr(0, kRecord))));  // a whole file: nothing can tell
}

TEST_F(CifarTest, ADarkImageOfClassZeroIsNotIdx) {
  std::string bytes = cifar(3);
  bytes.replace(0, 4, std::string("\0\0\x08\x03", 4));
  const auto source = open_source(write("a.bin", bytes));
  EXPECT_EQ(source->dim(), 3072U);
}

}  // namespace
}  // namespace signfold
