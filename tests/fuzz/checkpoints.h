// Checkpoints to begin with, and the states they are read into.
#pragma once

#include "fuzz.h"
#include "repair.h"
#include "signfold/base/file.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/training/checkpoint.h"

namespace signfold::fuzz {

/// The content of the file that save_checkpoint() writes.
inline Bytes content_of(const Checkpoint& checkpoint) {
  const TemporaryFolder folder;
  const std::string path = folder.path("run.ckpt");
  save_checkpoint(checkpoint, path);
  return read_file(path, 1 << 20);
}

/// Training of a decoder of two layers and its matrix, before the first step.
inline UnrolledState unrolled_state(std::size_t bits, std::size_t dim) {
  UnrolledState state;
  state.decoder.layers.resize(2);
  state.decoder.matrix = Matrix<float>(bits, dim);
  state.scalars = Optimizer(OptimizerKind::adam, 1, unrolled_parameters(state.decoder).size());
  state.matrix = Optimizer(OptimizerKind::adam, bits, dim);
  state.best = state.decoder.clone();
  state.history = {{0, 1.0}};
  return state;
}

}  // namespace signfold::fuzz
