#include "signfold/base/memory.h"

#include <algorithm>
#include <fstream>

#include "signfold/base/error.h"

namespace signfold {
namespace {

constexpr std::uint64_t kUnknown = UINT64_MAX;
constexpr double kGigabyte = 1e9;

/// The number after `key` in a file of "key number" lines, or the first number of the file for an empty key.
std::uint64_t read_number(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t value = 0;
  if (key.empty()) return file >> value ? value : kUnknown;
  while (file >> word) {
    if (word == key) return file >> value ? value : kUnknown;
  }
  return kUnknown;
}

std::uint64_t left_in_control_group() {
  const std::uint64_t limit = read_number("/sys/fs/cgroup/memory.max", "");
  const std::uint64_t used = read_number("/sys/fs/cgroup/memory.current", "");
  const std::uint64_t cache = read_number("/sys/fs/cgroup/memory.stat", "inactive_file");
  if (limit == kUnknown || used == kUnknown) return kUnknown;
  const std::uint64_t needed = used - std::min(used, cache == kUnknown ? 0 : cache);
  return limit - std::min(limit, needed);
}

}  // namespace

std::uint64_t available_memory() {
  const std::uint64_t kilobytes = read_number("/proc/meminfo", "MemAvailable:");
  return std::min(kilobytes == kUnknown ? kUnknown : kilobytes * 1024, left_in_control_group());
}

void require_memory(double bytes, const std::string& what, const std::string& remedy) {
  const std::uint64_t available = available_memory();
  if (bytes <= static_cast<double>(available)) return;
  fail("{} needs {:.1f} GB of memory and {:.1f} GB are available; {}", what, bytes / kGigabyte,
       static_cast<double>(available) / kGigabyte, remedy);
}

}  // namespace signfold
