// Where vectors come from: one interface, read in blocks, so that a file may be larger than memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/prior/prior.h"

namespace signfold {

class Input;  // base/file.h

/// A sequence of vectors of one dimension, converted to float32 whatever the file holds. Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  std::size_t dim() const { return dim_; }
  /// Number of vectors.
  std::uint64_t rows() const { return rows_; }
  /// What it is, for messages and `info`: "X.npy (NPY, float32, 60000 x 784)".
  const std::string& description() const { return description_; }
  /// Shape of one vector where the file knows it, e.g. {28, 28} or {3, 32, 32}; {dim} otherwise.
  virtual std::vector<std::size_t> item_shape() const { return {dim_}; }

  /// Fills as many rows of `block` (cols = dim) as remain, in order; returns how many (0 = the end). Checks that every
  /// value is finite: otherwise throws Error naming file, row and column.
  std::size_t read(MatrixView<float> block);
  /// Starts again at row 0.
  void rewind();

 protected:
  /// Called once by every constructor. Throws Error when there are no vectors or they have no coordinates.
  void describe(std::string description, std::uint64_t rows, std::size_t dim);

 private:
  /// Fills every row of the block; never asked for more rows than remain.
  virtual void do_read(MatrixView<float> block) = 0;
  virtual void do_rewind() = 0;

  std::string description_;
  std::uint64_t rows_ = 0;
  std::size_t dim_ = 0;
  std::uint64_t next_row_ = 0;
};

/// Opens a file of vectors, recognised by its content, not by its name; integers become their value, not rescaled:
/// - .npy, versions 1–3, types f4 f8 u1 i1 i2 i4, C or Fortran order; 1-D = one vector, further axes are flattened;
/// - .npz, of one array, or FILE.npz:NAME;
/// - IDX (the first axis counts the vectors), CIFAR-10 binary, .fvecs, .bvecs; all of them and .npy also gzipped.
/// Throws Error for anything damaged, empty or unknown, saying what was found. Damage that only the end of a compressed
/// file shows is reported when its last row is read.
std::unique_ptr<Source> open_source(const std::string& path);
/// The file that open_source reads for a path: FILE for FILE.npz:NAME.
std::string file_of_vectors(const std::string& path);
/// The vectors of a stream that cannot seek, such as a pipe: .npy or IDX, plain or gzipped. They can be read once; an
/// array in Fortran order goes through a temporary file. Throws Error for the formats that need to look ahead (.npz,
/// CIFAR-10, .fvecs, .bvecs).
std::unique_ptr<Source> open_source(std::unique_ptr<Input> stream);
/// Norms of synthetic vectors: as the prior draws them, or ‖x‖² = d for all (a row of zeros stays one). A rescaled
/// vector has the same code, so where the norm is stored, equal norms only make every vector weigh the same in a
/// measured risk: with drawn norms, vectors with more nonzero coordinates weigh more, and they are the harder ones.
enum class Norms { drawn, equal };
/// Independent rows with i.i.d. coordinates of a prior: row i is sample_row(prior, seed, i), with the norms asked for.
std::unique_ptr<Source> synthetic_source(PriorPtr prior, std::uint64_t rows, std::size_t dim, std::uint64_t seed,
                                         Norms norms = Norms::drawn);
/// The rows of a matrix that the caller keeps alive.
std::unique_ptr<Source> matrix_source(MatrixView<const float> x, std::string description);

/// Reads everything from row 0 on (at most max_rows rows, evenly spread over the source if it has more: row
/// ⌊i·rows/max⌋ for i < max). Throws Error when it does not fit in memory.
Matrix<float> read_all(Source& source, std::uint64_t max_rows = UINT64_MAX);

}  // namespace signfold
