// .fvecs and .bvecs: each vector is its dimension (little-endian int32), then that many float32 or uint8.
#pragma once

#include <memory>

#include "signfold/source/probe.h"

namespace signfold {

/// A plausible dimension, and the same one again where the second vector should begin, or one vector and no more.
bool is_fvecs(Probe& probe);
bool is_bvecs(Probe& probe);
/// Every vector must have the dimension of the first one.
std::unique_ptr<Source> open_fvecs(std::unique_ptr<ByteStream> stream);
std::unique_ptr<Source> open_bvecs(std::unique_ptr<ByteStream> stream);

}  // namespace signfold
