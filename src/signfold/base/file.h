// Reading and writing files so that a half-written one is never mistaken for a whole one. Pipes: base/pipe.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace signfold {

/// Bytes being written from front to back. Every failure is an Error{io} that names the path.
class Output {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {}
  virtual ~Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  virtual void write(std::span<const std::byte> bytes) = 0;
  /// Says that all is written; without it the result is not complete.
  virtual void commit() = 0;
  /// What messages call it.
  const std::string& path() const { return path_; }
  /// Bytes written so far.
  std::uint64_t size() const { return size_; }

 protected:
  std::uint64_t size_ = 0;

 private:
  std::string path_;
};

/// A file being written under a temporary name beside its final one, PATH.signfold-XXXXXX.tmp. commit() flushes, fsyncs
/// and renames; destroyed without commit(), it leaves nothing behind. A process that is killed leaves its temporary
/// file: the next AtomicFile for the same path removes it. (The writer holds a lock on it, which ends with the writer,
/// however it ends; a file system without locks keeps such files.) Of a link, what it leads to is written, whether that
/// is there or not. A file that is replaced keeps its permissions. Refuses to replace what is not a regular file, and
/// paths that lead through /proc to an open file, such as /dev/stdout: renaming would replace the link.
class AtomicFile final : public Output {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile() override;

  void write(std::span<const std::byte> bytes) override;
  /// Overwrites bytes already written, for headers that hold a count known only at the end.
  void rewrite(std::uint64_t offset, std::span<const std::byte> bytes);
  void commit() override;

 private:
  std::string target_;  ///< the path without links
  std::string temporary_;
  std::FILE* file_ = nullptr;
};

/// Bytes read from front to back. Every failure is an Error that names the path.
class Input {
 public:
  explicit Input(std::string path) : path_(std::move(path)) {}
  virtual ~Input() = default;
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// Reads up to bytes.size() bytes; returns how many (fewer only at the end).
  virtual std::size_t read(std::span<std::byte> bytes) = 0;
  /// Reads exactly bytes.size() bytes; fails with "PATH is truncated: …" naming `what` otherwise.
  void read_exactly(std::span<std::byte> bytes, const char* what);
  /// The next `size` bytes. Takes memory as they come, so that a header that lies about a stream costs nothing.
  std::vector<std::byte> read_bytes(std::uint64_t size, const char* what);
  /// What messages call it.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A regular file open for reading.
class InputFile final : public Input {
 public:
  explicit InputFile(std::string path);
  ~InputFile() override;

  std::size_t read(std::span<std::byte> bytes) override;
  void seek(std::uint64_t offset);
  std::uint64_t size() const { return size_; }

 private:
  std::FILE* file_ = nullptr;
  std::uint64_t size_ = 0;
};

/// The whole file as bytes; fails when it is larger than `limit` bytes.
std::vector<std::byte> read_file(const std::string& path, std::uint64_t limit);
/// Writes a whole file atomically.
void write_file(const std::string& path, std::span<const std::byte> bytes);
/// Whether an AtomicFile for one path would replace the other, however they are spelled; neither needs to be there.
bool same_file(const std::string& a, const std::string& b);

}  // namespace signfold
