// A polite way to stop: a signal handler or a host language sets a flag, long loops look at it between blocks.
#pragma once

namespace signfold {

/// Asks every running Signfold loop to stop with Error{interrupted}. Safe to call from a signal handler.
void request_interrupt() noexcept;
/// Forgets an earlier request.
void clear_interrupt() noexcept;
/// Throws Error{interrupted} when a stop was requested. Called by loops once per block of work.
void throw_if_interrupted();

}  // namespace signfold
