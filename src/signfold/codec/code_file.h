// The `.sfc` format of docs/formats.md: codes and scales in checksummed blocks, written and read as a stream.
#pragma once

#include <cstdint>
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
  std::uint64_t bits = 0;
  ScaleKind scale = ScaleKind::f16;
  std::uint32_t block_rows = 0;  ///< vectors per block (the last may have fewer); 0 = CodeWriter chooses about 1 MB
};

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
  CodeWriter(const std::string& path, const CodeHeader& header);
  /// k rows: codes is k × code_bytes(bits), scales k numbers (none for ScaleKind::none). A float16 scale is rounded to
  /// nearest. Throws Error for shapes that do not match and scales that are negative or not finite in the file.
  void write(MatrixView<const std::uint8_t> codes, std::span<const float> scales);
  void commit();

 private:
  void flush();

  AtomicFile file_;
  CodeHeader header_;
  std::vector<std::byte> scales_;  ///< of the block being filled
  std::vector<std::byte> codes_;
  std::uint32_t rows_ = 0;
  std::uint64_t blocks_ = 0;
};

/// Reads blocks, checking every checksum and length. Throws Error for anything damaged; the length of the whole file
/// is checked on opening.
class CodeReader {
 public:
  explicit CodeReader(const std::string& path);
  const CodeHeader& header() const { return header_; }
  /// The next block, or rows = 0 at the end. Block boundaries are those of the file.
  CodeBlock read_block();
  const std::string& path() const { return file_.path(); }

 private:
  std::vector<std::byte> read_plane(std::uint64_t size, unsigned plane);

  InputFile file_;
  CodeHeader header_;
  std::uint64_t block_ = 0;
};

}  // namespace signfold
