// The command line as a function: arguments in, text for standard output out.
#pragma once

#include <string>
#include <vector>

namespace signfold::cli {

/// Runs `signfold ARGS…` and returns what belongs on standard output. Throws Error with the one line that belongs on
/// standard error. Files are written as the command says; nothing is printed, except for a progress line on a terminal.
std::string execute(const std::vector<std::string>& args);

/// main(): execute() with signals, printing and exit codes. 0 = done; 2 = an error, told in one line on standard
/// error; 130 = stopped by SIGINT or SIGTERM (a second one kills).
int run(int argc, char** argv);

}  // namespace signfold::cli
