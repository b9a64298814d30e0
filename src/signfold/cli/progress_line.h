// The progress line on standard error.
#pragma once

#include <string>

#include "signfold/base/progress.h"

namespace signfold::cli {

/// A line "LABEL 12000 of 60000 (20 %)" that rewrites itself a few times a second and is erased when the last copy of
/// the function goes away. Empty (nothing is shown) unless standard error is a terminal.
Progress progress_line(std::string label);

}  // namespace signfold::cli
