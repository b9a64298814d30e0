#include "signfold/cli/image.h"

#include <png.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/cli/font.h"

namespace signfold::cli {
namespace {
constexpr std::uint8_t kInk = 0;
constexpr std::size_t kAdvance = kGlyphWidth + 1;

void fill(Image& image, std::size_t x, std::size_t y, std::size_t side, std::uint8_t grey) {
  for (std::size_t v = y; v < std::min(y + side, image.height); ++v) {
    for (std::size_t u = x; u < std::min(x + side, image.width); ++u) image.at(u, v) = grey;
  }
}
}  // namespace

void draw_values(Image& image, std::size_t x, std::size_t y, std::span<const float> values, std::size_t cols,
                 std::size_t zoom) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto grey = static_cast<std::uint8_t>(std::lround(std::clamp(values[i], 0.0F, 255.0F)));
    fill(image, x + (i % cols) * zoom, y + (i / cols) * zoom, zoom, grey);
  }
}

void draw_text(Image& image, std::size_t x, std::size_t y, std::string_view text, std::size_t zoom) {
  for (const char c : text) {
    const char* rows = glyph(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    for (std::size_t i = 0; i < kGlyphWidth * kGlyphHeight; ++i) {
      if (rows[i] != '#') continue;
      fill(image, x + (i % kGlyphWidth) * zoom, y + (i / kGlyphWidth) * zoom, zoom, kInk);
    }
    x += kAdvance * zoom;
  }
}

std::size_t text_width(std::string_view text, std::size_t zoom) {
  return text.empty() ? 0 : (text.size() * kAdvance - 1) * zoom;
}

void write_png(const Image& image, const std::string& path) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_GRAY;
  png_alloc_size_t length = 0;
  const auto encode = [&](void* memory) {
    if (png_image_write_to_memory(&png, memory, &length, 0, image.pixels.data(), 0, nullptr) == 0) {
      fail("cannot make {}: {}", path, png.message);
    }
  };
  encode(nullptr);  // the first call measures
  std::vector<std::byte> bytes(length);
  encode(bytes.data());
  write_file(path, bytes);
}

}  // namespace signfold::cli
