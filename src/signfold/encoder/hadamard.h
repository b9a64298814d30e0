// The fast rotation: random signs and Hadamard transforms, any d and n, O(N log N) with N = max(n, d).
#pragma once

#include "signfold/encoder/encoder.h"

namespace signfold {

/// Exactly orthonormal; the same bits on every machine. docs/math.md, "The fast rotation".
EncoderPtr make_hadamard(EncoderShape shape, std::uint64_t seed);

}  // namespace signfold
