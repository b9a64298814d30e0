#include "signfold/cli/cli.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/suggest.h"

namespace signfold::cli {
namespace {
constexpr int kError = 2;
constexpr int kInterrupted = 130;

constexpr std::array kCommands = {
    Command{"predict", "Predict the error of every decoder for a prior, without any data", declare_predict},
    Command{"simulate", "Measure it on synthetic vectors, beside the prediction", declare_simulate},
    Command{"phase", "Compare rotation, identity and mixed encoders over a family of priors", declare_phase},
    Command{"fit", "Learn a model from vectors", declare_fit},
    Command{"train", "Learn the encoder too, by gradient descent, on a prior or on vectors", declare_train},
    Command{"encode", "Turn vectors into one bit per coordinate", declare_encode},
    Command{"decode", "Turn bits back into vectors", declare_decode},
    Command{"eval", "Measure the error of a model on vectors", declare_eval},
    Command{"info", "Say what a model, a code file or a file of vectors holds", declare_info},
    Command{"reproduce", "Run the experiments of the paper and write a report with a verdict per claim",
            declare_reproduce},
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

  Report act() const {
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
  fmt::print(stderr, "{}: {}\n", who, message);
}

/// Writes to standard output. A reader that went away is no error; a full disk is.
void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  if (errno != EPIPE) fail_io("cannot write to standard output: {}", std::strerror(errno));  // NOLINT: one thread here
}

extern "C" void on_signal(int /*signal*/) { request_interrupt(); }

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;  // the second signal finds the default: it kills
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

std::string execute(const std::vector<std::string>& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || (args[0] == "help" && args.size() == 1)) return help();
  if (args[0] == "--version") return "signfold " SIGNFOLD_VERSION "\n";
  if (args[0] == "help") return help(command_named(args[1]));
  if (args[0] == "help-markdown") return help_markdown();

  Parser parser(command_named(args[0]));
  if (!parser.parse({args.begin() + 1, args.end()})) return parser.help();
  const Report report = parser.act();
  if (!parser.json()) return report.text;
  check_finite(report.json, "");
  return report.json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int run(int argc, char** argv) {
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  const bool known = !args.empty() && find_command(args[0]) != nullptr;
  const std::string who = known ? "signfold " + args[0] : "signfold";
  handle_signals();
  try {
    print(execute(args));
    return 0;
  } catch (const Error& error) {
    complain(who, error.what());
    return error.kind() == ErrorKind::interrupted ? kInterrupted : kError;
  } catch (const std::bad_alloc&) {
    complain(who, "not enough memory");
  } catch (const std::exception& error) {
    complain(who, fmt::format("internal error: {}", error.what()));
  }
  return kError;
}

}  // namespace signfold::cli
