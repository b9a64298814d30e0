// The one check every function of a rate makes.
#pragma once

#include <cmath>

#include "signfold/base/error.h"

namespace signfold {

/// Throws Error unless the rate is a positive finite number.
inline void check_rate(double rate) {
  if (!(rate > 0 && std::isfinite(rate)))
    fail("the rate is {}; it must be a positive number of bits per coordinate", rate);
}

}  // namespace signfold
