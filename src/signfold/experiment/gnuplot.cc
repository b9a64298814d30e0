// Plots through gnuplot as a child process.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <span>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/experiment/plot.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace signfold::experiment {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargest = std::uint64_t{1} << 28;

/// A directory that is removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "signfold-plot-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail_system(errno, "cannot create {}", name);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string read_text(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLargest);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Runs `gnuplot SCRIPT`; false when there is no such program.
bool run_gnuplot(const std::string& script, const std::string& messages) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, stream, messages.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  std::string program = "gnuplot";
  std::string argument = script;
  const std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return false;
  if (error != 0) fail_system(error, "cannot start gnuplot");
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail_system(errno, "cannot wait for gnuplot");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return false;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_io("gnuplot failed: {}", read_text(messages));
  return true;
}

struct Grid {
  std::size_t rows, cols;
};
Grid grid_for(std::size_t panels) {
  const std::size_t cols = panels <= 2 ? panels : panels == 4 ? 2 : 3;
  return {(panels + cols - 1) / cols, cols};
}

constexpr std::size_t kWidth = 460;  // of a panel, in points: narrow, so that text stays legible on a phone
constexpr std::size_t kHeight = 400;

std::string all_panels(const std::vector<Panel>& panels) {
  const Grid grid = grid_for(panels.size());
  std::string out = fmt::format("set multiplot layout {},{}\n", grid.rows, grid.cols);
  for (const Panel& panel : panels) out += gnuplot_commands(panel);
  return out + "unset multiplot\nunset output\n";
}

std::string script_for(const std::vector<Panel>& panels, const Scratch& scratch) {
  const Grid grid = grid_for(panels.size());
  const auto terminal = [](std::size_t width, std::size_t height) {
    return fmt::format("set terminal svg size {},{} dynamic noenhanced background '#ffffff' font 'Arial,14'\n", width,
                       height);
  };
  std::string out = "set encoding utf8\n" + terminal(kWidth, kHeight);
  for (std::size_t k = 0; k < panels.size(); ++k) {
    out += fmt::format("set output '{}'\n", scratch.path(fmt::format("panel{}.svg", k))) + gnuplot_commands(panels[k]) +
           "unset output\n";
  }
  out += terminal(grid.cols * kWidth, grid.rows * kHeight) + fmt::format("set output '{}'\n", scratch.path("all.svg")) +
         all_panels(panels);
  out += fmt::format(
             "set terminal pngcairo size {},{} noenhanced background '#ffffff' font 'DejaVu Sans,11' "
             "fontscale 1.8 linewidth 1.8 pointscale 2.5\nset output '{}'\n",
             grid.cols * kWidth * 2, grid.rows * kHeight * 2, scratch.path("all.png")) +
         all_panels(panels);
  return out;
}

}  // namespace

std::optional<Drawing> draw(const std::vector<Panel>& panels) {
  const Scratch scratch;
  const std::string script = script_for(panels, scratch);
  write_file(scratch.path("script"), std::as_bytes(std::span(script)));
  if (!run_gnuplot(scratch.path("script"), scratch.path("messages"))) return std::nullopt;
  Drawing drawing;
  for (std::size_t k = 0; k < panels.size(); ++k) {
    drawing.panels.push_back(read_text(scratch.path(fmt::format("panel{}.svg", k))));
  }
  drawing.svg = read_text(scratch.path("all.svg"));
  drawing.png = read_text(scratch.path("all.png"));
  return drawing;
}

}  // namespace signfold::experiment
