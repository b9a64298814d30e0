// Small grey pictures: enough to lay out a grid of images with labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signfold::cli {

/// Grey levels 0 (black) to 255 (white), row by row.
struct Image {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> pixels;

  Image(std::size_t w, std::size_t h, std::uint8_t grey) : width(w), height(h), pixels(w * h, grey) {}
  std::uint8_t& at(std::size_t x, std::size_t y) { return pixels[y * width + x]; }
};

/// Draws `values` (rows × cols, row by row; rounded and clamped to 0..255) enlarged `zoom` times, its corner at (x, y).
/// What does not fit into the image is cut off.
void draw_values(Image& image, std::size_t x, std::size_t y, std::span<const float> values, std::size_t cols,
                 std::size_t zoom);

/// Draws text in a 5 x 7 font (capitals, digits, some punctuation; lower case is raised, the rest is left blank).
void draw_text(Image& image, std::size_t x, std::size_t y, std::string_view text, std::size_t zoom);
/// Its width in pixels.
std::size_t text_width(std::string_view text, std::size_t zoom);

/// Writes a PNG file, atomically.
void write_png(const Image& image, const std::string& path);

}  // namespace signfold::cli
