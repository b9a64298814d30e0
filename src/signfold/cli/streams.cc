#include "signfold/cli/streams.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "signfold/base/error.h"
#include "signfold/base/pipe.h"
#include "signfold/codec/inputs.h"

namespace signfold::cli {
namespace {
constexpr const char* kInput = "standard input";
constexpr const char* kOutput = "standard output";
// By these paths a redirected file would be opened a second time: read from its start, or replaced.
constexpr std::array<std::string_view, 4> kInputNames = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"};
constexpr std::array<std::string_view, 4> kOutputNames = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};

bool is_standard_input(const std::string& path) { return std::ranges::find(kInputNames, path) != kInputNames.end(); }

bool is_pipe(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  return std::filesystem::is_fifo(status) || std::filesystem::is_character_file(status);
}

/// Whether two paths, of which one is that of a standard stream, lead to the same file by a redirection.
bool are_one_file(const std::string& a, const std::string& b) {
  std::error_code ignored;  // of what is not there
  return std::filesystem::is_regular_file(a, ignored) && std::filesystem::equivalent(a, b, ignored);
}
}  // namespace

bool is_standard_output(const std::string& path) { return std::ranges::find(kOutputNames, path) != kOutputNames.end(); }

bool is_input_stream(const std::string& path) { return is_standard_input(path) || is_pipe(path); }

bool is_output_stream(const std::string& path) { return is_standard_output(path) || is_pipe(path); }

void check_replaces_nothing(const std::string& out, const std::vector<std::string>& inputs) {
  if (!is_output_stream(out)) check_not_read("--out", out, inputs);
  const bool to_standard = is_standard_output(out);
  for (const std::string& input : inputs) {
    const bool from_standard = is_standard_input(input);
    if (!to_standard && !from_standard) continue;
    if (are_one_file(to_standard ? "/dev/stdout" : out, from_standard ? "/dev/stdin" : input)) {
      fail("{} would overwrite {}, which is read: name another file", to_standard ? kOutput : "--out " + out,
           from_standard ? kInput : input);
    }
  }
}

std::unique_ptr<Input> open_stream(const std::string& path) {
  if (!is_standard_input(path)) return std::make_unique<PipeInput>(path);
  if (::isatty(STDIN_FILENO) != 0) fail("{} is a terminal: send a file or a pipe there, or name a file", kInput);
  return std::make_unique<PipeInput>(STDIN_FILENO, kInput);
}

std::unique_ptr<Source> open_vectors(const std::string& path) {
  return is_input_stream(path) ? open_source(open_stream(path)) : open_source(path);
}

std::unique_ptr<Output> open_output(const std::string& path) {
  if (!is_output_stream(path)) return std::make_unique<AtomicFile>(path);
  if (!is_standard_output(path)) return std::make_unique<PipeOutput>(path);
  if (::isatty(STDOUT_FILENO) != 0) fail("{} is a terminal: send it to a file or a pipe, or name a file", kOutput);
  return std::make_unique<PipeOutput>(STDOUT_FILENO, kOutput);
}

std::string shown(const std::string& path) { return is_standard_output(path) ? kOutput : path; }

}  // namespace signfold::cli
