// Reading and writing files so that a half-written one is never mistaken for a whole one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace signfold {

/// A file being written under a temporary name beside its final one. commit() flushes, fsyncs and renames; destroyed
/// without commit(), it leaves nothing behind. Every failure is an Error{io} that names the path.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Overwrites bytes already written, for headers that hold a count known only at the end.
  void rewrite(std::uint64_t offset, std::span<const std::byte> bytes);
  void commit();
  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  std::string path_;
  std::string temporary_;
  std::FILE* file_ = nullptr;
  std::uint64_t size_ = 0;
};

/// A file open for reading. Every failure is an Error{io} that names the path.
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Reads up to bytes.size() bytes; returns how many (fewer only at the end of the file).
  std::size_t read(std::span<std::byte> bytes);
  /// Reads exactly bytes.size() bytes; fails with "PATH is truncated: …" naming `what` otherwise.
  void read_exactly(std::span<std::byte> bytes, const char* what);
  void seek(std::uint64_t offset);
  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::FILE* file_ = nullptr;
  std::uint64_t size_ = 0;
};

/// The whole file as bytes; fails when it is larger than `limit` bytes.
std::vector<std::byte> read_file(const std::string& path, std::uint64_t limit);
/// Writes a whole file atomically.
void write_file(const std::string& path, std::span<const std::byte> bytes);

}  // namespace signfold
