// How much memory a piece of work takes: operator new counts in the programs that this is linked into.
#pragma once

#include <cstddef>

namespace signfold::fuzz {

/// The most bytes that were alive at once since the last call of forget_peak(), beyond those alive then.
std::size_t peak_bytes();
void forget_peak();

}  // namespace signfold::fuzz
