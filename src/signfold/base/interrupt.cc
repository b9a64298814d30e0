#include "signfold/base/interrupt.h"

#include <atomic>

#include "signfold/base/error.h"

namespace signfold {
namespace {
std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "must be safe in a signal handler");
}  // namespace

void request_interrupt() noexcept { requested.store(true, std::memory_order_relaxed); }
void clear_interrupt() noexcept { requested.store(false, std::memory_order_relaxed); }
void throw_if_interrupted() {
  if (requested.load(std::memory_order_relaxed)) throw Error(ErrorKind::interrupted, "interrupted");
}

}  // namespace signfold
