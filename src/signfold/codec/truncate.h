// Fewer stages of a staged code file: the same vectors at a lower rate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "signfold/base/progress.h"
#include "signfold/codec/code_file.h"

namespace signfold {

/// Writes the first `stages` stages of a code file to `path`, which may be the file itself: it is replaced when the new
/// one is complete. The bytes are those that a writer of these stages alone would choose. Returns the number of
/// vectors. Throws Error unless the file has so many stages.
std::uint64_t truncate_codes(const std::string& codes, std::size_t stages, const std::string& path,
                             const Progress& progress);

}  // namespace signfold
