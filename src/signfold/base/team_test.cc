#include "signfold/base/team.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/parallel.h"

namespace signfold {
namespace {

using Blocks = std::set<std::pair<std::size_t, std::size_t>>;

Blocks blocks_of(Team& team, std::size_t count, std::size_t grain) {
  Blocks blocks;
  std::mutex mutex;
  team.run(count, grain, [&](std::size_t begin, std::size_t end) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(blocks.emplace(begin, end).second) << "block " << begin << " came twice";
  });
  return blocks;
}

TEST(Team, HasAsManyThreadsAsAskedFor) {
  for (const int threads : {1, 2, 4}) EXPECT_EQ(Team(threads).threads(), threads);
  EXPECT_EQ(Team(0).threads(), default_threads());
}

TEST(Team, CoversEveryIndexOnceInTheSameBlocksForAnyThreadCount) {
  Team one(1);
  Team two(2);
  Team four(4);
  for (const std::size_t count : {0, 1, 7, 8, 9, 100}) {
    for (const std::size_t grain : {1, 8, 1000}) {
      const Blocks serial = blocks_of(one, count, grain);
      std::size_t next = 0;
      for (const auto& [begin, end] : serial) {
        EXPECT_EQ(begin, next);
        EXPECT_LE(end - begin, grain);
        EXPECT_GT(end, begin);
        next = end;
      }
      EXPECT_EQ(next, count);
      EXPECT_EQ(blocks_of(two, count, grain), serial);
      EXPECT_EQ(blocks_of(four, count, grain), serial);
    }
  }
  EXPECT_THROW(blocks_of(one, 1, 0), Error);
}

TEST(Team, EveryLoopOfThousandsSeesWhatTheLastOneWrote) {
  for (const int threads : {1, 2, 4}) {
    Team team(threads);
    std::vector<int> sums(13, 0);
    constexpr int kLoops = 5000;
    for (int loop = 0; loop < kLoops; ++loop) {
      // Each index reads its neighbour as the loop before left it, so a late or a lost block shows.
      std::vector<int> next(sums.size());
      team.run(sums.size(), 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) next[i] = sums[(i + 1) % sums.size()] + 1;
      });
      sums = next;
    }
    for (const int sum : sums) ASSERT_EQ(sum, kLoops) << threads << " threads";
  }
}

TEST(Team, WakesHelpersThatFellAsleep) {
  Team team(2);
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    // Both blocks wait for each other, so the loop ends only if two threads work on it.
    team.run(2, 1, [&](std::size_t, std::size_t) {
      ++inside;
      while (inside < 2) std::this_thread::yield();
      ++most;
    });
    EXPECT_EQ(most, 2);
  }
}

TEST(Team, FirstExceptionStopsTheLoopAndComesOutAndTheTeamGoesOn) {
  for (const int threads : {1, 2, 4}) {
    Team team(threads);
    for (int loop = 0; loop < 100; ++loop) {
      std::atomic<int> calls = 0;
      try {
        team.run(100000, 1, [&](std::size_t, std::size_t) {
          if (++calls >= 3) throw std::runtime_error("third");
        });
        FAIL() << "no exception";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "third");
      }
      EXPECT_LE(calls, 2 + threads);  // from the third call on, every thread makes at most one more
      EXPECT_EQ(blocks_of(team, 9, 2).size(), 5U);
    }
  }
}

TEST(Team, GoesWhileIdleAtOnceOrAfterWork) {
  for (int i = 0; i < 200; ++i) Team(4);  // helpers may not even have started
  Team used(4);
  EXPECT_EQ(blocks_of(used, 9, 2).size(), 5U);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // helpers asleep when `used` goes
}

TEST(Team, TwoTeamsAtOnceOnTheirOwnThreads) {
  const auto sum_to = [](std::size_t count) {
    Team team(2);
    std::atomic<std::size_t> sum{0};
    for (int loop = 0; loop < 200; ++loop) {
      team.run(count, 3, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) sum += i;
      });
    }
    return sum.load();
  };
  std::size_t other = 0;
  std::jthread thread([&] { other = sum_to(50); });
  EXPECT_EQ(sum_to(100), 200U * 4950U);
  thread.join();
  EXPECT_EQ(other, 200U * 1225U);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their shadow memory needs the address space
TEST(TeamDeathTest, SaysSoWhenTheSystemRefusesThreads) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto start_too_many = [] {
    alarm(60);                                     // a hang is a failure too
    const rlimit limit{256UL << 20, 256UL << 20};  // bytes of address space; each thread's stack wants 8 MiB
    setrlimit(RLIMIT_AS, &limit);
    try {
      const Team team(1000);
    } catch (const Error& error) {
      std::fputs(error.what(), stderr);
      std::_Exit(3);
    }
    std::_Exit(4);
  };
  EXPECT_EXIT(start_too_many(), ::testing::ExitedWithCode(3), "of 1000 threads could be started");
}
#endif

}  // namespace
}  // namespace signfold
