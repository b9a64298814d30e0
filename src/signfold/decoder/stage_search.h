// Better bits than the signs, for the same decoder (docs/math.md section 13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "signfold/decoder/trained_stages.h"

namespace signfold {

/// Flips bits of every row, one at a time, where that lowers Σ_s ln ‖x − x̂_s‖²: a round tries the bit whose flip
/// promises most by the derivatives in the bits, and keeps it if the sum is lower then. The signs were chosen stage by
/// stage; this looks at all that follows from a bit. After enough rounds no single flip helps. x: k × d; codes: k rows
/// of packed bits of all stages, changed in place. A row depends on itself only. Runs on the calling thread; a round
/// takes as long as two to three decodings. Throws Error for shapes that do not match.
void search_bits(const std::vector<Stage>& stages, MatrixView<const float> x, std::size_t rounds,
                 MatrixView<std::uint8_t> codes);

}  // namespace signfold
