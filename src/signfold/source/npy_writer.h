// Writing .npy files (version 1.0, '<f4', C order), block by block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "signfold/base/file.h"
#include "signfold/base/matrix.h"

namespace signfold {

/// Writes rows of float32 to `path`, atomically: the file appears only on commit().
class NpyWriter {
 public:
  NpyWriter(const std::string& path, std::uint64_t rows, std::size_t dim);
  /// To an output that the caller keeps, such as a pipe.
  NpyWriter(Output& out, std::uint64_t rows, std::size_t dim);
  void write(MatrixView<const float> block);
  /// Throws Error unless exactly `rows` rows were written.
  void commit();

 private:
  void write_header();

  std::unique_ptr<Output> owned_;  ///< null when the caller keeps the output
  Output& out_;
  std::uint64_t rows_;
  std::uint64_t written_ = 0;
  std::size_t dim_;
};

}  // namespace signfold
