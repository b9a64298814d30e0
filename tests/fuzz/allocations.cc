#include "allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace signfold::fuzz {
namespace {
std::atomic<std::ptrdiff_t> live{0};
std::atomic<std::ptrdiff_t> peak{0};
std::atomic<std::ptrdiff_t> start{0};

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  const auto size = static_cast<std::ptrdiff_t>(::malloc_usable_size(memory));
  const std::ptrdiff_t now = live.fetch_add(size) + size;
  std::ptrdiff_t most = peak.load();
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
  return memory;
}

void release(void* memory) noexcept {
  if (memory != nullptr) live.fetch_sub(static_cast<std::ptrdiff_t>(::malloc_usable_size(memory)));
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): this is operator delete
}

void* aligned(std::size_t size, std::size_t alignment) {
  return counted(::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment));
}
}  // namespace

std::size_t peak_bytes() { return static_cast<std::size_t>(peak.load() - start.load()); }

void forget_peak() {
  start = live.load();
  peak = live.load();
}

}  // namespace signfold::fuzz

// NOLINTBEGIN: the replaceable operators, as the standard wants them
void* operator new(std::size_t size) { return signfold::fuzz::counted(std::malloc(size)); }
void* operator new[](std::size_t size) { return signfold::fuzz::counted(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t a) { return signfold::fuzz::aligned(size, std::size_t(a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return signfold::fuzz::aligned(size, std::size_t(a)); }
void operator delete(void* memory) noexcept { signfold::fuzz::release(memory); }
void operator delete[](void* memory) noexcept { signfold::fuzz::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { signfold::fuzz::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { signfold::fuzz::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { signfold::fuzz::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { signfold::fuzz::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { signfold::fuzz::release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { signfold::fuzz::release(memory); }
// NOLINTEND
