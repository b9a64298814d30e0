#include "signfold/base/team.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/parallel.h"

namespace signfold {
namespace {

using Body = std::function<void(std::size_t, std::size_t)>;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// Returns once `value` is no longer `old`: spins for a few microseconds, because the next loop usually starts within
/// them and waking a sleeping thread takes longer than a short loop.
template <class T>
void wait_while(const std::atomic<T>& value, T old) {
  constexpr int kSpins = 2000;
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

/// What waiting threads look at lies in cache lines of its own: a line that one thread reads again and again is slow to
/// write for the others.
struct Team::Shared {
  static constexpr std::size_t kLine = 64;
  alignas(kLine) std::atomic<std::uint64_t> generation{0};  ///< counts the loops; helpers wait for it to change
  alignas(kLine) std::atomic<int> busy{0};                  ///< helpers still in the current loop
  alignas(kLine) std::atomic<std::size_t> next{0};          ///< block that nobody has taken yet
  alignas(kLine) std::atomic<bool> leaving{false};
  std::size_t count = 0;
  std::size_t grain = 1;
  std::size_t blocks = 0;
  const Body* body = nullptr;
  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::jthread> helpers;

  void work() {
    try {
      for (std::size_t b = next++; b < blocks; b = next++) (*body)(b * grain, std::min(count, (b + 1) * grain));
    } catch (...) {
      next = blocks;
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  void help() {
    for (std::uint64_t seen = 0;;) {
      wait_while(generation, seen);
      seen = generation.load(std::memory_order_acquire);
      if (leaving) return;
      work();
      if (--busy == 0) busy.notify_one();
    }
  }

  void start_loop() {
    generation.fetch_add(1, std::memory_order_release);
    generation.notify_all();
  }

  void dismiss() {
    leaving = true;
    start_loop();
    helpers.clear();
  }
};

Team::Team(int threads) : shared_(std::make_unique<Shared>()) {
  if (threads <= 0) threads = default_threads();
  try {
    for (int i = 1; i < threads; ++i) shared_->helpers.emplace_back([shared = shared_.get()] { shared->help(); });
  } catch (const std::system_error& error) {
    const std::size_t started = shared_->helpers.size() + 1;
    shared_->dismiss();
    fail("only {} of {} threads could be started ({}); ask for fewer", started, threads, error.what());
  }
}

Team::~Team() { shared_->dismiss(); }

int Team::threads() const { return static_cast<int>(shared_->helpers.size()) + 1; }

void Team::run(std::size_t count, std::size_t grain, const Body& body) {
  if (grain == 0) fail("Team::run: grain must be at least 1");
  Shared& shared = *shared_;
  shared.count = count;
  shared.grain = grain;
  shared.blocks = count / grain + (count % grain != 0);
  shared.body = &body;
  shared.error = nullptr;
  shared.next = 0;
  if (shared.blocks > 1 && !shared.helpers.empty()) {
    shared.busy = static_cast<int>(shared.helpers.size());
    shared.start_loop();
    shared.work();
    for (int busy = shared.busy; busy != 0; busy = shared.busy) wait_while(shared.busy, busy);
  } else {
    shared.work();
  }
  if (shared.error) std::rethrow_exception(shared.error);
}

}  // namespace signfold
