#include "signfold/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "signfold/base/error.h"

namespace signfold {
namespace {
const char* reason() { return std::strerror(errno); }  // NOLINT(concurrency-mt-unsafe): glibc's is thread-safe

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Makes the rename itself durable; file systems that cannot sync a directory are left alone.
void sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}
}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  temporary_ = path_ + ".XXXXXX.tmp";
  const int fd = ::mkstemps(temporary_.data(), 4);
  if (fd < 0) fail_io("cannot write {}: {}", path_, reason());
  const mode_t mask = ::umask(0);  // mkstemps makes 0600; users expect what their umask says
  ::umask(mask);
  ::fchmod(fd, 0666 & ~mask);
  file_ = ::fdopen(fd, "wb");
  if (file_ == nullptr) {
    ::close(fd);
    ::unlink(temporary_.c_str());
    fail_io("cannot write {}: {}", path_, reason());
  }
}

AtomicFile::~AtomicFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;  // its data() may be null, which fwrite must not see
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    fail_io("cannot write {}: {}", path_, reason());
  }
  size_ += bytes.size();
}

void AtomicFile::rewrite(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset + bytes.size() > size_) fail_io("cannot rewrite {}: past its end", path_);
  if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0 ||
      std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || ::fseeko(file_, 0, SEEK_END) != 0) {
    fail_io("cannot write {}: {}", path_, reason());
  }
}

void AtomicFile::commit() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) fail_io("cannot write {}: {}", path_, reason());
  std::FILE* file = std::exchange(file_, nullptr);
  if (std::fclose(file) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int saved = errno;
    ::unlink(temporary_.c_str());
    errno = saved;
    fail_io("cannot write {}: {}", path_, reason());
  }
  sync_directory(directory_of(path_));
}

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  file_ = std::fopen(path_.c_str(), "rbe");
  if (file_ == nullptr) fail_io("cannot read {}: {}", path_, reason());
  struct stat info {};
  if (::fstat(::fileno(file_), &info) != 0 || !S_ISREG(info.st_mode)) {
    const bool directory = S_ISDIR(info.st_mode);
    std::fclose(file_);
    file_ = nullptr;
    fail_io("cannot read {}: {}", path_, directory ? "it is a directory" : "it is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
}

InputFile::~InputFile() {
  if (file_ != nullptr) std::fclose(file_);
}

std::size_t InputFile::read(std::span<std::byte> bytes) {
  if (bytes.empty()) return 0;
  const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file_);
  if (got != bytes.size() && std::ferror(file_) != 0) fail_io("cannot read {}: {}", path_, reason());
  return got;
}

void InputFile::read_exactly(std::span<std::byte> bytes, const char* what) {
  if (read(bytes) != bytes.size()) fail("{} is truncated: it ends inside {}", path_, what);
}

void InputFile::seek(std::uint64_t offset) {
  if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0) fail_io("cannot read {}: {}", path_, reason());
}

std::vector<std::byte> read_file(const std::string& path, std::uint64_t limit) {
  InputFile file(path);
  if (file.size() > limit) fail("{} has {} bytes; at most {} are allowed here", path, file.size(), limit);
  std::vector<std::byte> bytes(file.size());
  file.read_exactly(bytes, "its content");
  return bytes;
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace signfold
