// The image sets themselves, where they are installed: facts that everybody can look up.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "signfold/source/source.h"

namespace signfold {
namespace {

const std::filesystem::path kShared = std::filesystem::path(SIGNFOLD_SOURCE_DIR) / ".." / "shared" / "data";
const std::filesystem::path kFashion = "/usr/share/datasets/fashion-mnist";

/// Reads everything; returns the sum of all numbers.
double sum_of(Source& source) {
  Matrix<float> block(512, source.dim());
  double sum = 0;
  std::uint64_t rows = 0;
  while (const std::size_t count = source.read(block)) {
    rows += count;
    for (std::size_t i = 0; i < count; ++i) {
      for (const float v : block.row(i)) sum += v;
    }
  }
  EXPECT_EQ(rows, source.rows());
  return sum;
}

std::array<int, 10> label_counts(const std::filesystem::path& path) {
  const auto source = open_source(path);
  EXPECT_EQ(source->dim(), 1U);
  std::array<int, 10> counts{};
  const Matrix<float> labels = read_all(*source);
  for (const float label : labels.values()) ++counts.at(static_cast<std::size_t>(label));
  return counts;
}

TEST(RealData, Mnist) {
  const auto folder = kShared / "mnist";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "MNIST is not at " << folder;
  const auto source = open_source(folder / "train-images-idx3-ubyte.gz");
  EXPECT_EQ(source->rows(), 60000U);
  EXPECT_EQ(source->dim(), 784U);
  EXPECT_EQ(source->item_shape(), (std::vector<std::size_t>{28, 28}));
  EXPECT_NEAR(sum_of(*source) / (60000.0 * 784 * 255), 0.1307, 5e-5);  // the mean that every tutorial normalises by
  EXPECT_EQ(label_counts(folder / "t10k-labels-idx1-ubyte.gz"),
            (std::array{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
}

TEST(RealData, FashionMnist) {
  if (!std::filesystem::exists(kFashion)) GTEST_SKIP() << "install dataset-fashion-mnist";
  const auto source = open_source(kFashion / "train-images-idx3-ubyte.gz");
  EXPECT_EQ(source->rows(), 60000U);
  EXPECT_EQ(source->dim(), 784U);
  EXPECT_NEAR(sum_of(*source) / (60000.0 * 784 * 255), 0.2860, 5e-5);
  std::array<int, 10> balanced{};
  balanced.fill(1000);
  EXPECT_EQ(label_counts(kFashion / "t10k-labels-idx1-ubyte.gz"), balanced);
}

TEST(RealData, Cifar10) {
  const auto file = kShared / "cifar10" / "test_batch.bin";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "CIFAR-10 is not at " << file;
  const auto source = open_source(file);
  EXPECT_EQ(source->rows(), 10000U);
  EXPECT_EQ(source->item_shape(), (std::vector<std::size_t>{3, 32, 32}));
  // Means of the test set per channel: 0.4942, 0.4851, 0.4504.
  EXPECT_NEAR(sum_of(*source) / (10000.0 * 3072 * 255), (0.4942 + 0.4851 + 0.4504) / 3, 1e-4);
}

}  // namespace
}  // namespace signfold
