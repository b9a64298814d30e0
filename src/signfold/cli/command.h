// What a command is: a name, a line of help, and a function that declares its options and returns its action.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "signfold/base/ranks.h"

namespace CLI {
class App;
}

namespace signfold::cli {

/// Options that every command has; declared once, in cli.cc.
struct Common {
  int threads = 0;  ///< 0 = all cores
  bool json = false;
  Ranks* ranks = nullptr;  ///< of mpirun, for commands that share their work
};

/// What a command has to say, for programs and for people. cli.cc prints one of the two.
struct Report {
  nlohmann::ordered_json json;
  std::string text;  ///< complete lines
  /// On standard error instead, because standard output carries data.
  bool to_stderr = false;
  /// What went wrong although there is a report: one line on standard error after it, and the exit code of an error.
  std::string failure = {};
};

/// Does the work with the options that were parsed.
using Action = std::function<Report()>;

struct Command {
  const char* name;
  const char* summary;
  /// Adds the options of the command to `app`. `common` outlives the action and is filled when the action runs.
  Action (*declare)(CLI::App& app, const Common& common);
  /// Whether ranks of mpirun do it together. Otherwise each does it by itself, as without mpirun.
  bool shared = false;
};

/// All commands, in the order of the help text.
std::span<const Command> commands();
/// The command of that name, or nullptr.
const Command* find_command(const std::string& name);
/// The help text of `signfold` or of one command.
std::string help();
std::string help(const Command& command);
/// docs/cli.md: every help text, from the program itself.
std::string help_markdown();

/// The end of a help text: titled lists, then the example.
struct HelpSection {
  const char* title;
  std::string lines;
};
std::string help_footer(const std::vector<HelpSection>& sections, const char* example);

}  // namespace signfold::cli
