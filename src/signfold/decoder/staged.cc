#include "signfold/decoder/staged.h"

#include <numeric>
#include <utility>

#include "signfold/base/bits.h"
#include "signfold/base/error.h"

namespace signfold {

void check_stage_bits(const std::vector<std::size_t>& bits) {
  if (bits.empty()) fail("a staged code needs at least one stage");
  if (bits.size() > kMostStages) fail("{} stages are more than the {} that a code may have", bits.size(), kMostStages);
  for (std::size_t s = 0; s < bits.size(); ++s) {
    if (bits[s] == 0) fail("stage {} has no bits", s + 1);
  }
}

void check_rounds(std::size_t rounds) {
  if (rounds > kMostRounds) fail("a search of {} rounds: at most {}", rounds, kMostRounds);
}

StagedCode::StagedCode(std::size_t dim, std::vector<std::size_t> bits) : dim_(dim), bits_(std::move(bits)) {
  check_stage_bits(bits_);
  if (dim == 0) fail("a staged code of vectors without coordinates");
}

std::size_t StagedCode::bits(std::size_t stages) const {
  return std::accumulate(bits_.begin(), bits_.begin() + static_cast<std::ptrdiff_t>(stages), std::size_t{0});
}

void StagedCode::check_shapes(MatrixView<const float> x, MatrixView<const std::uint8_t> codes) const {
  if (x.cols == dim_ && codes.rows == x.rows && codes.cols == code_bytes(bits())) return;
  fail("staged code: {} vectors of {} numbers do not go with {} codes of {} bytes; it has {} bits for {} numbers",
       x.rows, x.cols, codes.rows, codes.cols, bits(), dim_);
}

void StagedCode::encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const {
  check_shapes(x, codes);
  do_encode(x, codes);
}

void StagedCode::search(MatrixView<const float> x, std::size_t rounds, MatrixView<std::uint8_t> codes) const {
  check_shapes(x, codes);
  if (rounds == 0) return;
  if (!can_search()) fail("only a trained staged code can be searched for better bits, not {}", name());
  check_rounds(rounds);
  do_search(x, rounds, codes);
}

void StagedCode::do_search(MatrixView<const float> /*x*/, std::size_t /*rounds*/,
                           MatrixView<std::uint8_t> /*codes*/) const {}

void StagedCode::decode(MatrixView<const std::uint8_t> codes, std::size_t stages, MatrixView<float> x) const {
  if (stages == 0 || stages > count()) fail("there are {} stages: from 1 on, not {}", count(), stages);
  if (x.cols != dim_ || codes.rows != x.rows || codes.cols < code_bytes(bits(stages))) {
    fail("staged code: {} codes of {} bytes do not go with {} vectors of {} numbers; {} stages have {} bits for {}",
         codes.rows, codes.cols, x.rows, x.cols, stages, bits(stages), dim_);
  }
  do_decode(codes, stages, x);
}

}  // namespace signfold
