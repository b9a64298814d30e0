// Where a number was measured: every comparison prints it beside its numbers.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <string>
#include <thread>

namespace signfold {

inline std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t start = line.find(": ");
    if (line.starts_with("model name") && start != std::string::npos) return line.substr(start + 2);
  }
  return "unknown CPU";
}

/// The processor's name and the number of cores.
inline std::string machine() { return fmt::format("{}, {} cores", cpu_name(), std::thread::hardware_concurrency()); }

}  // namespace signfold
