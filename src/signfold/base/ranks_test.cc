#include "signfold/base/ranks.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "signfold/base/ranks_for_test.h"

namespace signfold {
namespace {

TEST(Ranks, AloneDoesAll) {
  EXPECT_FALSE(several(nullptr));
  EXPECT_TRUE(speaks(nullptr));
  EXPECT_EQ(share_of(nullptr, 7).begin, 0U);
  EXPECT_EQ(share_of(nullptr, 7).count, 7U);
}

TEST(Ranks, SharesFollowEachOtherAndDifferByOneAtMost) {
  for (const int size : {1, 2, 3, 5}) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{4}, std::size_t{5}, std::size_t{512}}) {
      std::vector<RankShare> shares(static_cast<std::size_t>(size));
      ThreadRanks(size).run(
          [&](Ranks& ranks) { shares[static_cast<std::size_t>(ranks.rank())] = share_of(&ranks, count); });
      std::size_t next = 0;
      for (const RankShare& share : shares) {
        EXPECT_EQ(share.begin, next);
        EXPECT_GE(share.count, count / shares.size());
        EXPECT_LE(share.count, count / shares.size() + 1);
        next += share.count;
      }
      EXPECT_EQ(next, count) << size;
    }
  }
}

// What the other tests of ranks stand on: threads that do what ranks promise.
TEST(Ranks, OfThreadsAddInOrderAndShare) {
  ThreadRanks(3).run([](Ranks& ranks) {
    std::vector<float> numbers = {1, static_cast<float>(ranks.rank())};
    if (ranks.rank() == 1) numbers[0] = 1e8F;
    if (ranks.rank() == 2) numbers[0] = -1e8F;
    ranks.sum(std::span<float>(numbers));
    EXPECT_EQ(numbers[0], 0) << "1 is lost beside 1e8 when it is added first";
    EXPECT_EQ(numbers[1], 3);
    std::uint64_t word = 10 + static_cast<std::uint64_t>(ranks.rank());
    ranks.share(std::as_writable_bytes(std::span(&word, 1)));
    EXPECT_EQ(word, 10U);
    EXPECT_EQ(speaks(&ranks), ranks.rank() == 0);
  });
}

}  // namespace
}  // namespace signfold
