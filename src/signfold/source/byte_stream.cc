#include "signfold/source/byte_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/source/inflate.h"

namespace signfold {
namespace {

constexpr std::size_t kChunk = 1 << 18;
constexpr std::size_t kRemembered = 3 << 20;  // more than the longest header that is accepted, of a megabyte

/// A new file in the directory for temporary files, without a name there: it is gone when its last user is.
class TemporaryFile {
 public:
  TemporaryFile() : path_(std::filesystem::temp_directory_path() / "signfold.XXXXXX") {
    descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor_ >= 0) ::unlink(path_.c_str());
    if (descriptor_ >= 0) file_ = ::fdopen(descriptor_, "wb");
    if (file_ == nullptr) fail_system(errno, "cannot make a temporary file {}", path_);
  }
  ~TemporaryFile() { std::fclose(file_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::span<const std::byte> bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) give_up();
  }
  std::unique_ptr<InputFile> reopen() {
    if (std::fflush(file_) != 0) give_up();
    return std::make_unique<InputFile>(fmt::format("/proc/self/fd/{}", descriptor_));
  }

 private:
  [[noreturn]] void give_up() const { fail_system(errno, "cannot write the temporary file {}", path_); }
  std::string path_;
  int descriptor_ = -1;
  std::FILE* file_ = nullptr;
};

/// Writes what is left of the stream, up to `most` bytes; returns how many.
std::uint64_t copy_bytes(ByteStream& stream, std::uint64_t most, TemporaryFile& copy) {
  std::vector<std::byte> chunk(kChunk);
  std::uint64_t length = 0;
  while (length < most) {
    throw_if_interrupted();
    const std::size_t got = stream.read(std::span(chunk).first(std::min<std::uint64_t>(kChunk, most - length)));
    if (got == 0) break;
    copy.write({chunk.data(), got});
    length += got;
  }
  return length;
}

/// Decompressed when the first bytes say gzip.
std::unique_ptr<ByteStream> unwrap(std::unique_ptr<ByteStream> plain) {
  std::array<std::byte, 2> magic{};
  const bool gzip = plain->read(magic) == 2 && magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b};
  plain->rewind();
  if (!gzip) return plain;
  return std::make_unique<InflateStream>(std::move(plain), InflateStream::Format::gzip);
}

}  // namespace

void ByteStream::read_exactly(std::span<std::byte> bytes, const std::string& what) {
  if (read(bytes) != bytes.size()) fail("{} is truncated: it ends inside {}", path_, what);
}

void ByteStream::expect_end(const std::string& what) {
  std::byte extra{};
  if (read({&extra, 1}) != 0) fail("{} has bytes after {}: it is damaged, or not what it seems", path_, what);
}

FileStream::FileStream(std::string path, std::unique_ptr<InputFile> file, std::uint64_t begin, std::uint64_t length)
    : ByteStream(std::move(path)), file_(std::move(file)), begin_(begin), length_(length) {
  if (begin > file_->size() || length > file_->size() - begin) {
    fail("{} is truncated: {} bytes are expected from byte {} on, the file has {}", this->path(), length, begin,
         file_->size());
  }
  seek(0);
}

std::size_t FileStream::read(std::span<std::byte> bytes) {
  const std::size_t wanted = std::min<std::uint64_t>(bytes.size(), length_ - position_);
  const std::size_t got = file_->read(bytes.first(wanted));
  position_ += got;
  return got;
}

void FileStream::seek(std::uint64_t offset) {
  file_->seek(begin_ + offset);
  position_ = offset;
}

PipeStream::PipeStream(std::unique_ptr<Input> input) : ByteStream(input->path()), input_(std::move(input)) {}

std::size_t PipeStream::read(std::span<std::byte> bytes) {
  std::size_t done = 0;
  if (position_ < start_.size()) {
    done = std::min<std::uint64_t>(bytes.size(), start_.size() - position_);
    std::copy_n(start_.begin() + static_cast<std::ptrdiff_t>(position_), done, bytes.begin());
  }
  const std::span<std::byte> fresh = bytes.subspan(done);
  const std::size_t got = input_->read(fresh);
  position_ += done + got;
  if (remembers_ && position_ <= kRemembered) {
    start_.insert(start_.end(), fresh.begin(), fresh.begin() + static_cast<std::ptrdiff_t>(got));
  } else if (std::exchange(remembers_, false)) {
    start_ = {};
  }
  return done + got;
}

void PipeStream::rewind() {
  if (!remembers_) fail("{} can be read only once: save it to a file first", path());
  position_ = 0;
}

std::unique_ptr<FileStream> open_plain(const std::string& path) {
  auto file = std::make_unique<InputFile>(path);
  const std::uint64_t size = file->size();
  return std::make_unique<FileStream>(path, std::move(file), 0, size);
}

std::unique_ptr<ByteStream> open_bytes(const std::string& path) { return unwrap(open_plain(path)); }

std::unique_ptr<ByteStream> open_bytes(std::unique_ptr<Input> stream) {
  return unwrap(std::make_unique<PipeStream>(std::move(stream)));
}

std::unique_ptr<FileStream> make_seekable(std::unique_ptr<ByteStream> stream, std::uint64_t most,
                                          const std::string& what) {
  if (auto* file = dynamic_cast<FileStream*>(stream.get())) {
    stream.release();  // NOLINT(bugprone-unused-return-value): owned again in the next line
    return std::unique_ptr<FileStream>(file);
  }
  stream->rewind();
  TemporaryFile copy;
  const std::uint64_t length = copy_bytes(*stream, most, copy);
  stream->expect_end(what);
  return std::make_unique<FileStream>(stream->path(), copy.reopen(), 0, length);
}

std::uint64_t measure(ByteStream& stream) {
  stream.rewind();
  if (const auto known = stream.size()) return *known;
  std::vector<std::byte> chunk(kChunk);
  std::uint64_t total = 0;
  while (const std::size_t got = stream.read(chunk)) {
    throw_if_interrupted();
    total += got;
  }
  stream.rewind();
  return total;
}

}  // namespace signfold
