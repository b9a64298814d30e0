// How long work reports back. The library only calls the function; showing it is the caller's business.
#pragma once

#include <cstddef>
#include <functional>

namespace signfold {

/// Called now and then from the calling thread: `done` of `total` units are finished (total 0 = unknown).
using Progress = std::function<void(std::size_t done, std::size_t total)>;

}  // namespace signfold
