#include "interrupt_guard.h"

#include <csignal>

#include "signfold/base/interrupt.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

struct sigaction before {};  // what the first guard found
int guards = 0;              // alive on the main thread; only that thread touches it

extern "C" void on_interrupt(int signal, siginfo_t* info, void* context) {
  request_interrupt();
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else {
    before.sa_handler(signal);
  }
}

bool on_main_thread() {
  const py::object main = py::module_::import("threading").attr("main_thread")();
  return main.attr("ident").cast<unsigned long>() == PyThread_get_thread_ident();
}

/// Whether there is a handler to go before.
bool handled(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (!on_main_thread()) return;
  if (guards == 0) {
    if (sigaction(SIGINT, nullptr, &before) != 0 || !handled(before)) return;
    struct sigaction action {};
    action.sa_sigaction = on_interrupt;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
  }
  ++guards;
  active_ = true;
}

InterruptGuard::~InterruptGuard() {
  if (!active_ || --guards > 0) return;
  sigaction(SIGINT, &before, nullptr);
  clear_interrupt();
}

}  // namespace signfold::python
