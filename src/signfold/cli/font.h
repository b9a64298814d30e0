// A 5 x 7 pixel font for labels in pictures.
#pragma once

#include <cstddef>

namespace signfold::cli {

inline constexpr std::size_t kGlyphWidth = 5;
inline constexpr std::size_t kGlyphHeight = 7;

/// 35 characters, row by row: '#' is ink. Blank for characters the font does not have.
const char* glyph(char c);

}  // namespace signfold::cli
