#include "cli_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace signfold::testing {
namespace {
std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::filesystem::path new_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "signfold-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  return name;
}
}  // namespace

Workplace::Workplace() : root_(new_directory()), outputs_(new_directory()) {}

Workplace::~Workplace() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
  std::filesystem::remove_all(outputs_, ignored);
}

std::vector<std::string> Workplace::files() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(root_)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string Workplace::read(const std::string& name) const { return content(root_ / name); }

std::string Workplace::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(root_ / name, std::ios::binary) << bytes;
  return path(name);
}

pid_t Workplace::start(const std::vector<std::string>& args) const {
  std::vector<std::string> command = {SIGNFOLD_PROGRAM};
  command.insert(command.end(), args.begin(), args.end());
  return spawn(command, false);
}

pid_t Workplace::start_shell(const std::string& script) const {
  return spawn({"/bin/sh", "-c", "SIGNFOLD='" SIGNFOLD_PROGRAM "'; " + script}, true);
}

Outcome Workplace::shell(const std::string& script) const { return finish(start_shell(script)); }

pid_t Workplace::spawn(const std::vector<std::string>& command, bool inside) const {
  std::vector<std::string> copies = command;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& arg : copies) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const std::string out = outputs_ / "out";
  const std::string err = outputs_ / "err";

  const pid_t process = fork();
  if (process != 0) return process;
  dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
  if (inside && chdir(root_.c_str()) != 0) _exit(126);
  execv(argv[0], argv.data());
  _exit(127);
}

Outcome Workplace::finish(pid_t process) const {
  int status = 0;
  rusage usage{};
  if (wait4(process, &status, 0, &usage) != process) throw std::runtime_error("the program was not started");
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, content(outputs_ / "out"), content(outputs_ / "err"), usage.ru_maxrss};
}

Outcome Workplace::run(const std::vector<std::string>& args) const { return finish(start(args)); }

bool wait_until(const std::function<bool()>& done) {
  for (int i = 0; i < 12000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

void wait_for_signals(pid_t process) {
  constexpr unsigned long long kTerm = 1ULL << (SIGTERM - 1);
  const auto takes_them = [&] {
    std::istringstream status(content("/proc/" + std::to_string(process) + "/status"));
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigCgt:") && !line.starts_with("SigIgn:")) continue;
      if ((std::stoull(line.substr(line.find(':') + 1), nullptr, 16) & kTerm) != 0) return true;
    }
    return false;
  };
  if (!wait_until(takes_them)) throw std::runtime_error("the program takes no signals");
}

std::string npy_header(const std::string& descriptor, std::size_t rows, std::size_t cols) {
  std::string text = "{'descr': '" + descriptor + "', 'fortran_order': False, 'shape': (" + std::to_string(rows) +
                     ", " + std::to_string(cols) + "), }";
  constexpr std::size_t kStart = 10;
  constexpr std::size_t kAlignment = 64;
  text.append(kAlignment - (kStart + text.size() + 1) % kAlignment, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(length & 0xff);
  header += static_cast<char>(length >> 8);
  return header + text;
}

std::string npy_bytes(const std::string& descriptor, std::size_t rows, std::size_t cols, const std::string& data) {
  return npy_header(descriptor, rows, cols) + data;
}

std::string npy_floats(std::size_t rows, std::size_t cols, std::span<const float> values) {
  std::string data(values.size_bytes(), '\0');
  if (!values.empty()) std::memcpy(data.data(), values.data(), values.size_bytes());
  return npy_bytes("<f4", rows, cols, data);
}

std::vector<float> sparse_values(std::size_t count) {
  std::vector<float> values(count);
  std::uint32_t state = 12345;  // a linear congruential generator: enough for test data, the same everywhere
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    const std::uint32_t bits = state >> 8;
    if (bits % 10 != 0) continue;
    const float size = 1.0F + static_cast<float>(bits % 1000) * 0.003F;
    value = (bits >> 20) % 2 == 0 ? size : -size;
  }
  return values;
}

}  // namespace signfold::testing
