#include "signfold/cli/cli.h"

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <thread>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/base/suggest.h"
#include "signfold/cli/commands.h"

namespace signfold::cli {
namespace {
constexpr int kError = 2;
constexpr int kInterrupted = 130;

constexpr std::array kCommands = {
    Command{"predict", "Predict the error of every decoder for a prior, without any data", declare_predict},
    Command{"simulate", "Measure it on synthetic vectors, beside the prediction", declare_simulate},
    Command{"phase", "Compare rotation, identity and mixed encoders over a family of priors", declare_phase},
    Command{"fit", "Learn a model from vectors", declare_fit},
    Command{"train", "Learn the encoder too, by gradient descent, on a prior or on vectors", declare_train, true},
    Command{"encode", "Turn vectors into one bit per coordinate", declare_encode},
    Command{"decode", "Turn bits back into vectors", declare_decode},
    Command{"truncate", "Drop the last stages of a staged code file", declare_truncate},
    Command{"eval", "Measure the error of a model on vectors", declare_eval},
    Command{"info", "Say what a model, a code file or a file of vectors holds", declare_info},
    Command{"verify", "Check every byte of models, code files and files of vectors", declare_verify},
    Command{"reproduce", "Run the experiments of the paper and write a report with a verdict per claim",
            declare_reproduce, true},
    Command{"demo", "Show the main job on synthetic vectors and on Fashion-MNIST", declare_demo},
};

constexpr int kMaxThreads = 4096;

/// A parser for one command, with the options of all.
class Parser {
 public:
  explicit Parser(const Command& command)
      : app_(command.summary, fmt::format("signfold {}", command.name)), action_(command.declare(app_, common_)) {
    app_.get_formatter()->column_width(34);
    app_.set_help_flag("-h,--help", "Print this help");
    app_.add_option("--threads", common_.threads, "Threads to use; 0 = all cores")
        ->type_name("N")
        ->check(CLI::Range(0, kMaxThreads));
    app_.add_flag("--json", common_.json, "Print one JSON object instead of text");
  }
  Parser(const Parser&) = delete;  // the action points into this object
  Parser& operator=(const Parser&) = delete;

  std::string help() { return app_.help(); }

  /// Throws Error, also for what CLI11 rejects. Returns false when help was asked for.
  bool parse(std::vector<std::string> args) {
    std::reverse(args.begin(), args.end());  // CLI11 pops from the end
    try {
      app_.parse(args);
    } catch (const CLI::CallForHelp&) {
      return false;
    } catch (const CLI::ParseError& error) {
      // A mistyped option often makes a required one missing too: name the cause.
      if (!app_.remaining().empty()) fail("{}", unexpected(app_.remaining().front()));
      fail("{}; see {} --help", error.what(), app_.get_name());
    }
    return true;
  }

  Report act(Job* job) {
    common_.ranks = job;
    if (job != nullptr && common_.threads == 0) common_.threads = job->threads();
    const BlasThreads blas(common_.threads);
    return action_();
  }
  bool json() const { return common_.json; }

 private:
  std::string unexpected(const std::string& argument) const {
    const std::string word = argument.substr(0, argument.find('='));
    if (word.size() < 2 || word[0] != '-') {
      return fmt::format("unexpected argument '{}'; see {} --help", argument, app_.get_name());
    }
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    const std::string hint = did_you_mean(word, names);
    return fmt::format("unknown option '{}'{}", word,
                       hint.empty() ? fmt::format("; see {} --help", app_.get_name()) : hint);
  }

  Common common_;
  CLI::App app_;
  Action action_;
};

/// JSON has no NaN or infinity; a command that produced one has a bug, and says so instead of printing null.
void check_finite(const nlohmann::ordered_json& value, const std::string& path) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) fail("internal error: {} is not finite", path);
  if (!value.is_structured()) return;
  for (const auto& [key, child] : value.items()) check_finite(child, path + "/" + key);
}

const Command& command_named(const std::string& name) {
  if (const Command* command = find_command(name)) return *command;
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  const std::string hint = did_you_mean(name, names);
  fail("unknown {} '{}'{}", name.starts_with("-") ? "option" : "command", name,
       hint.empty() ? "; see signfold --help" : hint);
}

/// One line without control characters, whatever a file name or a library put in.
void complain(const std::string& who, std::string message) {
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  std::fputs(fmt::format("{}: {}\n", who, message).c_str(), stderr);  // not fmt::print: it throws if stderr is closed
}

/// Writes to standard output. A reader that went away is no error; a full disk is. On standard error the report is a
/// message beside the data, which are complete without it.
void print(const Report& report) {
  std::FILE* const out = report.to_stderr ? stderr : stdout;
  const std::string& text = report.text;
  if (std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0) return;
  if (report.to_stderr) return;
  if (errno != EPIPE) fail_system(errno, "cannot write to standard output");
}

/// When the first signal came, by the monotonic clock in milliseconds; 0 = none yet.
std::atomic<std::int64_t> first_signal{0};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "a signal handler may use nothing that locks");

/// The first signal asks for an end, a second one kills. One that follows within half a second is the same wish told
/// twice, as `timeout` does, which signals the process and then its group: it must not cut off the tidying up.
extern "C" void on_signal(int signal) {
  constexpr std::int64_t kSameWish = 500;
  const int saved = errno;
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t now = std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000 + 1;  // 0 is taken
  std::int64_t first = 0;
  if (first_signal.compare_exchange_strong(first, now)) {
    request_interrupt();
  } else if (now - first >= kSameWish) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);  // takes effect when this handler returns
  }
  errno = saved;
}

/// The first rank stops for all of them: the others would leave it waiting.
void handle_signals(const Job* job) {
  if (!speaks(job)) {
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
    return;
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}
}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(const std::string& name) {
  for (const Command& command : kCommands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

std::string help(const Command& command) { return Parser(command).help(); }

Report execute(const std::vector<std::string>& args, Job* job) {
  const auto says = [](std::string text) { return Report{.json = {}, .text = std::move(text)}; };
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || (args[0] == "help" && args.size() == 1)) {
    return says(help());
  }
  if (args[0] == "--version") return says("signfold " SIGNFOLD_VERSION "\n");
  if (args[0] == "help") return says(help(command_named(args[1])));
  if (args[0] == "help-markdown") return says(help_markdown());

  Parser parser(command_named(args[0]));
  if (!parser.parse({args.begin() + 1, args.end()})) return says(parser.help());
  Report report = parser.act(job);
  if (!parser.json()) return report;
  check_finite(report.json, "");
  report.text = report.json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return report;
}

namespace {
/// How a run ended.
struct Ending {
  int code = 0;
  std::string complaint = {};  ///< empty = well
};

Ending attempt(const std::vector<std::string>& args, const Command* command, Join join, std::unique_ptr<Job>& job) {
  try {
    if (command != nullptr && command->shared) job = join();
    handle_signals(job.get());
    const Report report = execute(args, job.get());
    if (!speaks(job.get())) return {};
    print(report);
    return {report.failure.empty() ? 0 : kError, report.failure};
  } catch (const Error& error) {
    return {error.kind() == ErrorKind::interrupted ? kInterrupted : kError, error.what()};
  } catch (const std::bad_alloc&) {
    return {kError, "not enough memory"};
  } catch (const std::exception& error) {
    return {kError, fmt::format("internal error: {}", error.what())};
  }
}
}  // namespace

int run(int argc, char** argv, Join join) {
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  const Command* command = args.empty() ? nullptr : find_command(args[0]);
  std::string who = command == nullptr ? "signfold" : "signfold " + args[0];
  std::unique_ptr<Job> job;
  const Ending ending = attempt(args, command, join, job);
  if (ending.complaint.empty()) return ending.code;
  if (!speaks(job.get())) {
    // What goes wrong everywhere is told once, by the first rank, which then ends this one.
    std::signal(SIGTERM, SIG_DFL);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    who += fmt::format(": rank {}", job->rank());
  }
  complain(who, ending.complaint);
  if (several(job.get())) job->abort(ending.code);
  return ending.code;
}

}  // namespace signfold::cli
