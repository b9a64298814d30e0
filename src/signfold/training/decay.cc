#include "signfold/training/decay.h"

#include <cmath>
#include <numbers>

#include "signfold/base/error.h"

namespace signfold {

Decay parse_decay(const std::string& text) {
  if (text == "constant") return Decay::constant;
  if (text == "cosine") return Decay::cosine;
  fail("unknown decay '{}'; there are: constant, cosine", text);
}

std::string to_string(Decay decay) { return decay == Decay::constant ? "constant" : "cosine"; }

double decayed(Decay decay, double from, double to, std::size_t step, std::size_t steps) {
  if (decay == Decay::constant || steps == 0) return from;
  const double done = static_cast<double>(step) / static_cast<double>(steps);
  return to + (from - to) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace signfold
