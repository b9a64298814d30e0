#include "signfold/experiment/masked_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/random.h"
#include "signfold/transform/transform.h"

namespace signfold::experiment {
namespace {

using ::testing::HasSubstr;

/// Records of CIFAR-10: every image has a brightness and a contrast of its own and a slope, and noise at every pixel.
std::string cifar(std::size_t records) {
  constexpr std::size_t kPixels = std::size_t{3} * 32 * 32;
  std::string out;
  for (std::size_t i = 0; i < records; ++i) {
    RandomStream stream(1, Purpose::start, i);
    const double bright = 128 + 20 * stream.normal();
    const double contrast = 10 + 10 * std::abs(stream.normal());
    const double slope = stream.normal();
    out += static_cast<char>(5);
    for (std::size_t j = 0; j < kPixels; ++j) {
      const double pixel = bright + slope * static_cast<double>(j % 32) + contrast * stream.normal();
      out += static_cast<char>(static_cast<unsigned char>(std::clamp(pixel, 0.0, 255.0)));
    }
  }
  return out;
}

class MaskedImages : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_.path(name), std::ios::binary) << bytes;
    return folder_.path(name);
  }
  /// The message that the file is refused with.
  static std::string refusal(const std::string& path) {
    try {
      whitened_images(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "it was accepted";
  }
  TemporaryFolder folder_;
};

TEST_F(MaskedImages, TrainingImagesAreWhiteAndEquallyLong) {
  constexpr std::size_t kImages = 1200;
  const WhitenedImages images = whitened_images(write("dogs.bin", cifar(kImages)));
  EXPECT_EQ(images.train.rows(), kImages * 9 / 10);
  EXPECT_EQ(images.test.rows(), kImages / 10);
  for (const Matrix<float>* x : {&images.train, &images.test}) {
    ASSERT_EQ(x->cols(), kMaskedDim);
    for (std::size_t i = 0; i < x->rows(); ++i) {
      double energy = 0;
      for (const float v : x->row(i)) energy += static_cast<double>(v) * v;
      EXPECT_NEAR(energy, kMaskedDim, 1e-2) << i;  // rounding of 768 floats
    }
  }
  CovarianceAccumulator sums(kMaskedDim);
  sums.add(images.train);
  const Matrix<double> covariance = sums.covariance(true);
  double diagonal = 0;
  double off_diagonal = 0;
  for (std::size_t i = 0; i < kMaskedDim; ++i) {
    for (std::size_t j = 0; j < kMaskedDim; ++j) {
      double& worst = i == j ? diagonal : off_diagonal;
      worst = std::max(worst, std::abs(covariance(i, j) - (i == j ? 1 : 0)));
    }
  }
  // Whitening leaves ε = 1e-4; making the norms equal after it leaves more, what three rounds of both do not remove.
  EXPECT_LT(diagonal, 0.02);
  EXPECT_LT(off_diagonal, 0.02);
}

TEST_F(MaskedImages, MasksAreAFunctionOfSeedAndVisit) {
  constexpr std::size_t kRows = 8;
  constexpr double kKeep = 0.3;
  Matrix<float> ones(kRows, kMaskedDim);
  std::ranges::fill(ones.values(), 1.0F);
  const auto visits = [&](std::uint64_t seed, std::uint64_t first, std::size_t rows, int threads) {
    Team team(threads);
    Matrix<float> x(rows, kMaskedDim);
    masked_batches(ones, kKeep, seed)->fill(first, x, team);
    return std::vector<float>(x.values().begin(), x.values().end());
  };
  const std::vector<float> all = visits(7, 0, 5 * kRows, 1);
  EXPECT_EQ(visits(7, 0, 5 * kRows, 2), all);
  EXPECT_EQ(visits(7, kRows, 2, 1),
            std::vector<float>(all.begin() + kRows * kMaskedDim, all.begin() + (kRows + 2) * kMaskedDim));
  EXPECT_NE(visits(8, 0, 5 * kRows, 1), all);
  EXPECT_NE(visits(7, kRows, kRows, 1), visits(7, 0, kRows, 1)) << "the second pass has the masks of the first";

  const auto zeros = static_cast<double>(std::ranges::count(all, 0.0F));
  const auto count = static_cast<double>(all.size());
  EXPECT_NEAR(1 - zeros / count, kKeep, 5 * std::sqrt(kKeep * (1 - kKeep) / count));
  EXPECT_FLOAT_EQ(*std::ranges::max_element(all), static_cast<float>(1 / std::sqrt(kKeep)));
}

TEST_F(MaskedImages, AWrongFileIsAnErrorThatNamesIt) {
  const std::string text = write("notes.bin", "These are not the images you are looking for.\n");
  EXPECT_THAT(refusal(text), HasSubstr(text));
  const std::string few = write("few.bin", cifar(19));
  EXPECT_THAT(refusal(few), HasSubstr(few));
  std::string digits("\0\0\x08\x03\0\0\0\x20\0\0\0\x1c\0\0\0\x1c", 16);  // IDX: 32 images of 28 × 28
  digits.resize(digits.size() + 32UL * 28 * 28, '\x10');
  const std::string mnist = write("mnist.bin", digits);
  EXPECT_THAT(refusal(mnist), HasSubstr(mnist));
  EXPECT_THAT(refusal(mnist), HasSubstr("CIFAR-10"));
  EXPECT_THAT(refusal(write("cut.bin", cifar(20).substr(0, 20000))), HasSubstr("cut.bin"));
}

}  // namespace
}  // namespace signfold::experiment
