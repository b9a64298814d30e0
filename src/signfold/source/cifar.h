// CIFAR-10, binary version: records of one label (0–9) and 3 × 32 × 32 pixels, no header.
#pragma once

#include <memory>

#include "signfold/source/probe.h"

namespace signfold {

/// A whole number of records, the first few labels at most 9.
bool is_cifar(Probe& probe);
/// Vectors of 3072 coordinates: red, green and blue plane. Labels are checked and dropped.
std::unique_ptr<Source> open_cifar(std::unique_ptr<ByteStream> stream);

}  // namespace signfold
