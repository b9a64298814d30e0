// The report: one HTML file that needs nothing else.
#pragma once

#include <string>

#include "signfold/experiment/reproduce.h"

namespace signfold::experiment {

/// Verdicts on top, then every figure with what the paper says, what was found and the settings. No scripts, no
/// fonts, no links to other files; readable on a phone and in print.
std::string to_html(const ReproduceRequest& request, const ReproduceOutcome& outcome);

}  // namespace signfold::experiment
