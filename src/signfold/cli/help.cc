// The help texts, and docs/cli.md made from them.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "signfold/cli/command.h"
#include "signfold/cli/text.h"

namespace signfold::cli {
namespace {
constexpr const char* kSummary =
    "Signfold keeps one bit per coordinate of a vector and gives the vector back, with a predicted error.";

constexpr const char* kQuickStart =
    "Start here:\n"
    "  signfold demo\n"
    "  signfold predict --prior sparse-gaussian:0.1 --rate 1\n"
    "  signfold fit train.npy --rate 1 --basis auto --out m.sfm\n"
    "  signfold encode m.sfm test.npy --out test.sfc\n"
    "  signfold decode test.sfc --model m.sfm --out back.npy\n";

constexpr const char* kExitCodes =
    "Every command takes --json (one JSON object on standard output and nothing else there) and --threads N.\n"
    "Exit codes: 0 done, 2 an error (one line on standard error, no output file), 130 interrupted by a signal\n"
    "(another one, half a second later or more, kills).\n";

/// The lines with two spaces before the first one, and the others as far from it as they were.
std::string indent(const std::string& lines) {
  std::string text;
  std::istringstream in(lines);
  const std::size_t common = lines.find_first_not_of(' ');
  for (std::string line; std::getline(in, line);)
    text += line.empty() ? "\n" : "  " + line.substr(std::min(common, line.find_first_not_of(' '))) + "\n";
  return text;
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of('\n'));
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}
}  // namespace

std::string help() {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Command& command : commands()) lines.emplace_back(command.name, command.summary);
  return fmt::format(
      "{}\n\nUsage: signfold COMMAND [OPTIONS]\n\nCommands:\n{}\n{}\n{}"
      "Help on one command: signfold COMMAND --help. Version: signfold --version.\n",
      kSummary, indent(facts(lines)), kQuickStart, kExitCodes);
}

std::string help_footer(const std::vector<HelpSection>& sections, const char* example) {
  std::string text;
  for (const HelpSection& section : sections) text += fmt::format("{}:\n{}\n", section.title, indent(section.lines));
  return text + fmt::format("Example:\n{}", indent(example));
}

std::string help_markdown() {
  std::string text = fmt::format(
      "# The command line\n\n<!-- Written by `signfold help-markdown`; dev/check verifies that it is fresh. -->\n\n"
      "```text\n{}\n```\n",
      trimmed(help()));
  for (const Command& command : commands()) {
    text += fmt::format("\n## {}\n\n```text\n{}\n```\n", command.name, trimmed(help(command)));
  }
  return text;
}

}  // namespace signfold::cli
