#include "signfold/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "signfold/base/error.h"

namespace signfold {
namespace {
const char* reason() { return std::strerror(errno); }  // NOLINT(concurrency-mt-unsafe): glibc's is thread-safe

constexpr const char* kMark = ".signfold-";  // between the final name and six letters of mkostemps
constexpr const char* kSuffix = ".tmp";
constexpr std::size_t kLetters = 6;
constexpr std::size_t kReadBuffer = std::size_t{1} << 17;  // rows of a few kB: half the time of asking for each

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Makes the rename itself durable; file systems that cannot sync a directory are left alone.
void sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}
/// Replacing a device or a pipe by a regular file is never what was meant.
void check_target(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    fail_io("cannot write {}: it is {}", path, S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
  }
}

/// The open file still is what stands under that name.
bool is_named(int fd, const std::string& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(fd, &open) == 0 && ::lstat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino && S_ISREG(open.st_mode);
}

/// Removes a temporary file unless its writer lives: it would hold the lock.
void remove_if_orphan(const std::string& temporary) {
  const int fd = ::open(temporary.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return;
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, temporary)) ::unlink(temporary.c_str());
  ::close(fd);
}

/// What killed writers of the same path have left.
void remove_orphans(const std::string& path) {
  const std::string start = name_of(path) + kMark;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory_of(path), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.size() == start.size() + kLetters + std::strlen(kSuffix) && name.starts_with(start) &&
        name.ends_with(kSuffix)) {
      remove_if_orphan(entry->path());
    }
  }
}

/// False when another process that looks for orphans has this file in its hands, and will remove it.
bool lock(int fd, const std::string& temporary) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return is_named(fd, temporary);
  return errno != EWOULDBLOCK;  // no locks here: then nobody can lock it to remove it either
}

/// Closes and removes a temporary file.
void discard(std::FILE*& file, const std::string& temporary) {
  ::unlink(temporary.c_str());  // before the lock ends
  std::fclose(std::exchange(file, nullptr));
}

/// A new locked file beside `path`; sets its name.
int open_temporary(const std::string& path, std::string& temporary) {
  for (;;) {
    temporary = path + kMark + std::string(kLetters, 'X') + kSuffix;
    const int fd = ::mkostemps(temporary.data(), static_cast<int>(std::strlen(kSuffix)), O_CLOEXEC);
    if (fd < 0) fail_io("cannot write {}: {}", path, reason());
    if (lock(fd, temporary)) return fd;
    ::close(fd);
  }
}
}  // namespace

AtomicFile::AtomicFile(std::string path) : Output(std::move(path)) {
  check_target(this->path());
  remove_orphans(this->path());
  const int fd = open_temporary(this->path(), temporary_);
  const mode_t mask = ::umask(0);  // mkostemps makes 0600; users expect what their umask says
  ::umask(mask);
  ::fchmod(fd, 0666 & ~mask);
  file_ = ::fdopen(fd, "wb");
  if (file_ == nullptr) {
    ::close(fd);
    ::unlink(temporary_.c_str());
    fail_io("cannot write {}: {}", this->path(), reason());
  }
}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) discard(file_, temporary_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;  // its data() may be null, which fwrite must not see
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    fail_io("cannot write {}: {}", path(), reason());
  }
  size_ += bytes.size();
}

void AtomicFile::rewrite(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset + bytes.size() > size_) fail_io("cannot rewrite {}: past its end", path());
  if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0 ||
      std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || ::fseeko(file_, 0, SEEK_END) != 0) {
    fail_io("cannot write {}: {}", path(), reason());
  }
}

void AtomicFile::commit() {
  // Renamed while it is open, so that its lock lasts as long as its temporary name.
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0 ||
      std::rename(temporary_.c_str(), path().c_str()) != 0) {
    const int saved = errno;
    discard(file_, temporary_);
    errno = saved;
    fail_io("cannot write {}: {}", path(), reason());
  }
  std::fclose(std::exchange(file_, nullptr));  // nothing is left to write: fsync has reported what could go wrong
  sync_directory(directory_of(path()));
}

void Input::read_exactly(std::span<std::byte> bytes, const char* what) {
  if (read(bytes) != bytes.size()) fail("{} is truncated: it ends inside {}", path(), what);
}

std::vector<std::byte> Input::read_bytes(std::uint64_t size, const char* what) {
  constexpr std::uint64_t kStep = std::uint64_t{1} << 22;
  std::vector<std::byte> bytes;
  while (bytes.size() < size) {
    const std::size_t begin = bytes.size();
    // All at once once half of it has come: at most twice the memory of what is really there.
    bytes.resize(begin >= size / 2 ? size : std::min(size, std::max<std::uint64_t>(kStep, 2 * begin)));
    read_exactly(std::span(bytes).subspan(begin), what);
  }
  return bytes;
}

InputFile::InputFile(std::string path) : Input(std::move(path)) {
  file_ = std::fopen(this->path().c_str(), "rbe");
  if (file_ == nullptr) fail_io("cannot read {}: {}", this->path(), reason());
  struct stat info {};
  if (::fstat(::fileno(file_), &info) != 0 || !S_ISREG(info.st_mode)) {
    const bool directory = S_ISDIR(info.st_mode);
    std::fclose(file_);
    file_ = nullptr;
    fail_io("cannot read {}: {}", this->path(), directory ? "it is a directory" : "it is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
  std::setvbuf(file_, nullptr, _IOFBF, kReadBuffer);
}

InputFile::~InputFile() {
  if (file_ != nullptr) std::fclose(file_);
}

std::size_t InputFile::read(std::span<std::byte> bytes) {
  if (bytes.empty()) return 0;
  const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file_);
  if (got != bytes.size() && std::ferror(file_) != 0) fail_io("cannot read {}: {}", path(), reason());
  return got;
}

void InputFile::seek(std::uint64_t offset) {
  if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0) fail_io("cannot read {}: {}", path(), reason());
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
