#include "signfold/cli/image.h"

#include <gtest/gtest.h>
#include <png.h>

#include <cstdio>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/cli/font.h"

namespace signfold::cli {
namespace {
TEST(Image, DrawsEnlargedValuesAndCutsThemOff) {
  Image image(5, 4, 255);
  const std::vector<float> values = {-3.0F, 10.4F, 300.0F, 127.6F};
  draw_values(image, 1, 0, values, 2, 2);
  EXPECT_EQ(image.at(0, 0), 255);  // outside
  EXPECT_EQ(image.at(1, 0), 0);    // clamped from below
  EXPECT_EQ(image.at(2, 1), 0);
  EXPECT_EQ(image.at(3, 0), 10);
  EXPECT_EQ(image.at(1, 2), 255);  // clamped from above
  EXPECT_EQ(image.at(4, 3), 128);
  EXPECT_NO_THROW(draw_values(image, 4, 3, values, 2, 2));  // sticks out: cut off, not written beyond the image
}

TEST(Image, WritesTextInItsBox) {
  Image image(40, 20, 255);
  draw_text(image, 3, 2, "aB", 2);
  EXPECT_EQ(text_width("aB", 2), 22U);
  std::size_t ink = 0;
  for (std::size_t y = 0; y < image.height; ++y) {
    for (std::size_t x = 0; x < image.width; ++x) {
      if (image.at(x, y) == 255) continue;
      ++ink;
      EXPECT_TRUE(x >= 3 && x < 25 && y >= 2 && y < 16) << x << "," << y;
    }
  }
  std::size_t expected = 0;
  for (const char c : {'A', 'B'}) {
    for (std::size_t i = 0; i < kGlyphWidth * kGlyphHeight; ++i) expected += glyph(c)[i] == '#' ? 4 : 0;
  }
  EXPECT_EQ(ink, expected);
}

TEST(Image, EveryGlyphHasTheRightSize) {
  for (int c = 0; c < 128; ++c) {
    EXPECT_EQ(std::string(glyph(static_cast<char>(c))).size(), kGlyphWidth * kGlyphHeight) << c;
  }
}

TEST(Image, PngReadsBackAsWritten) {
  Image image(7, 3, 200);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(12 * i);
  const TemporaryFolder folder;
  const std::string path = folder.path("image.png");
  write_png(image, path);

  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_file(&png, path.c_str()), 0) << png.message;
  EXPECT_EQ(png.width, 7U);
  EXPECT_EQ(png.height, 3U);
  png.format = PNG_FORMAT_GRAY;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(png));
  ASSERT_NE(png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr), 0) << png.message;
  EXPECT_EQ(pixels, image.pixels);
  EXPECT_THROW(write_png(image, "/nonexistent-directory/x.png"), Error);
}
}  // namespace
}  // namespace signfold::cli
