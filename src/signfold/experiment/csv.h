// The numbers of a figure as a tidy table: one row per number, one column per setting.
#pragma once

#include <string>

#include "signfold/experiment/result.h"

namespace signfold::experiment {

/// Columns: every setting that occurs, in order of appearance (seed and version among them), then quantity, value,
/// stderr and prediction (empty where there is none). RFC 4180 quoting; numbers round-trip.
std::string to_csv(const Table& table);

}  // namespace signfold::experiment
