#include "signfold/training/start_hidden.h"

#include <cmath>

#include "signfold/base/random.h"

namespace signfold {

void start_hidden(std::uint64_t seed, std::size_t stage, Matrix<float>& in) {
  const double deviation = 1 / std::sqrt(static_cast<double>(in.rows()));
  for (std::size_t i = 0; i < in.rows(); ++i) {
    RandomStream stream(seed, Purpose::start, (std::uint64_t{stage + 1} << 32) + i);
    for (float& v : in.row(i)) v = static_cast<float>(deviation * stream.normal());
  }
}

}  // namespace signfold
