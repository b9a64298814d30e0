// mpirun signfold: training and figures that several processes share, and what happens when one of them is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// Ranks of one machine that may share processors, as root too: what a test must assume. Nothing starts over ssh, and
// what must end is not given a second for it.
constexpr const char* kMpirun =
    "mpirun --allow-run-as-root --oversubscribe --mca plm isolated --mca btl self,vader "
    "--mca btl_vader_single_copy_mechanism none --mca odls_base_sigkill_timeout 0 "
    "--timeout 200 -np ";

class Mpi : public ::testing::Test {
 protected:
  void SetUp() override {
    if (work.shell("mpirun --version").out.find("Open MPI") == std::string::npos)
      GTEST_SKIP() << "no mpirun of Open MPI";
    if (work.shell("ldd $SIGNFOLD").out.find("libmpi") == std::string::npos) {
      GTEST_SKIP() << "the program was built without MPI";
    }
  }
  Outcome ranks(int count, const std::string& command) const {
    return work.shell(kMpirun + std::to_string(count) + " " + command);
  }
  std::string training(const std::string& out) const {
    return "\"$SIGNFOLD\" train --prior sparse-rademacher:0.8 --dim 64 --rate 1 --decoder untied --batch 66 --steps 25 "
           "--step-size 0.03 --threads 1 --json --out " +
           out;
  }
  Json trained(int count, const std::string& out) const {
    const Outcome outcome = count == 0 ? work.shell(training(out)) : ranks(count, training(out));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? outcome.json() : Json();
  }
  Workplace work;
};

TEST_F(Mpi, TrainingDoesNotDependOnTheNumberOfRanks) {
  const Json alone = trained(0, "alone.sfm");
  EXPECT_GT(std::abs(alone["history"].back()[1].get<double>() - alone["history"][0][1].get<double>()), 0.01)
      << "there was nothing to compare";
  trained(1, "one.sfm");
  EXPECT_TRUE(work.read("one.sfm") == work.read("alone.sfm")) << "one rank is no other than a process alone";
  for (const int count : {2, 4}) {
    SCOPED_TRACE(count);
    const Json shared = trained(count, "shared.sfm");
    // Sums of 66 float32 products in another order: 4e-9 in the risk. Where that turns a sign, one of 66 x 64 in a
    // batch or of 1024 x 64 in the vectors that are watched, the risk moves by some 1e-5.
    EXPECT_NEAR(shared["risk"].get<double>(), alone["risk"].get<double>(), 1e-4);
    ASSERT_EQ(shared["history"].size(), alone["history"].size());
    for (std::size_t i = 0; i < alone["history"].size(); ++i) {
      EXPECT_EQ(shared["history"][i][0], alone["history"][i][0]);
      EXPECT_NEAR(shared["history"][i][1].get<double>(), alone["history"][i][1].get<double>(), 1e-4);
    }
  }
  trained(4, "again.sfm");
  EXPECT_TRUE(work.read("again.sfm") == work.read("shared.sfm")) << "as many ranks, the same bytes";
  EXPECT_THAT(work.files(), ::testing::ElementsAre("again.sfm", "alone.sfm", "one.sfm", "shared.sfm"));
}

TEST_F(Mpi, ALostRankEndsTheJobAndLeavesAGoodCheckpoint) {
  const std::string train =
      "train --prior gaussian --dim 16 --rate 1 --batch 16 --steps 100000 --threads 1 --out m.sfm";
  // Each rank leaves its process id, which stays when the shell becomes the program.
  const auto start = [&](const std::string& more) {
    for (const char* name : {"pid0", "pid1"}) std::filesystem::remove(work.path(name));
    return work.start_shell(kMpirun + ("2 sh -c 'echo $$ > t$OMPI_COMM_WORLD_RANK; mv t$OMPI_COMM_WORLD_RANK "
                                       "pid$OMPI_COMM_WORLD_RANK; exec \"$0\" " +
                                       train + more + "' \"$SIGNFOLD\""));
  };
  const auto wait_for = [&](const std::string& name) {
    ASSERT_TRUE(wait_until([&] { return work.exists(name); })) << name;
  };
  const auto pid = [&](const std::string& name) { return static_cast<pid_t>(std::stoi(work.read(name))); };

  // Asked to stop, the first rank saves what all have done.
  pid_t job = start("");
  for (const char* name : {"pid0", "pid1", "m.sfm.checkpoint"}) wait_for(name);
  wait_for_signals(pid("pid1"));
  kill(pid("pid1"), SIGTERM);  // the others leave that to the first
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  kill(pid("pid0"), SIGTERM);
  const Outcome stopped = work.finish(job);
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("signfold train: stopped after step "));
  EXPECT_THAT(stopped.err, AllOf(Not(HasSubstr("after step 0 of")), Not(HasSubstr("rank 1:"))));
  const std::string checkpoint = work.read("m.sfm.checkpoint");

  // A rank that is killed takes the others with it.
  job = start(" --resume");
  for (const char* name : {"pid0", "pid1"}) wait_for(name);
  wait_for_signals(pid("pid1"));
  ASSERT_EQ(kill(pid("pid1"), SIGKILL), 0) << "the run was too short";
  const Outcome lost = work.finish(job);
  EXPECT_EQ(lost.code, 128 + SIGKILL) << lost.err;
  EXPECT_THAT(lost.err, AllOf(HasSubstr("mpirun noticed that process rank 1"), HasSubstr("signal 9")));
  EXPECT_FALSE(work.exists("m.sfm"));
  EXPECT_TRUE(work.read("m.sfm.checkpoint") == checkpoint);

  const Outcome resumed = work.shell("\"$SIGNFOLD\" " + train + " --resume --json");
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(resumed.json()["steps"], 100000);
  EXPECT_NEAR(resumed.json()["risk"].get<double>(), 1 - 2 / M_PI, 0.02);  // what a rotation has; training cannot gain
  EXPECT_FALSE(work.exists("m.sfm.checkpoint"));
}

TEST_F(Mpi, FiguresGoOnWhereALostRankLeftThem) {
  const auto points = [&] {
    std::vector<std::string> names;
    std::error_code none_yet;
    for (const auto& entry : std::filesystem::directory_iterator(work.path("results/points/beyond"), none_yet)) {
      if (entry.path().extension() == ".json") names.push_back(entry.path());
    }
    return names;
  };
  const pid_t job = work.start_shell(kMpirun + std::string("2 sh -c 'echo $$ > pid$OMPI_COMM_WORLD_RANK; exec \"$0\" "
                                                           "reproduce beyond --quick --threads 1 --out results' "
                                                           "\"$SIGNFOLD\""));
  for (int i = 0; i < 60000 && points().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_EQ(kill(static_cast<pid_t>(std::stoi(work.read("pid1"))), SIGKILL), 0) << "the run was too short";
  EXPECT_EQ(work.finish(job).code, 128 + SIGKILL);
  EXPECT_FALSE(work.exists("results/beyond.csv"));
  const std::size_t kept = points().size();
  ASSERT_GE(kept, 1U);

  const Outcome again = ranks(2, "\"$SIGNFOLD\" reproduce beyond --quick --threads 1 --json --out results");
  ASSERT_EQ(again.code, 0) << again.err;
  const Json figure = again.json()["figures"][0];
  EXPECT_EQ(figure["computed"].get<std::size_t>() + kept, figure["points"].get<std::size_t>());
  EXPECT_TRUE(work.exists("results/beyond.csv"));
}

TEST_F(Mpi, WhatGoesWrongEverywhereIsToldOnce) {
  const Outcome outcome = ranks(2,
                                "\"$SIGNFOLD\" train --prior gaussian --dim 16 --rate 1 --batch 4 --method population "
                                "--out m.sfm");
  EXPECT_EQ(outcome.code, 2);
  const std::string line = "signfold train: --batch has no meaning for method population\n";
  EXPECT_THAT(outcome.err, HasSubstr(line));
  EXPECT_THAT(outcome.err, Not(HasSubstr("rank 1:")));
  EXPECT_THAT(work.files(), ::testing::IsEmpty());
}

TEST_F(Mpi, WhatGoesWrongInOneRankEndsAll) {
  const Outcome outcome =
      ranks(2,
            "sh -c 'exec \"$0\" train --prior gaussian --dim 16 --rate 1 --steps 100000 --out m.sfm --seed "
            "$OMPI_COMM_WORLD_RANK' \"$SIGNFOLD\"");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("signfold train: rank 1: this rank starts from other numbers than rank 0"));
  EXPECT_FALSE(work.exists("m.sfm"));
}

TEST_F(Mpi, FiguresAreTheSameHoweverManyComputeThem) {
  const std::string reproduce = "\"$SIGNFOLD\" reproduce beyond --quick --threads 1 --json --out results";
  const Outcome shared = ranks(2, reproduce);
  ASSERT_EQ(shared.code, 0) << shared.err;
  EXPECT_EQ(shared.json()["figures"][0]["computed"], shared.json()["figures"][0]["points"]);
  const std::string table = work.read("results/beyond.csv");
  EXPECT_GT(std::ranges::count(table, '\n'), 20);
  EXPECT_TRUE(work.exists("results/report.html"));

  // One process alone computes every third point again: of either rank, and without the time for all.
  std::vector<std::filesystem::path> points;
  for (const auto& entry : std::filesystem::directory_iterator(work.path("results/points/beyond"))) {
    points.push_back(entry.path());
  }
  std::ranges::sort(points);
  std::size_t again = 0;
  for (std::size_t i = 0; i < points.size(); i += 3) again += std::filesystem::remove(points[i]) ? 1 : 0;
  std::filesystem::remove(work.path("results/beyond.csv"));
  const Outcome alone = work.shell(reproduce);
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_EQ(alone.json()["figures"][0]["computed"], again);
  EXPECT_TRUE(work.read("results/beyond.csv") == table);
  EXPECT_EQ(alone.json()["figures"][0]["verdicts"], shared.json()["figures"][0]["verdicts"]);
}

}  // namespace
}  // namespace signfold::testing
