// Where the vectors of a training step come from: fresh draws of a prior, or rows of data in random order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/base/team.h"
#include "signfold/prior/prior.h"

namespace signfold {

/// The order in which training visits rows of data: every pass visits each once, in an order of its own
/// (Purpose::batch, index = pass). A pure function of the number of the visit. `rows` ≥ 1.
class ShuffledOrder {
 public:
  ShuffledOrder(std::size_t rows, std::uint64_t seed) : rows_(rows), seed_(seed) {}
  std::size_t row(std::uint64_t visit);

 private:
  std::size_t rows_;
  std::uint64_t seed_;
  std::uint64_t pass_ = 0;
  std::vector<std::uint32_t> order_;
};

/// A never-ending supply of training vectors: row i is a pure function of i, so a run that was stopped goes on with the
/// vectors it would have seen.
class Batches {
 public:
  virtual ~Batches() = default;
  virtual std::size_t dim() const = 0;
  /// Fills x (any number of rows × d) with the vectors from number `first` on.
  virtual void fill(std::uint64_t first, MatrixView<float> x, Team& team) = 0;
};

/// Vector i is sample_row(prior, seed, i): no vector twice.
std::unique_ptr<Batches> prior_batches(PriorPtr prior, std::size_t dim, std::uint64_t seed);
/// Rows of data in a ShuffledOrder. The caller keeps `rows`.
/// Throws Error when there are none.
std::unique_ptr<Batches> data_batches(MatrixView<const float> rows, std::uint64_t seed);

}  // namespace signfold
