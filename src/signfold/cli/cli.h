// The command line as a function: arguments in, text for standard output out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "signfold/base/ranks.h"
#include "signfold/cli/command.h"

namespace signfold::cli {

/// Runs `signfold ARGS…` and returns what is to be printed, as the text of a report: JSON where that was asked for.
/// Throws Error with the one line that belongs on standard error. Files, and data that go to standard output, are
/// written as the command says; nothing is printed, except for a progress line on a terminal.
/// Commands that share their work do this process's part of it; what they return is to be printed by rank 0 alone.
Report execute(const std::vector<std::string>& args, Job* job = nullptr);

/// How a process that shares its work finds the others: null when it is alone.
using Join = std::unique_ptr<Job> (*)();

/// main(): execute() with signals, printing and exit codes. 0 = done; 2 = an error, told in one line on standard
/// error; 130 = stopped by SIGINT or SIGTERM (another one, half a second later, kills). What goes wrong in one rank
/// ends all of them.
int run(int argc, char** argv, Join join);

}  // namespace signfold::cli
