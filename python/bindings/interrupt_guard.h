// Long calls from Python: the GIL is released, and Ctrl-C stops them.
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

namespace signfold::python {

/// While it lives on Python's main thread, SIGINT also asks the library to stop (request_interrupt), before Python's
/// own handler notes it. It does nothing on other threads, where Python does not handle signals, and where the host
/// ignores SIGINT or lets it end the process. Made and destroyed with the GIL held; may nest.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  bool active_ = false;
};

/// Does the work without the GIL. Error{interrupted} becomes KeyboardInterrupt on its way to Python (module.cc).
template <class Work>
auto long_call(Work&& work) {
  const InterruptGuard guard;
  const pybind11::gil_scoped_release release;
  return std::forward<Work>(work)();
}

}  // namespace signfold::python
