#include "signfold/source/mask.h"

#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

void check_keep(double keep) {
  if (!(keep > 0 && keep <= 1)) fail("mask: a coordinate is kept with probability {}; it must be in (0, 1]", keep);
}

class MaskedSource final : public Source {
 public:
  MaskedSource(std::unique_ptr<Source> source, double keep, std::uint64_t seed)
      : source_(std::move(source)), keep_(keep), seed_(seed) {
    describe(fmt::format("{}, masked (keep {}, seed {})", source_->description(), keep_, seed_), source_->rows(),
             source_->dim());
    source_->rewind();
  }
  std::vector<std::size_t> item_shape() const override { return source_->item_shape(); }

 private:
  void do_read(MatrixView<float> block) override {
    source_->read(block);
    mask_rows(keep_, seed_, next_, block);
    next_ += block.rows;
  }
  void do_rewind() override {
    source_->rewind();
    next_ = 0;
  }

  std::unique_ptr<Source> source_;
  double keep_;
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

}  // namespace

void mask_rows(double keep, std::uint64_t seed, std::uint64_t first, MatrixView<float> x) {
  check_keep(keep);
  const auto below = static_cast<std::uint64_t>(std::ldexp(keep, 32));
  const auto factor = static_cast<float>(1 / std::sqrt(keep));
  for (std::size_t i = 0; i < x.rows; ++i) {
    RandomStream stream(seed, Purpose::erasure, first + i);
    for (float& v : x.row(i)) v = stream.bits32() < below ? v * factor : 0.0F;
  }
}

std::unique_ptr<Source> masked_source(std::unique_ptr<Source> source, double keep, std::uint64_t seed) {
  check_keep(keep);
  return std::make_unique<MaskedSource>(std::move(source), keep, seed);
}

}  // namespace signfold
