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

  void show(std::size_t done, std::size_t total, const std::string& note = {}) {
    const Clock::time_point now = Clock::now();
    if (first_done_ == kNothing) {
      first_done_ = done;
      first_ = now;
    }
    if (shown_ && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    shown_ = true;
    const std::string amount = total == 0 ? fmt::format("{}", done)
                                          : fmt::format("{} of {} ({:.0f} %)", done, total,
                                                        100.0 * static_cast<double>(done) / static_cast<double>(total));
    const std::string line =
        fmt::format("{}{} {}{}", kErase, label_, amount, note.empty() ? "" : ", " + note + time_left(done, total, now));
    std::fputs(line.c_str(), stderr);  // not fmt::print, which throws where nobody can listen
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr const char* kErase = "\r\033[K";

  /// At the pace since the first call, which may have come late in the work.
  std::string time_left(std::size_t done, std::size_t total, Clock::time_point now) const {
    if (done <= first_done_ || total < done) return {};
    const double pace = std::chrono::duration<double>(now - first_).count() / static_cast<double>(done - first_done_);
    const double seconds = pace * static_cast<double>(total - done);
    return seconds < 120 ? fmt::format(", {:.0f} s left", seconds) : fmt::format(", {:.0f} min left", seconds / 60);
  }

  static constexpr std::size_t kNothing = static_cast<std::size_t>(-1);

  std::string label_;
  std::size_t first_done_ = kNothing;
  Clock::time_point first_{};
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

NotedProgress noted_progress_line(std::string label) {
  if (::isatty(STDERR_FILENO) == 0) return {};
  return [line = std::make_shared<Line>(std::move(label))](std::size_t done, std::size_t total,
                                                           const std::string& note) { line->show(done, total, note); };
}

}  // namespace signfold::cli
