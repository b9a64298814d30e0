// How a step size or a smoothing width changes while training goes on.
#pragma once

#include <cstddef>
#include <string>

namespace signfold {

enum class Decay { constant, cosine };
/// "constant" or "cosine"; throws Error otherwise.
Decay parse_decay(const std::string& text);
std::string to_string(Decay decay);

/// The value at `step` of `steps`: `from` throughout, or along half a cosine from `from` at step 0 to `to` at the end.
double decayed(Decay decay, double from, double to, std::size_t step, std::size_t steps);

}  // namespace signfold
