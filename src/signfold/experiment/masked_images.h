// Whitened and masked CIFAR-10 images of one class, small enough to whiten from 4500 of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "signfold/base/matrix.h"
#include "signfold/training/batches.h"

namespace signfold::experiment {

/// 3 planes of 16 × 16.
constexpr std::size_t kMaskedDim = 768;

struct WhitenedImages {
  Matrix<float> train;  ///< k × 768
  Matrix<float> test;   ///< in the same coordinates
};
/// The images of a CIFAR-10 file: 2 × 2 pixels averaged (3072 coordinates cannot be whitened from 5000 images), every
/// tenth image held out, centred and whitened (ZCA) with the mean and covariance of the others, ε = 1e-4 of the mean
/// eigenvalue. Contrasts differ much and a sign forgets them, so every image is then scaled to ‖x‖² = d; three rounds
/// of both leave vectors that are white and equally long. Throws Error for a file that is not CIFAR-10.
WhitenedImages whitened_images(const std::string& path);

/// Rows of data in random order, every visit with a fresh mask. The caller keeps `rows`.
std::unique_ptr<Batches> masked_batches(MatrixView<const float> rows, double keep, std::uint64_t seed);

}  // namespace signfold::experiment
