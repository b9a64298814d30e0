// The progress line on standard error.
#pragma once

#include <functional>
#include <string>

#include "signfold/base/progress.h"

namespace signfold::cli {

/// A line "LABEL 12000 of 60000 (20 %)" that rewrites itself a few times a second and is erased when the last copy of
/// the function goes away. Empty (nothing is shown) unless standard error is a terminal.
Progress progress_line(std::string label);

/// The same for work that is slow enough to say how it goes: "LABEL 300 of 8000 (4 %), NOTE, 25 s left".
using NotedProgress = std::function<void(std::size_t done, std::size_t total, const std::string& note)>;
NotedProgress noted_progress_line(std::string label);

}  // namespace signfold::cli
