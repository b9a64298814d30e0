// The IDX format of MNIST: two zero bytes, a type, the number of axes, their sizes (big-endian), the numbers.
#pragma once

#include <memory>

#include "signfold/source/probe.h"

namespace signfold {

/// The first axis counts the vectors; a file of labels (one axis) holds vectors of one coordinate.
bool is_idx(Probe& probe);
std::unique_ptr<Source> open_idx(std::unique_ptr<ByteStream> stream);

}  // namespace signfold
