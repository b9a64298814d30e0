// A file read from front to back, whatever wraps it: plain, gzip, or a member of a zip archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signfold/base/file.h"

namespace signfold {

/// Bytes in order. Every failure is an Error that names the path. Damage that only shows at the end (a checksum, a
/// missing trailer) is reported by the read that would have returned 0, or earlier.
class ByteStream {
 public:
  explicit ByteStream(std::string path) : path_(std::move(path)) {}
  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Fills `bytes`; returns how many (fewer only at the end).
  virtual std::size_t read(std::span<std::byte> bytes) = 0;
  /// Starts again at byte 0.
  virtual void rewind() = 0;
  /// The number of bytes, where that is known without reading them.
  virtual std::optional<std::uint64_t> size() const = 0;
  /// Never fewer than the number of bytes, where a bound is known without reading them: size(), or what compressed
  /// data can become at best. A header that promises more lies.
  virtual std::optional<std::uint64_t> at_most() const { return size(); }

  /// Fills `bytes`, or fails with "PATH is truncated: it ends inside WHAT".
  void read_exactly(std::span<std::byte> bytes, const std::string& what);
  /// Fails when there is anything left to read.
  void expect_end(const std::string& what);
  /// What messages call this stream.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// `length` bytes of a plain file, from `begin` on.
class FileStream final : public ByteStream {
 public:
  FileStream(std::string path, std::unique_ptr<InputFile> file, std::uint64_t begin, std::uint64_t length);
  std::size_t read(std::span<std::byte> bytes) override;
  void rewind() override { seek(0); }
  std::optional<std::uint64_t> size() const override { return length_; }
  void seek(std::uint64_t offset);

 private:
  std::unique_ptr<InputFile> file_;
  std::uint64_t begin_;
  std::uint64_t length_;
  std::uint64_t position_ = 0;
};

/// A stream that cannot seek. It remembers its first bytes, so that a format can be recognised and its header read
/// twice; rewind() after that is an Error.
class PipeStream final : public ByteStream {
 public:
  explicit PipeStream(std::unique_ptr<Input> input);
  std::size_t read(std::span<std::byte> bytes) override;
  void rewind() override;
  std::optional<std::uint64_t> size() const override { return {}; }

 private:
  std::unique_ptr<Input> input_;
  std::vector<std::byte> start_;  ///< all that was read, as long as it is little
  bool remembers_ = true;
  std::uint64_t position_ = 0;
};

/// A file as it is.
std::unique_ptr<FileStream> open_plain(const std::string& path);
/// A file, decompressed when its first bytes say gzip.
std::unique_ptr<ByteStream> open_bytes(const std::string& path);
/// The same for a stream that cannot seek.
std::unique_ptr<ByteStream> open_bytes(std::unique_ptr<Input> stream);
/// The same bytes with random access: the stream itself if it has it, else a copy in an unnamed temporary file. What is
/// copied are at most `most` bytes, up to the end of `what`: fails as expect_end does when more follow. Stops when
/// asked to (base/interrupt.h).
std::unique_ptr<FileStream> make_seekable(std::unique_ptr<ByteStream> stream, std::uint64_t most,
                                          const std::string& what);
/// size(), found by reading to the end where it is not known. Leaves the stream at byte 0. Stops when asked to.
std::uint64_t measure(ByteStream& stream);

}  // namespace signfold
