#include "signfold/codec/code_file.h"

#include <limits>

#include "signfold/base/hash.h"
#include "signfold/base/pipe.h"
#include "signfold/codec/for_test.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

struct Content {
  Matrix<std::uint8_t> codes;
  std::vector<float> scales;
};

Content content(std::size_t rows, const CodeHeader& header) {
  Content out{Matrix<std::uint8_t>(rows, code_bytes(header.bits)), {}};
  RandomStream stream(3, Purpose::test);
  for (std::uint8_t& b : out.codes.values()) b = static_cast<std::uint8_t>(stream.bits32());
  for (std::size_t i = 0; i < rows && header.bits % 8 != 0; ++i) {
    out.codes.row(i).back() &= static_cast<std::uint8_t>((1U << header.bits % 8) - 1);
  }
  if (header.scale != ScaleKind::none) out.scales.resize(rows);
  for (float& s : out.scales) s = from_half(static_cast<std::uint16_t>(stream.below(0x7c00)));
  return out;
}

CodeHeader small_header(ScaleKind scale = ScaleKind::f16) {
  return {.fingerprint = 0x0123456789abcdef, .dim = 30, .bits = 21, .stages = {}, .scale = scale, .block_rows = 4};
}

/// Writes the rows in calls of `batch` rows.
void write(const std::string& path, const CodeHeader& header, const Content& c, std::size_t batch) {
  CodeWriter writer(path, header);
  for (std::size_t begin = 0; begin < c.codes.rows(); begin += batch) {
    const std::size_t rows = std::min(batch, c.codes.rows() - begin);
    writer.write(c.codes.view().row_range(begin, rows),
                 c.scales.empty() ? std::span<const float>{} : std::span(c.scales).subspan(begin, rows));
  }
  writer.commit();
}

Content read_all_blocks(const std::string& path) {
  CodeReader reader(path);
  Content out{Matrix<std::uint8_t>(reader.header().count, code_bytes(reader.header().bits)), {}};
  std::size_t done = 0;
  for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
    std::ranges::copy(block.codes.values(), out.codes.row(done).data());
    out.scales.insert(out.scales.end(), block.scales.begin(), block.scales.end());
    done += block.rows;
  }
  EXPECT_EQ(done, reader.header().count);
  EXPECT_EQ(reader.read_block().rows, 0U);
  return out;
}

class CodeFile : public CodecFiles {
 protected:
  /// The bytes of a file of 10 vectors in blocks of 4.
  std::vector<std::byte> small_file() const {
    write(path("small.sfc"), small_header(), content(10, small_header()), 10);
    return read_file(path("small.sfc"), 1 << 20);
  }
  void expect_damaged(std::span<const std::byte> bytes, const std::string& text, std::size_t where = 0) const {
    write_quickly(path("damaged.sfc"), bytes);
    try {
      read_all_blocks(path("damaged.sfc"));
      ADD_FAILURE() << "read without complaint: change at " << where;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), ::testing::HasSubstr(text));
    }
  }
};

TEST_F(CodeFile, ComesBackTheSameAndDoesNotDependOnBatches) {
  for (const ScaleKind scale : {ScaleKind::none, ScaleKind::f16, ScaleKind::f32}) {
    for (const std::size_t rows : {0, 1, 4, 5, 13}) {
      const CodeHeader header = small_header(scale);
      const Content c = content(rows, header);
      write(path("a.sfc"), header, c, 1);
      write(path("b.sfc"), header, c, 7);
      EXPECT_EQ(read_file(path("a.sfc"), 1 << 20), read_file(path("b.sfc"), 1 << 20));
      const Content back = read_all_blocks(path("a.sfc"));
      EXPECT_TRUE(std::ranges::equal(back.codes.values(), c.codes.values()));
      EXPECT_EQ(back.scales, c.scales);
      const CodeHeader read = CodeReader(path("a.sfc")).header();
      EXPECT_EQ(read.fingerprint, header.fingerprint);
      EXPECT_EQ(read.count, rows);
      EXPECT_EQ(read.dim, 30U);
      EXPECT_EQ(read.bits, 21U);
      EXPECT_EQ(read.scale, scale);
      EXPECT_EQ(read.block_rows, 4U);
    }
  }
}

/// A stream that is a file, read as if it could not seek.
CodeReader stream_reader(const std::string& path) { return CodeReader(std::make_unique<PipeInput>(path)); }

TEST_F(CodeFile, AStreamHasTheSameBytesAndGivesTheSameBlocks) {
  for (const std::size_t rows : {0, 4, 13}) {
    CodeHeader header = small_header();
    const Content c = content(rows, header);
    write(path("a.sfc"), header, c, 7);
    header.count = rows;
    {
      AtomicFile out(path("b.sfc"));
      CodeWriter writer(out, header);
      writer.write(c.codes, c.scales);
      writer.commit();
    }
    EXPECT_EQ(read_file(path("a.sfc"), 1 << 20), read_file(path("b.sfc"), 1 << 20));
    CodeReader reader = stream_reader(path("a.sfc"));
    std::size_t done = 0;
    for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
      for (std::size_t i = 0; i < block.rows; ++i, ++done) {
        EXPECT_TRUE(std::ranges::equal(block.codes.row(i), c.codes.row(done)));
        EXPECT_EQ(block.scales[i], c.scales[done]);
      }
    }
    EXPECT_EQ(done, rows);
    if (rows > 0) expect_error([&] { stream_reader(path("a.sfc")).seek(0); }, "cannot be searched");
  }
}

TEST_F(CodeFile, AStreamHoldsAsManyVectorsAsItSays) {
  CodeHeader header = small_header();
  header.count = 11;
  const Content c = content(10, header);
  AtomicFile out(path("a.sfc"));
  CodeWriter writer(out, header);
  writer.write(c.codes, c.scales);
  expect_error([&] { writer.commit(); }, "10 vectors written, 11 announced");
}

TEST_F(CodeFile, EveryVectorCanBeReadAlone) {
  for (const ScaleKind scale : {ScaleKind::none, ScaleKind::f16}) {
    const CodeHeader header = small_header(scale);
    const Content c = content(13, header);
    write(path("a.sfc"), header, c, 13);
    CodeReader reader(path("a.sfc"));
    for (std::size_t first = 0; first <= 13; ++first) {
      for (std::size_t count = 0; count <= 13 - first; ++count) {
        const CodeBlock rows = reader.read_rows(first, count);
        ASSERT_EQ(rows.rows, count);
        ASSERT_EQ(rows.scales.size(), scale == ScaleKind::none ? 0 : count);
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_TRUE(std::ranges::equal(rows.codes.row(i), c.codes.row(first + i)));
          if (scale != ScaleKind::none) {
            ASSERT_EQ(rows.scales[i], c.scales[first + i]);
          }
        }
      }
      reader.seek(first);  // and from there on, in the blocks of the file
      EXPECT_EQ(reader.read_block().rows, first == 13 ? 0 : std::min<std::size_t>(4 - first % 4, 13 - first));
    }
    expect_error([&] { reader.seek(14); }, "a.sfc has no vector 14: it has 13, counted from 0");
    expect_error([&] { reader.read_rows(10, 4); }, "a.sfc has no vectors 10 to 13: it has 13, counted from 0");
    expect_error([&] { reader.read_rows(5, UINT64_MAX); }, "it has 13");
  }
}

TEST_F(CodeFile, AVectorReadAloneHasItsChecksumsCompared) {
  std::vector<std::byte> bytes = small_file();
  const std::size_t block = 8 + 8 + 8 + 16 + 8;
  bytes[72 + block + 30] ^= std::byte{1};  // a code of block 1: vectors 4 to 7
  write_quickly(path("damaged.sfc"), bytes);
  CodeReader reader(path("damaged.sfc"));
  EXPECT_EQ(reader.read_rows(0, 4).rows, 4U);
  EXPECT_EQ(reader.read_rows(8, 2).rows, 2U);
  for (const std::uint64_t row : {4U, 7U}) {
    expect_error([&] { reader.read_rows(row, 1); }, "the checksum of plane 1 of block 1 is wrong");
  }
}

TEST_F(CodeFile, BlocksAreAboutAMegabyte) {
  for (const auto& [bits, rows] : {std::pair{8U, 4096U}, {784U, 4096U}, {65536U, 127U}, {1U << 27, 1U}}) {
    const CodeHeader header{.fingerprint = 1, .dim = 1000, .bits = bits, .stages = {}};
    CodeWriter(path("a.sfc"), header).commit();
    EXPECT_EQ(CodeReader(path("a.sfc")).header().block_rows, rows) << bits;
  }
}

TEST_F(CodeFile, EveryTruncationIsAnError) {
  const std::vector<std::byte> bytes = small_file();
  for (std::size_t size = 0; size < bytes.size(); ++size) expect_damaged(std::span(bytes).first(size), "", size);
  expect_damaged(std::span(bytes).first(bytes.size() - 1), "is truncated: it has");
  expect_damaged(std::span(bytes).first(60), "ends inside its header");
}

TEST_F(CodeFile, EveryFlippedByteIsAnError) {
  std::vector<std::byte> bytes = small_file();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned mask : {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U}) {
      bytes[i] ^= static_cast<std::byte>(mask);
      expect_damaged(bytes, "", i);
      bytes[i] ^= static_cast<std::byte>(mask);
    }
  }
}

TEST_F(CodeFile, SwappedBlocksAndMissingBlocksAreErrors) {
  const std::vector<std::byte> bytes = small_file();
  const std::size_t block = 8 + 8 + 8 + 16 + 8;  // of 4 vectors: 4 float16 scales, 4 codes of 3 bytes
  const auto first = bytes.begin() + 72;
  std::vector<std::byte> swapped = bytes;
  std::swap_ranges(swapped.begin() + 72, swapped.begin() + 72 + block, swapped.begin() + 72 + block);
  expect_damaged(swapped, "checksum of plane 0 of block 0");
  std::vector<std::byte> shorter(bytes.begin(), first);
  shorter.insert(shorter.end(), first + block, bytes.end());
  expect_damaged(shorter, "is truncated");
  std::vector<std::byte> longer = bytes;
  longer.insert(longer.begin() + 72, first, first + block);
  expect_damaged(longer, "bytes follow its end");
}

/// Changes the header and repairs its checksum: what a hostile writer could do.
std::vector<std::byte> with_header(std::vector<std::byte> bytes, std::size_t at, std::uint64_t value,
                                   std::size_t size) {
  std::memcpy(bytes.data() + at, &value, size);
  const std::uint64_t hash = hash64(std::span(bytes).first(64));
  std::memcpy(bytes.data() + 64, &hash, sizeof(hash));
  return bytes;
}

TEST_F(CodeFile, HeadersThatLieAreErrors) {
  const std::vector<std::byte> bytes = small_file();
  expect_damaged(with_header(bytes, 12, 2, 4), "of version 2; this program reads version 1");
  expect_damaged(with_header(bytes, 20, 3, 4), "an impossible length");
  expect_damaged(with_header(bytes, 32, 11, 8), "");
  expect_damaged(with_header(bytes, 32, UINT64_MAX, 8), "vectors are more than");
  expect_damaged(with_header(bytes, 32, std::uint64_t{1} << 40, 8), "is truncated");
  expect_damaged(with_header(bytes, 40, 0, 8), "is not between 1 and");
  expect_damaged(with_header(bytes, 48, 0, 4), "too large");
  expect_damaged(with_header(bytes, 48, UINT32_MAX, 4), "too large");
  expect_damaged(with_header(bytes, 52, 3, 2), "scale kind is 3");
  expect_damaged(with_header(bytes, 54, 2, 2), "kind of stages is 2");
  expect_damaged(with_header(bytes, 54, 1, 2), "bits are set behind code 3");  // of 21 bits
  expect_damaged(with_header(bytes, 56, 0, 8), "is not between 1 and");
  expect_damaged(with_header(bytes, 56, UINT64_MAX, 8), "is not between 1 and");
  expect_damaged(bytes_of("SIGNFOLDM\r\n\x1a"), "damaged.sfc is not a Signfold code file: it is a Signfold model");
}

TEST_F(CodeFile, OnlyStagedCodesHaveStages) {
  CodeHeader header = small_header();
  header.stages = {10, 11};
  expect_error([&] { CodeWriter(path("a.sfc"), header); }, "2 stages, but not of a staged code");
  header.staged = true;
  EXPECT_EQ(bits_per_vector(header), 21U + 16U);
  const Content c = content(10, header);
  write(path("a.sfc"), header, c, 3);
  const CodeBlock all = CodeReader(path("a.sfc")).read_rows(0, 10);
  EXPECT_TRUE(std::ranges::equal(all.codes.values(), c.codes.values()));
  EXPECT_EQ(bits_per_vector(small_header()), 24U + 16U);
}

TEST_F(CodeFile, BitsBehindACodeAreErrors) {
  std::vector<std::byte> bytes = small_file();
  constexpr std::size_t kCodes = 72 + 8 + 8 + 8;  // header, rows of the block, four scales and their checksum
  bytes[kCodes + 2] |= std::byte{0x80};           // the last of 24 bits, of which a code has 21
  const std::uint64_t checksum = hash64(std::span(bytes).subspan(kCodes, 16), 1);
  std::memcpy(bytes.data() + kCodes + 16, &checksum, sizeof(checksum));
  expect_damaged(bytes, "bits are set behind code 0 of block 0");
}

TEST_F(CodeFile, NothingIsLeftWithoutCommit) {
  {
    CodeWriter writer(path("a.sfc"), small_header());
    const Content c = content(10, small_header());
    writer.write(c.codes, c.scales);
  }
  EXPECT_TRUE(empty());
}

TEST_F(CodeFile, OnlyScalesThatCanBeStoredAreWritten) {
  const Matrix<std::uint8_t> codes(1, 3);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, -1.0F, 70000.0F, std::numeric_limits<float>::infinity()}) {
    CodeWriter writer(path("a.sfc"), small_header());
    expect_error([&] { writer.write(codes, std::span(&bad, 1)); }, "cannot be stored as f16");
  }
  CodeWriter writer(path("a.sfc"), small_header());
  EXPECT_THROW(writer.write(codes, {}), Error);
  EXPECT_THROW(writer.write(Matrix<std::uint8_t>(1, 2), std::vector<float>{1}), Error);
}

}  // namespace
}  // namespace signfold
