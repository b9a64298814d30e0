// Which encoders travel as numbers: every dense matrix that cannot be made again from its name, shape and seed.
#pragma once

#include <span>

#include "signfold/encoder/dense.h"

namespace signfold {

/// The n × d numbers to store for an encoder, row by row; empty when make_encoder(name, shape, seed) gives it back.
inline std::span<const float> stored_matrix(const Encoder& encoder) {
  if (encoder.name() == "haar") return {};
  const MatrixView<const float> matrix = dense_matrix(encoder);
  return {matrix.data, matrix.rows * matrix.cols};
}

}  // namespace signfold
