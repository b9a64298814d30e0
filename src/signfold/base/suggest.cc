#include "signfold/base/suggest.h"

#include <algorithm>
#include <sstream>

#include "signfold/base/error.h"

namespace signfold {
namespace {
/// Edits from a to b, neighbours swapped counting as one (optimal string alignment).
std::size_t distance(const std::string& a, const std::string& b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> d((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return d[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        at(i, j) = i + j;
        continue;
      }
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return d.back();
}

constexpr std::size_t kMaxEdits = 2;
constexpr std::size_t kMaxLength = 64;  // longer words are not typing errors
}  // namespace

std::string suggest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.size() > kMaxLength) return best;
  std::size_t best_distance = std::min(kMaxEdits + 1, word.size());
  for (const std::string& candidate : candidates) {
    const std::size_t edits = distance(word, candidate);
    if (edits < best_distance) {
      best = candidate;
      best_distance = edits;
    }
  }
  return best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string name = suggest(word, candidates);
  return name.empty() ? "" : fmt::format("; did you mean '{}'?", name);
}

std::vector<std::string> names_in_help(const std::string& help) {
  std::vector<std::string> names;
  std::istringstream lines(help);
  const std::size_t indentation = help.find_first_not_of(' ');
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin != indentation) continue;  // empty, or it continues the line before
    names.push_back(line.substr(begin, line.find_first_of(": ", begin) - begin));
  }
  return names;
}

void check_spelling(const char* kind, const std::string& text, const std::string& help) {
  const std::string word = text.substr(0, text.find(':'));
  const std::vector<std::string> names = names_in_help(help);
  if (std::find(names.begin(), names.end(), word) != names.end()) return;
  const std::string name = suggest(word, names);
  if (!name.empty()) fail("unknown {} '{}'; did you mean '{}'?", kind, word, name);
}

}  // namespace signfold
