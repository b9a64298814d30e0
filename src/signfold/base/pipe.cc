#include "signfold/base/pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"

namespace signfold {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 16;
constexpr int kPatience = 100;  // milliseconds between two looks whether the user wants to stop

/// Until the descriptor is ready. A signal that comes just before the call is seen at the next look.
void wait_for(int descriptor, short event) {
  for (;;) {
    throw_if_interrupted();
    pollfd entry{descriptor, event, 0};
    if (::poll(&entry, 1, kPatience) > 0) return;
  }
}

/// Tried again after a signal, and where the descriptor does not block.
bool passing() { return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK; }

bool is_pipe(int descriptor) {
  struct stat info {};
  return ::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode);
}

/// That what open() has just refused is a named pipe which nobody reads.
bool lacks_reader(const std::string& path) {
  struct stat info {};
  return errno == ENXIO && ::stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
}

/// The system would wait for a reader without seeing that the user wants to stop.
int open_for_writing(const std::string& path) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor >= 0) return descriptor;
    if (!lacks_reader(path)) fail_system(errno, "cannot write {}", path);
    throw_if_interrupted();
    ::poll(nullptr, 0, kPatience);
  }
}

}  // namespace

// Opened without waiting for a writer: read() does that, and sees that the user wants to stop.
PipeInput::PipeInput(const std::string& path)
    : Input(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), owned_(true) {
  if (descriptor_ < 0) fail_system(errno, "cannot read {}", path);
}

PipeInput::~PipeInput() {
  if (owned_) ::close(descriptor_);
}

std::size_t PipeInput::read(std::span<std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    wait_for(descriptor_, POLLIN);
    const ssize_t got = ::read(descriptor_, bytes.data() + done, bytes.size() - done);
    if (got == 0) break;
    if (got < 0 && !passing()) fail_system(errno, "cannot read {}", path());
    done += static_cast<std::size_t>(std::max<ssize_t>(0, got));
  }
  return done;
}

PipeOutput::PipeOutput(int descriptor, std::string name)
    : Output(std::move(name)), descriptor_(descriptor), most_(is_pipe(descriptor) ? PIPE_BUF : kBuffer) {
  buffer_.reserve(kBuffer);
}

PipeOutput::PipeOutput(const std::string& path) : PipeOutput(open_for_writing(path), path) { owned_ = true; }

PipeOutput::~PipeOutput() {
  if (owned_) ::close(descriptor_);
}

void PipeOutput::write(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  if (buffer_.size() + bytes.size() <= kBuffer) {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return;
  }
  send(buffer_);
  buffer_.clear();
  if (bytes.size() < kBuffer) {
    buffer_.assign(bytes.begin(), bytes.end());
  } else {
    send(bytes);
  }
}

void PipeOutput::send(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    wait_for(descriptor_, POLLOUT);
    const ssize_t sent = ::write(descriptor_, bytes.data(), std::min(bytes.size(), most_));
    if (sent < 0 && errno == EPIPE) fail_io("cannot write {}: its reader is gone", path());
    if (sent < 0 && !passing()) fail_system(errno, "cannot write {}", path());
    bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(0, sent)));
  }
}

void PipeOutput::commit() {
  send(buffer_);
  buffer_.clear();
  if (!is_pipe(descriptor_) && ::fsync(descriptor_) != 0) fail_system(errno, "cannot write {}", path());
}

}  // namespace signfold
