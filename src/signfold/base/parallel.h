// Parallel loops over independent blocks of work. Results never depend on the number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace signfold {

/// Threads to use when the caller says 0: the number of cores this process may run on.
int default_threads();

/// Calls body(begin, end) for consecutive blocks of at most `grain` indices that cover [0, count), on up to `threads`
/// threads (0 = default_threads()). Block boundaries depend only on count and grain. While the loop runs with more
/// than one thread, BLAS calls inside it are single-threaded. Looks for an interrupt before each block; the first
/// exception stops the loop and is rethrown.
void parallel_for(std::size_t count, std::size_t grain, int threads,
                  const std::function<void(std::size_t begin, std::size_t end)>& body);

}  // namespace signfold
