// Runs the built program, as a user would: arguments in; exit code, both outputs and memory out.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace signfold::testing {

struct Outcome {
  int code = -1;     ///< exit code; 128 + signal number when a signal ended the program
  std::string out;   ///< standard output
  std::string err;   ///< standard error
  long peak_kb = 0;  ///< largest resident memory

  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

/// A directory of its own for every test, removed at the end.
class Workplace {
 public:
  Workplace();
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  std::string path(const std::string& name) const { return (root_ / name).string(); }
  bool exists(const std::string& name) const { return std::filesystem::exists(root_ / name); }
  /// Names of all files, sorted: nothing may be left over.
  std::vector<std::string> files() const;
  std::string read(const std::string& name) const;
  std::string write(const std::string& name, const std::string& content) const;  ///< returns the path

  /// Runs the program to its end.
  Outcome run(const std::vector<std::string>& args) const;
  /// Starts it; finish() waits for the end.
  pid_t start(const std::vector<std::string>& args) const;
  /// Runs a script of sh in the directory, where "$SIGNFOLD" is the program: for pipes and limits.
  Outcome shell(const std::string& script) const;
  pid_t start_shell(const std::string& script) const;
  Outcome finish(pid_t process) const;

 private:
  pid_t spawn(const std::vector<std::string>& command, bool inside) const;

  std::filesystem::path root_;
  std::filesystem::path outputs_;
};

/// Waits until `done`, for two minutes at most; returns whether it is.
bool wait_until(const std::function<bool()>& done);
/// Waits until the program catches or ignores SIGTERM; before, it kills. For one that a script ends in by exec too.
void wait_for_signals(pid_t process);

/// The bytes of a .npy file (version 1.0) with the given descriptor, e.g. "<f4", and shape.
std::string npy_bytes(const std::string& descriptor, std::size_t rows, std::size_t cols, const std::string& data);
/// Its header alone.
std::string npy_header(const std::string& descriptor, std::size_t rows, std::size_t cols);
std::string npy_floats(std::size_t rows, std::size_t cols, std::span<const float> values);
/// Sparse vectors from a fixed recipe: about one in ten of the coordinates is not zero, with |x| between 1 and 4.
std::vector<float> sparse_values(std::size_t count);

}  // namespace signfold::testing
