// Threads that stay ready between parallel loops much shorter than the start of a thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "signfold/base/linalg.h"

namespace signfold {

/// A calling thread and its helpers. While a team lives, BLAS stays on the thread that calls it. Not for use from two
/// threads at once. Helpers wait for the next loop by spinning for some microseconds, then asleep.
class Team {
 public:
  /// `threads` in all, the caller included; 0 = default_threads(). Throws Error when the system refuses to start them.
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const;
  /// Calls body(begin, end) for consecutive blocks of at most `grain` indices that cover [0, count); returns when all
  /// are done. Block boundaries depend only on count and grain. The first exception stops the loop and is rethrown.
  /// Unlike parallel_for it never looks for an interrupt: what it works on is never left half done.
  void run(std::size_t count, std::size_t grain, const std::function<void(std::size_t begin, std::size_t end)>& body);

 private:
  struct Shared;
  SingleThreadedBlas single_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace signfold
