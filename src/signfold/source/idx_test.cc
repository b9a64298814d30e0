#include "signfold/source/idx.h"

#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class IdxTest : public SourceFiles {
 protected:
  static std::string number(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
    return out;
  }
  static std::string header(char type, std::initializer_list<std::uint32_t> sizes) {
    std::string out{'\0', '\0', type, static_cast<char>(sizes.size())};
    for (const std::uint32_t size : sizes) out += number(size);
    return out;
  }
  /// 2 × 3 bytes 250, 251, …
  static std::string small() { return header(8, {2, 3}) + "\xfa\xfb\xfc\xfd\xfe\xff"; }
  void gzip(const std::string& from) const {
    python("import gzip\nopen('" + from + ".gz', 'wb').write(gzip.compress(open('" + from + "', 'rb').read()))");
  }
};

TEST_F(IdxTest, ReadsEveryTypeBigEndianPlainAndGzipped) {
  python(R"(
import gzip, struct
for code, kind in [(8, '>u1'), (9, '>i1'), (11, '>i2'), (12, '>i4'), (13, '>f4'), (14, '>f8')]:
    x = np.array([[1, 2, 3], [-4 if kind[1] != 'u' else 200, 5, 6]]).astype(kind)
    data = struct.pack('>HBBII', 0, code, 2, 2, 3) + x.tobytes()
    open(f'{code}.idx', 'wb').write(data)
    open(f'{code}.gz', 'wb').write(gzip.compress(data[:9]) + gzip.compress(data[9:]))  # two members are one file
)");
  for (const int code : {8, 9, 11, 12, 13, 14}) {
    const float fourth = code == 8 ? 200 : -4;
    for (const char* suffix : {".idx", ".gz"}) {
      EXPECT_THAT(try_to_read(path(std::to_string(code) + suffix)),
                  testing::Optional(ElementsAre(1, 2, 3, fourth, 5, 6)))
          << code << suffix;
    }
  }
}

TEST_F(IdxTest, TheFirstAxisCountsTheVectors) {
  const auto images = open_source(write("a", header(8, {2, 3, 1, 2}) + std::string(12, 'x')));
  EXPECT_EQ(images->rows(), 2U);
  EXPECT_EQ(images->dim(), 6U);
  EXPECT_THAT(images->item_shape(), ElementsAre(3, 1, 2));
  EXPECT_THAT(images->description(), HasSubstr("(IDX, uint8, 2 x 6)"));
  const auto labels = open_source(write("b", header(8, {5}) + "abcde"));
  EXPECT_EQ(labels->rows(), 5U);
  EXPECT_EQ(labels->dim(), 1U);
}

TEST_F(IdxTest, EveryTruncationAndTrailingByteIsRefused) {
  write("a", small());
  gzip("a");
  ASSERT_TRUE(try_to_read(path("a.gz")));
  expect_truncations_refused(path("cut"), small());
  expect_truncations_refused(path("cut.gz"), content("a.gz"));
  EXPECT_FALSE(try_to_read(write("long", small() + "x")));
  EXPECT_FALSE(try_to_read(write("long.gz", content("a.gz") + "x")));
  write("b", small() + "x");
  gzip("b");
  EXPECT_FALSE(try_to_read(path("b.gz")));
  write("c", small().substr(0, 17));
  gzip("c");
  EXPECT_FALSE(try_to_read(path("c.gz")));
}

TEST_F(IdxTest, EveryFlippedBitOfCompressedDataOrChecksumIsRefused) {
  write("a", small());
  gzip("a");
  const std::string bytes = content("a.gz");
  const std::size_t begin = 10;  // no name in the header: see gzip.compress
  // Bits after the end of a deflate stream mean nothing: at most the 7 that fill its last byte.
  EXPECT_GE(count_refused_flips(path("flip.gz"), bytes, begin, bytes.size()), 8 * (bytes.size() - begin) - 7);
  count_refused_flips(path("flip.gz"), bytes, 0, begin);
  count_refused_flips(path("flip"), small(), 0, 12);
}

TEST_F(IdxTest, HeadersThatLieAreRefused) {
  EXPECT_THAT(
      [&] {
        open_source(write("a", header(8, {0xffffffff, 0xffffffff, 0xffffffff})));
      },
      ThrowsMessage<Error>(HasSubstr("2^48")));
  EXPECT_THAT([&] { open_source(write("b", header(8, {0, 28}))); }, ThrowsMessage<Error>(HasSubstr("no vectors")));
  EXPECT_THAT(
      [&] {
        open_source(write("c", header(8, {28, 0})));
      },
      ThrowsMessage<Error>(HasSubstr("without coordinates")));
  EXPECT_THAT(
      [&] {
        open_source(write("d", header(10, {1, 1}) + "x"));
      },
      ThrowsMessage<Error>(HasSubstr("not recognised")));
  write("e", header(8, {1, 1 << 30}) + "abc");
  gzip("e");
  EXPECT_THAT([&] { open_source(path("e.gz")); }, ThrowsMessage<Error>(HasSubstr("hold at most")));
}

}  // namespace
}  // namespace signfold
