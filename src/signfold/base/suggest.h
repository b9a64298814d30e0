// "Did you mean …?" for mistyped names.
#pragma once

#include <string>
#include <vector>

namespace signfold {

/// The candidate nearest to `word`, if at most two edits (insert, delete, replace, swap of neighbours) away and nearer
/// than replacing the whole word; empty otherwise.
std::string suggest(const std::string& word, const std::vector<std::string>& candidates);

/// "; did you mean 'X'?" or nothing.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates);

/// Names that a help text lists: the first word, up to ':' or ' ', of every line indented like the first.
std::vector<std::string> names_in_help(const std::string& help);

/// Throws Error with a suggestion when `text` (up to ':') is a near miss of a name in `help`. Anything else is left to
/// the parser of that kind of name, which knows it all.
void check_spelling(const char* kind, const std::string& text, const std::string& help);

}  // namespace signfold
