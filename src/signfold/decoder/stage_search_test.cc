#include "signfold/decoder/stage_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/bits.h"
#include "signfold/base/error.h"
#include "signfold/decoder/staged_for_test.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kDim = 12;
constexpr std::size_t kRows = 150;  // more than are searched together
const std::vector<std::size_t> kBits = {5, 9, 7};

struct Searched {
  explicit Searched(std::size_t hidden) : code(testing::random_stages(kBits, hidden, kDim)), codes(kRows, 3) {
    code.encode(x, codes);
  }
  void search(std::size_t rounds) { search_bits(code.stages(), x, rounds, codes); }
  /// Σ_s ln ‖x − x̂_s‖², by decoding.
  std::vector<double> costs() const {
    std::vector<double> sums(kRows);
    Matrix<float> back(kRows, kDim);
    for (std::size_t s = 1; s <= kBits.size(); ++s) {
      code.decode(codes, s, back);
      for (std::size_t i = 0; i < kRows; ++i) {
        double error = 0;
        for (std::size_t j = 0; j < kDim; ++j) error += std::pow(double{x(i, j)} - back(i, j), 2);
        sums[i] += std::log(error);
      }
    }
    return sums;
  }
  void flip_everywhere(std::size_t bit) {
    for (std::size_t i = 0; i < kRows; ++i) flip_bit(codes.row(i), bit);
  }

  TrainedStages code;
  Matrix<float> x = testing::normal_rows(kRows, kDim);
  Matrix<std::uint8_t> codes;
};

constexpr double kRounding = 1e-5;  // of a logarithm of sums in single precision

TEST(StageSearch, MoreRoundsAreNeverWorse) {
  for (const std::size_t hidden : {0U, 6U}) {
    double last = 0;
    for (const std::size_t rounds : {0U, 1U, 2U, 5U, 20U}) {
      Searched searched(hidden);
      const std::vector<double> before = searched.costs();
      searched.search(rounds);
      const std::vector<double> after = searched.costs();
      double gain = 0;
      for (std::size_t i = 0; i < kRows; ++i) {
        EXPECT_LE(after[i], before[i] + kRounding);
        gain += before[i] - after[i];
      }
      if (rounds == 0)
        EXPECT_EQ(gain, 0);
      else
        EXPECT_GT(gain, last);
      last = gain;
    }
  }
}

TEST(StageSearch, AfterEnoughRoundsNoFlipHelps) {
  for (const std::size_t hidden : {0U, 6U}) {
    Searched searched(hidden);
    searched.search(1000);  // 21 bits: what ends a search is that every flip failed
    const std::vector<double> found = searched.costs();
    for (std::size_t bit = 0; bit < searched.code.bits(); ++bit) {
      searched.flip_everywhere(bit);
      const std::vector<double> other = searched.costs();
      for (std::size_t i = 0; i < kRows; ++i) EXPECT_GE(other[i], found[i] - kRounding) << "bit " << bit;
      searched.flip_everywhere(bit);
    }
  }
}

/// One stage and no hidden units: ‖x − x̂‖² is quadratic in a bit, and what a flip promises is what it does.
TEST(StageSearch, TheFirstRoundTakesTheBestFlipOfALinearDecoder) {
  Searched searched(0);
  const TrainedStages one(testing::random_stages({14}, 0, kDim));
  Matrix<std::uint8_t> codes(kRows, 2);
  one.encode(searched.x, codes);
  Matrix<std::uint8_t> expected = codes.clone();
  Matrix<float> back(1, kDim);
  const auto error = [&](std::size_t i, std::span<const std::uint8_t> code) {
    one.decode({code.data(), 1, 2, 2}, 1, back);
    double sum = 0;
    for (std::size_t j = 0; j < kDim; ++j) sum += std::pow(double{searched.x(i, j)} - back(0, j), 2);
    return sum;
  };
  for (std::size_t i = 0; i < kRows; ++i) {
    double least = error(i, codes.row(i));
    for (std::size_t bit = 0; bit < 14; ++bit) {
      std::vector<std::uint8_t> other(codes.row(i).begin(), codes.row(i).end());
      flip_bit(other, bit);
      if (error(i, other) >= least) continue;
      least = error(i, other);
      std::ranges::copy(other, expected.row(i).begin());
    }
  }
  search_bits(one.stages(), searched.x, 1, codes);
  for (std::size_t i = 0; i < kRows; ++i) {
    EXPECT_TRUE(std::ranges::equal(codes.row(i), expected.row(i))) << "row " << i;
  }
}

TEST(StageSearch, ARowDependsOnItselfOnly) {
  Searched together(6);
  together.search(7);
  Searched apart(6);
  for (const auto& [begin, count] : {std::pair{0U, 1U}, std::pair{1U, 88U}, std::pair{89U, 61U}}) {
    apart.code.search(apart.x.view().row_range(begin, count), 7, apart.codes.view().row_range(begin, count));
  }
  EXPECT_TRUE(std::ranges::equal(together.codes.values(), apart.codes.values()));
}

TEST(StageSearch, RefusesWhatDoesNotFit) {
  Searched searched(6);
  EXPECT_THAT([&] { search_bits({}, searched.x, 1, searched.codes); }, ThrowsMessage<Error>(HasSubstr("do not fit")));
  Matrix<std::uint8_t> narrow(kRows, 2);
  EXPECT_THAT([&] { search_bits(searched.code.stages(), searched.x, 1, narrow); },
              ThrowsMessage<Error>(HasSubstr("do not fit")));
  EXPECT_THAT([&] { searched.code.search(searched.x, 1, narrow); }, ThrowsMessage<Error>(HasSubstr("do not go with")));
  EXPECT_THAT([&] { searched.code.search(searched.x, 1U << 20, searched.codes); },
              ThrowsMessage<Error>(HasSubstr("at most 65536")));
}

}  // namespace
}  // namespace signfold
