// Wall-clock time of a command.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace signfold::cli {

/// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  /// `count` per second so far; finite even when no time passed.
  double rate(std::uint64_t count) const { return static_cast<double>(count) / std::max(seconds(), 1e-9); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace signfold::cli
