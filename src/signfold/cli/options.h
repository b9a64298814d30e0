// Options that several commands share: how they are read and what they must satisfy.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace signfold::cli {

/// Throws Error unless the rate is a positive number, at most a million.
void check_rate(double rate);
/// A check for options that hold whole numbers (CLI11 would take "-1" for 2^64 - 1).
CLI::Validator at_least(std::uint64_t least);
/// --search R of the commands that encode; unset where it is not given: the rounds of the model.
void add_search(CLI::App& app, std::optional<std::size_t>& rounds);

}  // namespace signfold::cli
