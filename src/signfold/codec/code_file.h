// The `.sfc` format of docs/formats.md: codes and scales in checksummed blocks, written and read as a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signfold/base/file.h"
#include "signfold/codec/model.h"

namespace signfold {

/// The fixed part of a code file.
struct CodeHeader {
  std::uint64_t fingerprint = 0;
  std::uint64_t count = 0;  ///< vectors in the file; filled in by CodeWriter
  std::uint64_t dim = 0;
  std::uint64_t bits = 0;           ///< of all stages
  std::vector<std::size_t> stages;  ///< bits of each stage, which add up to `bits`; empty = one stage
  bool staged = false;  ///< whether of a staged code: vectors follow each other bit by bit, not at whole bytes
  ScaleKind scale = ScaleKind::f16;
  std::uint32_t block_rows = 0;  ///< vectors per block (the last may have fewer); 0 = CodeWriter chooses about 1 MB
};

/// The stages of a header: never empty.
std::vector<std::size_t> stages_of(const CodeHeader& header);
/// Every bit that is stored of one vector.
std::size_t bits_per_vector(const CodeHeader& header);

/// A block of codes: packed bits (rows × code_bytes) and stored scales (relative to the model's unit; empty for none).
struct CodeBlock {
  std::size_t rows = 0;
  Matrix<std::uint8_t> codes;
  std::vector<float> scales;
};

/// Appends codes; the file appears only on commit(). Blocks are cut by the writer: the bytes of the file do not depend
/// on how many rows come with each call.
class CodeWriter {
 public:
  CodeWriter(const std::string& path, CodeHeader header);
  /// To an output that the caller keeps, such as a pipe: the header goes first, so its count must be the number of
  /// vectors that will come; commit() throws Error for any other. The bytes are those of the other constructor.
  CodeWriter(Output& out, CodeHeader header);
  /// k rows: codes is k × code_bytes(bits), scales k numbers (none for ScaleKind::none). A float16 scale is rounded to
  /// nearest. Throws Error for shapes that do not match and scales that are negative or not finite in the file.
  void write(MatrixView<const std::uint8_t> codes, std::span<const float> scales);
  void commit();

 private:
  void start();
  void flush();

  std::unique_ptr<AtomicFile> file_;  ///< null when the caller keeps the output
  Output& out_;
  CodeHeader header_;
  std::uint64_t written_ = 0;                     ///< vectors in blocks that are complete
  std::vector<std::byte> scales_;                 ///< of the block being filled
  std::vector<std::vector<std::uint8_t>> codes_;  ///< one plane for each stage
  std::uint32_t rows_ = 0;
  std::uint64_t blocks_ = 0;
};

/// Reads blocks, checking every checksum and length. Throws Error for anything damaged: the length of a file is checked
/// on opening, the end of a stream by the read_block() that returns its last block.
class CodeReader {
 public:
  explicit CodeReader(const std::string& path);
  /// A stream that cannot seek.
  explicit CodeReader(std::unique_ptr<Input> stream);
  const CodeHeader& header() const { return header_; }
  /// From now on only the first `stages` stages: header() and blocks are those of a file that has no others, which are
  /// passed over unread (from a stream: read and forgotten). To be called before the first block. Throws Error unless
  /// there are so many.
  void keep_stages(std::size_t stages);
  /// The next block, or rows = 0 at the end. Block boundaries are those of the file.
  CodeBlock read_block();
  /// Makes vector `row` (at most the count) the next one: read_block() gives it and what follows it in its block. One
  /// seek; the checksums of the block are compared as always. Throws Error for a stream, and for rows beyond the end.
  void seek(std::uint64_t row);
  /// Vectors [first, first + count), as seek() and read_block() give them. Throws Error where there are not so many.
  CodeBlock read_rows(std::uint64_t first, std::uint64_t count);
  const std::string& path() const { return input_->path(); }

 private:
  void read_header();
  void check_trailer();
  std::vector<std::byte> read_plane(std::uint64_t size, unsigned plane);
  void read_stages(MatrixView<std::uint8_t> codes);
  void go_to_block(std::uint64_t block);
  CodeBlock read_whole_block();

  std::unique_ptr<Input> input_;
  InputFile* file_ = nullptr;  ///< the input, if it can seek
  CodeHeader stored_;          ///< what the file says
  CodeHeader header_;          ///< what is given of it
  std::uint64_t block_ = 0;
  std::uint64_t skip_ = 0;  ///< vectors of the next block that seek() passed over
};

}  // namespace signfold
