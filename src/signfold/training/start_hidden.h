// How hidden units of a decoder start.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signfold/base/matrix.h"

namespace signfold {

/// `in` (bits × H): hidden units that see random combinations of the bits, of unit variance (Purpose::start). With no
/// say in the output at first, training begins at the least-squares decoder. `stage`: of a staged code, from 0 on.
void start_hidden(std::uint64_t seed, std::size_t stage, Matrix<float>& in);

}  // namespace signfold
