#include "signfold/cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

namespace signfold::cli {
namespace {
class Line {
 public:
  explicit Line(std::string label) : label_(std::move(label)) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    if (shown_) std::fputs(kErase, stderr);
  }

  void show(std::size_t done, std::size_t total) {
    const Clock::time_point now = Clock::now();
    if (shown_ && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    shown_ = true;
    const std::string amount = total == 0 ? fmt::format("{}", done)
                                          : fmt::format("{} of {} ({:.0f} %)", done, total,
                                                        100.0 * static_cast<double>(done) / static_cast<double>(total));
    fmt::print(stderr, "{}{} {}", kErase, label_, amount);
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr const char* kErase = "\r\033[K";

  std::string label_;
  bool shown_ = false;
  Clock::time_point last_{};
};
}  // namespace

Progress progress_line(std::string label) {
  if (::isatty(STDERR_FILENO) == 0) return {};
  return [line = std::make_shared<Line>(std::move(label))](std::size_t done, std::size_t total) {
    line->show(done, total);
  };
}

}  // namespace signfold::cli
