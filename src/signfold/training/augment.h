// Training vectors that data could have held as well: images mirrored and shifted.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "signfold/training/batches.h"

namespace signfold {

/// Of images H × W or planes × H × W. Plain data.
struct Augmentation {
  bool mirror = false;    ///< left and right change places in every second vector
  std::size_t shift = 0;  ///< up to so many places in both directions; what stood at the edge is repeated

  bool none() const { return !mirror && shift == 0; }
  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};
/// "none", "mirror", "shift:K" or "mirror,shift:K"; throws Error otherwise.
Augmentation parse_augmentation(const std::string& text);
std::string to_string(const Augmentation& augmentation);

/// Rows of data in a ShuffledOrder, each visit changed in its own way (Purpose::augment, index = visit). `rows` (kept
/// by the caller) are (image − mean)/unit, and so is what comes out: `mean` are the d numbers mean/unit. Throws Error
/// when there are no rows, and when the shape of an item is not that of an image.
std::unique_ptr<Batches> augmented_batches(MatrixView<const float> rows, const std::vector<std::size_t>& item_shape,
                                           std::vector<float> mean, const Augmentation& augmentation,
                                           std::uint64_t seed);

}  // namespace signfold
