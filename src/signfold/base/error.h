// The one error type of Signfold: what happened, where, and what to do about it, in one line.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace signfold {

/// What went wrong, for callers that map errors to their own types (exit codes, Python exceptions).
enum class ErrorKind {
  invalid,      ///< an argument or the content of a file is wrong
  io,           ///< the system refused to read or write
  interrupted,  ///< the user asked to stop (see base/interrupt.h)
};

/// Thrown by every Signfold function that cannot do what was asked. `what()` is one line without a final period.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, int system_code = 0)
      : std::runtime_error(message), kind_(kind), system_code_(system_code) {}
  ErrorKind kind() const { return kind_; }
  /// The errno with which the system refused, e.g. ENOENT; 0 = none.
  int system_code() const { return system_code_; }

 private:
  ErrorKind kind_;
  int system_code_;
};

/// Throws an Error of kind `invalid` with a formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::invalid, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an Error of kind `io` with a formatted message.
template <class... Args>
[[noreturn]] void fail_io(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::io, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an Error of kind `io` with a formatted message and, after a colon, what the system's error code (an errno)
/// means.
template <class... Args>
[[noreturn]] void fail_system(int code, fmt::format_string<Args...> format, Args&&... args) {
  const std::string what = fmt::format(format, std::forward<Args>(args)...);
  throw Error(ErrorKind::io, what + ": " + std::generic_category().message(code), code);
}

}  // namespace signfold
