#include <utility>

#include "signfold/base/error.h"
#include "signfold/source/source.h"

namespace signfold {
namespace {

class SyntheticSource final : public Source {
 public:
  SyntheticSource(PriorPtr prior, std::uint64_t rows, std::size_t dim, std::uint64_t seed)
      : prior_(std::move(prior)), seed_(seed) {
    describe(fmt::format("{} (seed {}, {} x {})", prior_->name(), seed, rows, dim), rows, dim);
  }

 private:
  void do_read(MatrixView<float> block) override {
    for (std::size_t i = 0; i < block.rows; ++i) sample_row(*prior_, seed_, row_++, block.row(i));
  }
  void do_rewind() override { row_ = 0; }

  PriorPtr prior_;
  std::uint64_t seed_;
  std::uint64_t row_ = 0;
};

}  // namespace

std::unique_ptr<Source> synthetic_source(PriorPtr prior, std::uint64_t rows, std::size_t dim, std::uint64_t seed) {
  return std::make_unique<SyntheticSource>(std::move(prior), rows, dim, seed);
}

}  // namespace signfold
