#include "signfold/base/allocate.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace signfold {
namespace {
constexpr std::size_t kLarge = std::size_t{1} << 22;
constexpr std::size_t kPage = 4096;
constexpr std::align_val_t kAlignment{kMatrixAlignment};
}  // namespace

void* allocate_numbers(std::size_t bytes) {
  void* const p = ::operator new[](bytes, kAlignment);
#ifdef MADV_HUGEPAGE
  if (bytes >= kLarge) {  // a wish: nothing depends on it
    const std::uintptr_t start = (reinterpret_cast<std::uintptr_t>(p) + kPage - 1) / kPage * kPage;
    const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(p) + bytes) / kPage * kPage;
    ::madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);  // NOLINT: whole pages of what we own
  }
#endif
  return p;
}

void free_numbers(void* p) noexcept { ::operator delete[](p, kAlignment); }

}  // namespace signfold
