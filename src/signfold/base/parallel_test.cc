#include "signfold/base/parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"

namespace signfold {
namespace {

using Blocks = std::set<std::pair<std::size_t, std::size_t>>;

Blocks blocks_of(std::size_t count, std::size_t grain, int threads) {
  Blocks blocks;
  std::mutex mutex;
  parallel_for(count, grain, threads, [&](std::size_t begin, std::size_t end) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(blocks.emplace(begin, end).second) << "block " << begin << " came twice";
  });
  return blocks;
}

TEST(ParallelFor, CoversEveryIndexOnceInTheSameBlocksForAnyThreadCount) {
  for (const std::size_t count : {0, 1, 7, 8, 9, 100}) {
    for (const std::size_t grain : {1, 8, 1000}) {
      const Blocks serial = blocks_of(count, grain, 1);
      std::size_t next = 0;
      for (const auto& [begin, end] : serial) {
        EXPECT_EQ(begin, next);
        EXPECT_LE(end - begin, grain);
        EXPECT_GT(end, begin);
        next = end;
      }
      EXPECT_EQ(next, count);
      for (const int threads : {0, 2, 8}) EXPECT_EQ(blocks_of(count, grain, threads), serial) << threads;
    }
  }
  EXPECT_THROW(blocks_of(1, 0, 1), Error);
}

TEST(ParallelFor, FirstExceptionStopsTheLoopAndComesOut) {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls = 0;
    try {
      parallel_for(100000, 1, threads, [&](std::size_t, std::size_t) {
        if (++calls >= 3) throw std::runtime_error("third");
      });
      FAIL() << "no exception";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "third");
    }
    EXPECT_LE(calls, 2 + threads);  // from the third call on, every thread makes at most one more
  }
}

TEST(ParallelFor, StopsBetweenBlocksWhenAskedTo) {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls = 0;
    try {
      parallel_for(100000, 1, threads, [&](std::size_t, std::size_t) {
        if (++calls >= 3) request_interrupt();
      });
      ADD_FAILURE() << "not interrupted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    }
    clear_interrupt();
    EXPECT_LE(calls, 2 + threads);  // from the third call on, every thread makes at most one more
  }
  EXPECT_NO_THROW(throw_if_interrupted());
}

TEST(ParallelFor, MayBeNested) {
  std::atomic<int> sum = 0;
  parallel_for(4, 1, 4, [&](std::size_t, std::size_t) {
    parallel_for(10, 3, 2, [&](std::size_t begin, std::size_t end) { sum += static_cast<int>(end - begin); });
  });
  EXPECT_EQ(sum, 40);
}

}  // namespace
}  // namespace signfold
