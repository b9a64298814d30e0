// IEEE 754 binary16 numbers, the storage of float16 scales. Written out because C++20 has no such type.
#pragma once

#include <cstdint>

namespace signfold {

/// The largest finite binary16 number.
constexpr float kHalfMax = 65504.0F;

/// float32 to binary16, rounded to nearest even. Overflow gives infinity; NaN stays NaN.
std::uint16_t to_half(float value);
/// binary16 to float32, exactly.
float from_half(std::uint16_t bits);

}  // namespace signfold
