#include "signfold/training/batches.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

class PriorBatches final : public Batches {
 public:
  PriorBatches(PriorPtr prior, std::size_t dim, std::uint64_t seed)
      : prior_(std::move(prior)), dim_(dim), seed_(seed) {}
  std::size_t dim() const override { return dim_; }
  void fill(std::uint64_t first, MatrixView<float> x, Team& team) override {
    constexpr std::size_t kGrain = 16;
    team.run(x.rows, kGrain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) sample_row(*prior_, seed_, first + i, x.row(i));
    });
  }

 private:
  PriorPtr prior_;
  std::size_t dim_;
  std::uint64_t seed_;
};

class DataBatches final : public Batches {
 public:
  DataBatches(MatrixView<const float> rows, std::uint64_t seed) : rows_(rows), order_(rows.rows, seed) {}
  std::size_t dim() const override { return rows_.cols; }
  void fill(std::uint64_t first, MatrixView<float> x, Team& /*team*/) override {
    for (std::size_t i = 0; i < x.rows; ++i) {
      std::ranges::copy(rows_.row(order_.row(first + i)), x.row(i).begin());
    }
  }

 private:
  MatrixView<const float> rows_;
  ShuffledOrder order_;
};

}  // namespace

std::size_t ShuffledOrder::row(std::uint64_t visit) {
  const std::uint64_t pass = visit / rows_;
  if (order_.empty() || pass != pass_) {
    RandomStream stream(seed_, Purpose::batch, pass);
    pass_ = pass;
    order_ = random_permutation(stream, rows_);
  }
  return order_[visit % rows_];
}

std::unique_ptr<Batches> prior_batches(PriorPtr prior, std::size_t dim, std::uint64_t seed) {
  return std::make_unique<PriorBatches>(std::move(prior), dim, seed);
}

std::unique_ptr<Batches> data_batches(MatrixView<const float> rows, std::uint64_t seed) {
  if (rows.rows == 0) fail("there are no vectors to train on");
  return std::make_unique<DataBatches>(rows, seed);
}

}  // namespace signfold
