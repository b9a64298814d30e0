#include "signfold/base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"

namespace signfold {

int default_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void parallel_for(std::size_t count, std::size_t grain, int threads,
                  const std::function<void(std::size_t, std::size_t)>& body) {
  if (grain == 0) fail("parallel_for: grain must be at least 1");
  if (threads <= 0) threads = default_threads();
  const std::size_t blocks = count / grain + (count % grain != 0);
  const std::size_t workers = std::min<std::size_t>(blocks, static_cast<std::size_t>(threads));

  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&] {
    try {
      for (std::size_t b = next++; b < blocks; b = next++) {
        throw_if_interrupted();
        body(b * grain, std::min(count, (b + 1) * grain));
      }
    } catch (...) {
      next = blocks;
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  };

  if (workers <= 1) {
    work();
  } else {
    const SingleThreadedBlas single;
    std::vector<std::jthread> pool;
    try {
      for (std::size_t i = 1; i < workers; ++i) pool.emplace_back(work);
    } catch (const std::system_error&) {  // the system refuses a thread: those there are do the same work
    }
    work();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace signfold
