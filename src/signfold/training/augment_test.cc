#include "signfold/training/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "signfold/base/error.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Augmentation, ReadsWhatItWrites) {
  for (const char* text : {"none", "mirror", "shift:2", "mirror,shift:1"}) {
    EXPECT_EQ(to_string(parse_augmentation(text)), text);
  }
  EXPECT_EQ(to_string(parse_augmentation("shift:1,mirror")), "mirror,shift:1");
  EXPECT_THAT([] { parse_augmentation("flip"); }, ThrowsMessage<Error>(HasSubstr("unknown augmentation 'flip'")));
  EXPECT_THAT([] { parse_augmentation("shift:0"); }, ThrowsMessage<Error>(HasSubstr("is not a shift")));
  EXPECT_THAT([] { parse_augmentation("shift:2x"); }, ThrowsMessage<Error>(HasSubstr("is not a shift")));
  EXPECT_THAT([] { parse_augmentation("mirror,"); }, ThrowsMessage<Error>(HasSubstr("unknown augmentation ''")));
}

/// Two planes of 2 × 3 pixels, all different, and what is left after subtracting a mean that differs by place.
struct Images {
  std::vector<float> image = {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};
  std::vector<float> mean = {1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0};
  Matrix<float> rows{1, 12};
  Images() {
    for (std::size_t j = 0; j < 12; ++j) rows(0, j) = image[j] - mean[j];
  }
  /// The pixels of `count` visits.
  std::set<std::vector<float>> visits(const Augmentation& augmentation, std::size_t count) const {
    Team team(2);
    Matrix<float> x(count, 12);
    augmented_batches(rows, {2, 2, 3}, mean, augmentation, 7)->fill(0, x, team);
    std::set<std::vector<float>> seen;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<float> pixels(12);
      for (std::size_t j = 0; j < 12; ++j) pixels[j] = x(i, j) + mean[j];
      seen.insert(pixels);
    }
    return seen;
  }
};

TEST(Augmentation, MirrorsEveryPlane) {
  const Images images;
  const std::vector<float> mirrored = {3, 2, 1, 6, 5, 4, 13, 12, 11, 16, 15, 14};
  // 40 visits: both are seen but for one time in 2^39
  EXPECT_EQ(images.visits({.mirror = true}, 40), (std::set<std::vector<float>>{images.image, mirrored}));
}

TEST(Augmentation, ShiftsAndRepeatsTheEdge) {
  const Images images;
  const auto seen = images.visits({.shift = 1}, 200);
  EXPECT_EQ(seen.size(), 9U);  // each of nine is missed with probability (8/9)^200 = 6e-11
  const std::vector<float> down_right = {1, 1, 2, 1, 1, 2, 11, 11, 12, 11, 11, 12};
  const std::vector<float> up = {4, 5, 6, 4, 5, 6, 14, 15, 16, 14, 15, 16};
  EXPECT_TRUE(seen.contains(images.image));
  EXPECT_TRUE(seen.contains(down_right));
  EXPECT_TRUE(seen.contains(up));
}

TEST(Augmentation, AVisitIsAPureFunctionOfItsNumber) {
  const Images images;
  Team team(2);
  const auto batches = augmented_batches(images.rows, {2, 2, 3}, images.mean, {.mirror = true, .shift = 1}, 7);
  Matrix<float> whole(20, 12);
  Matrix<float> part(5, 12);
  batches->fill(0, whole, team);
  batches->fill(11, part, team);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(std::ranges::equal(part.row(i), whole.row(11 + i)));
}

TEST(Augmentation, WantsImages) {
  const Matrix<float> rows(3, 12);
  const std::vector<float> mean(12);
  EXPECT_THAT([&] { augmented_batches(rows, {12}, mean, {.mirror = true}, 1); },
              ThrowsMessage<Error>(HasSubstr("only images can be mirrored and shifted")));
  EXPECT_THAT(
      [&] {
        augmented_batches(rows, {5, 2}, mean, {.mirror = true}, 1);
      },
      ThrowsMessage<Error>(HasSubstr("do not have 12 coordinates")));
}

}  // namespace
}  // namespace signfold
