#include "fuzz.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "signfold/base/error.h"

namespace signfold::fuzz {

std::string content_of(const std::string& path) {
  std::ifstream in(SIGNFOLD_SOURCE_DIR "/" + path, std::ios::binary);
  require(in.good(), "the first input is there");
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

std::string memory_file(std::span<const std::byte> content) {
  static const int descriptor = ::memfd_create("fuzz", MFD_CLOEXEC);
  const bool written = ::ftruncate(descriptor, 0) == 0 &&
                       ::pwrite(descriptor, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size());
  require(written, "the file in memory is written");
  return fmt::format("/proc/self/fd/{}", descriptor);
}

bool survives(const std::function<void()>& reader) {
  try {
    reader();
    return true;
  } catch (const Error& error) {
    require(std::string_view(error.what()).find('\0') == std::string_view::npos, "a message is text");
    return false;
  }
}

void require(bool holds, const char* property) {
  if (holds) return;
  fmt::print(stderr, "this does not hold: {}\n", property);
  std::abort();
}

}  // namespace signfold::fuzz
