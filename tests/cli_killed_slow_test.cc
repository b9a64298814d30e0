// kill -9 at any moment: never a file that is taken for whole, and the next run puts everything right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRows = 20'000;
constexpr std::size_t kDim = 256;
constexpr int kKills = 100;

class Killed : public ::testing::Test {
 protected:
  void SetUp() override {
    work.write("x.npy", npy_floats(kRows, kDim, sparse_values(kRows * kDim)));
    ASSERT_EQ(work.run({"fit", work.path("x.npy"), "--rate", "1", "--max-rows", "1000", "--decoder", "linear", "--out",
                        work.path("m.sfm")})
                  .code,
              0);
  }
  pid_t start() const {
    return work.start({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("x.sfc")});
  }
  std::vector<std::string> temporary_files() const {
    std::vector<std::string> names;
    for (const std::string& name : work.files()) {
      if (name.starts_with("x.sfc.signfold-")) names.push_back(name);
    }
    return names;
  }
  Workplace work;
};

TEST_F(Killed, NothingHalfWrittenIsTakenForWhole) {
  const auto begin = Clock::now();
  ASSERT_EQ(work.finish(start()).code, 0);
  std::chrono::duration<double> whole_run = Clock::now() - begin;
  const std::string whole = work.read("x.sfc");
  std::filesystem::remove(work.path("x.sfc"));

  std::mt19937 random(1);  // moments between the start and a little after the end of a run
  int killed = 0;
  int finished = 0;
  int left = 0;
  for (int i = 0; i < kKills; ++i) {
    const pid_t process = start();
    std::this_thread::sleep_for(whole_run * (1.1 * static_cast<double>(random()) / 4294967296.0));
    kill(process, SIGKILL);
    const bool hit = work.finish(process).code == 128 + SIGKILL;
    (hit ? killed : finished) += 1;
    whole_run *= hit ? 1.03 : 0.9;  // the first run may have been slower or faster than those that follow
    if (work.exists("x.sfc")) {
      ASSERT_TRUE(work.read("x.sfc") == whole) << "run " << i;
      std::filesystem::remove(work.path("x.sfc"));
    }
    // Each run removes what the one before left, so that at most its own is there.
    ASSERT_LE(temporary_files().size(), 1U);
    for (const std::string& name : temporary_files()) {
      const bool complete = work.read(name) == whole;  // killed between its last byte and its name
      ASSERT_TRUE(complete || work.run({"verify", work.path(name)}).code == 2) << "run " << i << ": " << name;
    }
    left += static_cast<int>(temporary_files().size());
  }
  EXPECT_GT(killed, kKills / 2);
  EXPECT_GT(left, kKills / 10) << "hardly any run was hit while it wrote: the moments are wrong";
  ASSERT_EQ(work.finish(start()).code, 0);
  EXPECT_TRUE(work.read("x.sfc") == whole);
  EXPECT_TRUE(temporary_files().empty());
  EXPECT_EQ(work.run({"verify", work.path("x.sfc")}).code, 0);
  RecordProperty("killed", killed);
  RecordProperty("left_a_temporary_file", left);
  std::printf("one run about %.3f s; %d killed, %d had finished, %d left a temporary file\n", whole_run.count(), killed,
              finished, left);
}

TEST_F(Killed, ARunDoesNotTouchTheTemporaryFileOfAnotherThatLives) {
  ASSERT_EQ(work.finish(start()).code, 0);
  const std::string whole = work.read("x.sfc");
  // The first one waits for its input, with its temporary file open, while the second one runs.
  const pid_t first = work.start_shell(
      R"(mkfifo in; exec 3<>in; head -c 1000 x.npy >&3; exec "$SIGNFOLD" encode m.sfm in --out x.sfc)");
  ASSERT_TRUE(wait_until([&] { return temporary_files().size() == 1; }));
  ASSERT_EQ(work.finish(start()).code, 0);
  EXPECT_EQ(temporary_files().size(), 1U);
  kill(first, SIGTERM);
  EXPECT_EQ(work.finish(first).code, 130);
  EXPECT_TRUE(temporary_files().empty());
  EXPECT_TRUE(work.read("x.sfc") == whole);
}
}  // namespace
}  // namespace signfold::testing
