#include "signfold/cli/streams.h"

#include <unistd.h>

#include <filesystem>

#include "signfold/base/error.h"
#include "signfold/base/pipe.h"

namespace signfold::cli {
namespace {
constexpr const char* kStandard = "-";
constexpr const char* kInput = "standard input";
constexpr const char* kOutput = "standard output";
}  // namespace

bool is_stream(const std::string& path) {
  if (path == kStandard) return true;
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  return std::filesystem::is_fifo(status) || std::filesystem::is_character_file(status);
}

std::unique_ptr<Input> open_stream(const std::string& path) {
  if (path != kStandard) return std::make_unique<PipeInput>(path);
  if (::isatty(STDIN_FILENO) != 0) fail("{} is a terminal: send a file or a pipe there, or name a file", kInput);
  return std::make_unique<PipeInput>(STDIN_FILENO, kInput);
}

std::unique_ptr<Source> open_vectors(const std::string& path) {
  return is_stream(path) ? open_source(open_stream(path)) : open_source(path);
}

std::unique_ptr<Output> open_output(const std::string& path) {
  if (!is_stream(path)) return std::make_unique<AtomicFile>(path);
  if (path != kStandard) return std::make_unique<PipeOutput>(path);
  if (::isatty(STDOUT_FILENO) != 0) fail("{} is a terminal: send it to a file or a pipe, or name a file", kOutput);
  return std::make_unique<PipeOutput>(STDOUT_FILENO, kOutput);
}

std::string shown(const std::string& path) { return path == kStandard ? kOutput : path; }

}  // namespace signfold::cli
