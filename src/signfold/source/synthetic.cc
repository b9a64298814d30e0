#include <cmath>
#include <span>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/source/source.h"

namespace signfold {
namespace {

void equalize(std::span<float> x) {
  double energy = 0;
  for (const float v : x) energy += static_cast<double>(v) * v;
  if (energy == 0) return;
  const double factor = std::sqrt(static_cast<double>(x.size()) / energy);
  for (float& v : x) v = static_cast<float>(v * factor);
}

class SyntheticSource final : public Source {
 public:
  SyntheticSource(PriorPtr prior, std::uint64_t rows, std::size_t dim, std::uint64_t seed, Norms norms)
      : prior_(std::move(prior)), seed_(seed), norms_(norms) {
    describe(fmt::format("{} (seed {}, {} x {})", prior_->name(), seed, rows, dim), rows, dim);
  }

 private:
  void do_read(MatrixView<float> block) override {
    for (std::size_t i = 0; i < block.rows; ++i) {
      sample_row(*prior_, seed_, row_++, block.row(i));
      if (norms_ == Norms::equal) equalize(block.row(i));
    }
  }
  void do_rewind() override { row_ = 0; }

  PriorPtr prior_;
  std::uint64_t seed_;
  Norms norms_;
  std::uint64_t row_ = 0;
};

}  // namespace

std::unique_ptr<Source> synthetic_source(PriorPtr prior, std::uint64_t rows, std::size_t dim, std::uint64_t seed,
                                         Norms norms) {
  return std::make_unique<SyntheticSource>(std::move(prior), rows, dim, seed, norms);
}

}  // namespace signfold
