#include "signfold/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "signfold/base/error.h"

namespace signfold {
namespace {
constexpr const char* kMark = ".signfold-";  // between the final name and six letters
constexpr const char* kSuffix = ".tmp";
constexpr std::size_t kLetters = 6;
constexpr int kMostLinks = 40;  // as many as Linux follows
constexpr mode_t kPermissions = 0777;
constexpr mode_t kNewFile = 0666;                          // what the umask takes from
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

std::filesystem::path real_folder(const std::string& path) {
  std::error_code ignored;  // of a folder that is not there: opening the file will tell
  return std::filesystem::canonical(directory_of(path), ignored);
}

/// Below /proc/N/fd are links that stand for what a process has open, whatever its name is by now.
bool is_open_file(const std::string& path) { return real_folder(path).string().starts_with("/proc/"); }

/// Where the links of a path lead, whether that is there or not; links of /proc are not followed.
std::string follow(const std::string& path) {
  std::filesystem::path target = path;
  std::error_code error;
  for (int links = 0; links < kMostLinks && !is_open_file(target); ++links) {
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(target, error))) break;
    target = target.parent_path() / std::filesystem::read_symlink(target, error);
  }
  return target;
}

/// What is to be replaced. Throws Error where the system would not follow a link: in folders that all may write, it
/// follows nobody's but one's own.
std::string target_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 && errno == EACCES) fail_system(errno, "cannot write {}", path);
  return follow(path);
}

[[noreturn]] void fail_irregular(const char* verb, const std::string& path, mode_t mode) {
  if (!S_ISDIR(mode)) fail_io("cannot {} {}: it is not a regular file", verb, path);
  throw Error(ErrorKind::io, fmt::format("cannot {} {}: it is a directory", verb, path), EISDIR);
}

/// Replacing a device, a pipe or a link by a regular file is never what was meant, and a new file in /dev is the name
/// of a device misspelled.
void check_target(const std::string& target, const std::string& path) {
  if (is_open_file(target)) {
    fail_io("cannot write {}: it leads through /proc to an open file; name that file itself", path);
  }
  struct stat info {};
  const bool there = ::lstat(target.c_str(), &info) == 0;
  if (there && S_ISLNK(info.st_mode)) fail_io("cannot write {}: its links lead in a circle", path);
  if (there && !S_ISREG(info.st_mode)) {
    fail_irregular("write", path, info.st_mode);
  }
  if (real_folder(target) == "/dev") fail_io("cannot write {}: it would be no device, but a file in /dev", path);
}

/// The file that will be replaced, if there is one.
std::optional<struct stat> replaced_by(const std::string& target) {
  struct stat info {};
  if (::stat(target.c_str(), &info) != 0) return std::nullopt;
  return info;
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

std::string random_letters() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::array<unsigned char, kLetters> bytes{};
  if (::getentropy(bytes.data(), bytes.size()) != 0) fail_system(errno, "the system gives no random numbers");
  std::string letters;
  for (const unsigned char byte : bytes) letters += kAlphabet[byte % kAlphabet.size()];
  return letters;
}

/// A new file under a name that nobody has. One that replaces another is its writer's alone until it is finished:
/// others may be fewer than may read this one by its group.
int create_temporary(const std::string& target, std::string& temporary) {
  const mode_t mode = replaced_by(target) ? S_IRUSR | S_IWUSR : kNewFile;
  for (;;) {
    temporary = target + kMark + random_letters() + kSuffix;
    const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
}

/// A new locked file beside `target`; sets its name.
int open_temporary(const std::string& target, const std::string& path, std::string& temporary) {
  for (;;) {
    const int fd = create_temporary(target, temporary);
    if (fd < 0 && target != path) fail_system(errno, "cannot write {}, a link to {}", path, target);
    if (fd < 0) fail_system(errno, "cannot write {}", path);
    if (lock(fd, temporary)) return fd;
    ::close(fd);
  }
}

/// Owner, group and permissions of the file that is replaced; the umask made those of a new one. Whom the system does
/// not let have it gets no permissions that were another's. A file system without any of this refuses, and loses
/// nothing.
void set_permissions(int fd, const std::string& target) {
  const std::optional<struct stat> old = replaced_by(target);
  if (!old) return;
  struct stat now {};
  const bool ours =
      ::fchown(fd, old->st_uid, old->st_gid) == 0 || ::fchown(fd, static_cast<uid_t>(-1), old->st_gid) == 0;
  const bool same_group = ours || (::fstat(fd, &now) == 0 && now.st_gid == old->st_gid);
  const mode_t mode = old->st_mode & kPermissions;
  static_cast<void>(::fchmod(fd, same_group ? mode : mode & ~mode_t{S_IRWXG}));
}

/// Renamed while it is open, so that its lock lasts as long as its temporary name. Until then its writer may write it,
/// as whoever removes what is left of it must.
bool finish(std::FILE* file, const std::string& temporary, const std::string& target) {
  if (std::fflush(file) != 0 || ::fsync(::fileno(file)) != 0) return false;
  set_permissions(::fileno(file), target);
  return std::rename(temporary.c_str(), target.c_str()) == 0;
}
}  // namespace

AtomicFile::AtomicFile(std::string path) : Output(std::move(path)), target_(target_of(this->path())) {
  check_target(target_, this->path());
  remove_orphans(target_);
  const int fd = open_temporary(target_, this->path(), temporary_);
  file_ = ::fdopen(fd, "wb");
  if (file_ == nullptr) {
    const int code = errno;
    ::unlink(temporary_.c_str());
    ::close(fd);
    fail_system(code, "cannot write {}", this->path());
  }
}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) discard(file_, temporary_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;  // its data() may be null, which fwrite must not see
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    fail_system(errno, "cannot write {}", path());
  }
  size_ += bytes.size();
}

void AtomicFile::rewrite(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset + bytes.size() > size_) fail_io("cannot rewrite {}: past its end", path());
  if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0 ||
      std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || ::fseeko(file_, 0, SEEK_END) != 0) {
    fail_system(errno, "cannot write {}", path());
  }
}

void AtomicFile::commit() {
  if (!finish(file_, temporary_, target_)) {
    const int code = errno;
    discard(file_, temporary_);
    fail_system(code, "cannot write {}", path());
  }
  std::fclose(std::exchange(file_, nullptr));  // nothing is left to write: fsync has reported what could go wrong
  sync_directory(directory_of(target_));
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
  // A named pipe would wait for its writer before it could be seen that it is none of ours.
  const int fd = ::open(this->path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail_system(errno, "cannot read {}", this->path());
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail_irregular("read", this->path(), info.st_mode);
  }
  file_ = ::fdopen(fd, "rb");
  if (file_ == nullptr) {
    ::close(fd);
    fail_io("cannot read {}: not enough memory", this->path());
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
  if (got != bytes.size() && std::ferror(file_) != 0) fail_system(errno, "cannot read {}", path());
  return got;
}

void InputFile::seek(std::uint64_t offset) {
  if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0) fail_system(errno, "cannot read {}", path());
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

bool same_file(const std::string& a, const std::string& b) {
  const auto place = [](const std::string& path) {
    std::error_code error;  // of paths that cannot be written either: they have no place
    return std::filesystem::weakly_canonical(std::filesystem::absolute(follow(path), error), error);
  };
  const std::filesystem::path first = place(a);
  return !first.empty() && first == place(b);
}

}  // namespace signfold
