#include "signfold/training/batches.h"

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

constexpr std::uint64_t kSeed = 5;
constexpr std::size_t kVectors = 23;

/// Row i is (i, −i).
Matrix<float> numbered_rows() {
  Matrix<float> rows(kVectors, 2);
  for (std::size_t i = 0; i < kVectors; ++i) {
    rows(i, 0) = static_cast<float>(i);
    rows(i, 1) = -static_cast<float>(i);
  }
  return rows;
}

/// The vectors from number `first` on, by their first coordinate.
std::vector<float> numbers(Batches& batches, std::uint64_t first, std::size_t count, int threads = 1) {
  Team team(threads);
  Matrix<float> x(count, batches.dim());
  batches.fill(first, x, team);
  std::vector<float> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = x(i, 0);
  return result;
}

TEST(PriorBatches, AreTheRowsOfThePrior) {
  const PriorPtr prior = parse_prior("sparse-rademacher:0.4");
  const std::unique_ptr<Batches> batches = prior_batches(prior, 9, kSeed);
  ASSERT_EQ(batches->dim(), 9U);
  constexpr std::uint64_t kFirst = (1ULL << 40) - 3;
  for (const int threads : {1, 2, 4}) {
    Team team(threads);
    Matrix<float> x(50, 9);
    batches->fill(kFirst, x, team);
    std::vector<float> expected(9);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      sample_row(*prior, kSeed, kFirst + i, expected);
      ASSERT_TRUE(std::ranges::equal(x.row(i), expected)) << "row " << i << ", " << threads << " threads";
    }
  }
}

TEST(DataBatches, VisitEveryRowOncePerPassInAnOrderOfItsOwn) {
  const Matrix<float> rows = numbered_rows();
  const std::unique_ptr<Batches> batches = data_batches(rows, kSeed);
  ASSERT_EQ(batches->dim(), 2U);
  std::set<std::vector<float>> orders;
  for (std::uint64_t pass = 0; pass < 20; ++pass) {
    const std::vector<float> order = numbers(*batches, pass * kVectors, kVectors);
    EXPECT_EQ(std::set<float>(order.begin(), order.end()).size(), kVectors) << "pass " << pass;
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 20U) << "two of 20 passes had the same of 23! orders";
}

TEST(DataBatches, CopyWholeRows) {
  const Matrix<float> rows = numbered_rows();
  Team team(1);
  Matrix<float> x(2 * kVectors + 5, 2);
  data_batches(rows, kSeed)->fill(7, x, team);
  for (std::size_t i = 0; i < x.rows(); ++i) EXPECT_EQ(x(i, 1), -x(i, 0));
}

TEST(DataBatches, AreAPureFunctionOfTheNumber) {
  const Matrix<float> rows = numbered_rows();
  const std::unique_ptr<Batches> batches = data_batches(rows, kSeed);
  const std::vector<float> whole = numbers(*batches, 0, 5 * kVectors);
  for (const std::size_t size : {1, 4, 10, 30}) {
    // From the end to the start, so that passes come in the wrong order; another object each time, and another team.
    for (std::size_t first = whole.size() / size * size; first > 0; first -= size) {
      const std::size_t begin = first - size;
      const std::vector<float> expected(whole.begin() + static_cast<std::ptrdiff_t>(begin),
                                        whole.begin() + static_cast<std::ptrdiff_t>(first));
      EXPECT_EQ(numbers(*batches, begin, size, 2), expected) << "from " << begin;
      EXPECT_EQ(numbers(*data_batches(rows, kSeed), begin, size), expected) << "from " << begin;
    }
  }
  EXPECT_NE(numbers(*data_batches(rows, kSeed + 1), 0, kVectors), numbers(*batches, 0, kVectors)) << "another seed";
}

TEST(DataBatches, OfNoRowsAreRefused) {
  EXPECT_THAT([] { data_batches({}, kSeed); }, ThrowsMessage<Error>(HasSubstr("no vectors")));
}

}  // namespace
}  // namespace signfold
