// signfold reproduce: what it leaves behind, what it never does twice, what it skips and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

class Reproduce : public ::testing::Test {
 protected:
  std::vector<std::string> beyond(const std::string& out, const std::string& threads = "1") const {
    return {"reproduce", "beyond", "--quick", "--out", work.path(out), "--threads", threads, "--json"};
  }
  /// Its report on the only figure that was asked for.
  Json figure(const std::vector<std::string>& args) const {
    const Outcome outcome = work.run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const Json figures = outcome.json()["figures"];
    EXPECT_EQ(figures.size(), 1U);
    return figures[0];
  }
  /// Points that lie there completely.
  std::size_t stored(const std::string& out) const {
    const std::filesystem::path points = work.path(out + "/points/beyond");
    if (!std::filesystem::exists(points)) return 0;
    const std::filesystem::directory_iterator entries(points);
    return static_cast<std::size_t>(
        std::count_if(begin(entries), end(entries), [](const auto& e) { return e.path().extension() == ".json"; }));
  }
  /// One line with all of these, code 2, nothing on standard output.
  void expect_mistake(const std::vector<std::string>& args, const std::vector<std::string>& parts) const {
    const Outcome outcome = work.run(args);
    SCOPED_TRACE(outcome.err);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("signfold reproduce: "));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
    for (const std::string& part : parts) EXPECT_THAT(outcome.err, HasSubstr(part));
  }
  /// A data directory with text where images should be.
  std::string wrong_data() const {
    for (const char* file :
         {"cifar10/train_dog.bin", "mnist/train-images-idx3-ubyte.gz", "mnist/t10k-images-idx3-ubyte.gz",
          "fashion-mnist/train-images-idx3-ubyte.gz", "fashion-mnist/t10k-images-idx3-ubyte.gz"}) {
      const std::string name = std::string("data/") + file;
      std::filesystem::create_directories(std::filesystem::path(work.path(name)).parent_path());
      work.write(name, "The page you asked for was not found.\n");
    }
    return work.path("data");
  }
  Workplace work;
};

TEST_F(Reproduce, WritesEverythingOnceAndComputesNothingTwice) {
  const Json first = figure(beyond("deep/er", "2"));
  EXPECT_EQ(first["name"], "beyond");
  EXPECT_GT(first["points"], 0);
  EXPECT_EQ(first["computed"], first["points"]);
  for (const char* kind : {"csv", "svg", "png"}) {
    if (!first.contains(kind)) {
      EXPECT_NE(kind, std::string("csv"));
      continue;  // no gnuplot here
    }
    EXPECT_TRUE(std::filesystem::exists(std::string(first[kind]))) << first[kind];
  }
  EXPECT_FALSE(first["verdicts"].empty());
  const std::string csv = work.read("deep/er/beyond.csv");
  EXPECT_THAT(csv, StartsWith("seed,version,"));
  EXPECT_THAT(work.read("deep/er/report.html"), HasSubstr("beyond"));

  const Json second = figure(beyond("deep/er", "1"));
  EXPECT_EQ(second["points"], first["points"]);
  EXPECT_EQ(second["computed"], 0);
  EXPECT_EQ(second["verdicts"], first["verdicts"]);
  EXPECT_EQ(work.read("deep/er/beyond.csv"), csv);
}

TEST_F(Reproduce, KilledItLosesAtMostThePointInHand) {
  constexpr std::size_t kSome = 4;
  const pid_t process = work.start(beyond("out", "2"));
  wait_until([&] { return stored("out") >= kSome; });
  kill(process, SIGKILL);
  EXPECT_EQ(work.finish(process).code, 128 + SIGKILL);
  const std::size_t kept = stored("out");
  ASSERT_GE(kept, kSome);
  EXPECT_FALSE(work.exists("out/report.html"));

  const Json resumed = figure(beyond("out", "1"));
  EXPECT_EQ(resumed["computed"], std::size_t(resumed["points"]) - kept);
  figure(beyond("whole", "2"));
  EXPECT_EQ(work.read("out/beyond.csv"), work.read("whole/beyond.csv"));  // whatever the number of threads
}

TEST_F(Reproduce, CtrlCSaysHowMuchIsKept) {
  const pid_t process = work.start(beyond("out"));
  wait_until([&] { return stored("out") >= 1; });
  kill(process, SIGINT);
  const Outcome outcome = work.finish(process);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("stopped after"), HasSubstr("the same command goes on")));
}

TEST_F(Reproduce, MissingDataAreSkippedWithWhereToGetThem) {
  const std::vector<std::string> args = {"reproduce",          "cifar",     "--out", work.path("out"), "--data",
                                         work.path("nowhere"), "--threads", "1"};
  const Outcome outcome = work.run(args);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("cifar: skipped"), HasSubstr(work.path("nowhere/cifar10/train_dog.bin")),
                                 HasSubstr("CIFAR-10"), HasSubstr("https://")));
  EXPECT_THAT(work.read("out/report.html"), AllOf(HasSubstr("Skipped"), HasSubstr("cifar10/train_dog.bin")));
  EXPECT_THAT(work.run({"reproduce", "--help"}).out, HasSubstr("is skipped"));
}

TEST_F(Reproduce, AWrongFileIsAnErrorThatNamesIt) {
  const std::string data = wrong_data();
  for (const auto& [figure, file] :
       {std::pair{"cifar", "cifar10/train_dog.bin"}, std::pair{"mnist", "mnist/train-images-idx3-ubyte.gz"}}) {
    expect_mistake({"reproduce", figure, "--out", work.path("out"), "--data", data, "--threads", "1"},
                   {work.path(std::string("data/") + file)});
  }
  EXPECT_FALSE(work.exists("out/report.html"));
  EXPECT_FALSE(work.exists("out/points"));
}

TEST_F(Reproduce, MistakesAreOneLine) {
  expect_mistake({"reproduce", "beyonnd", "--out", work.path("out")}, {"beyonnd", "beyond"});
  expect_mistake({"reproduce", "beyond", "--quick", "--full", "--out", work.path("out")}, {"--quick", "--full"});
  expect_mistake({"reproduce", "beyond"}, {"--out"});
  work.write("file", "");
  expect_mistake({"reproduce", "beyond", "--out", work.path("file/out")}, {work.path("file/out")});
  EXPECT_THAT(work.files(), ElementsAre("file"));
}

TEST_F(Reproduce, ADamagedPointIsAnErrorThatNamesIt) {
  const pid_t process = work.start(beyond("out"));
  wait_until([&] { return stored("out") >= 1; });
  kill(process, SIGKILL);
  work.finish(process);
  ASSERT_GE(stored("out"), 1U);
  std::string point;
  for (const auto& entry : std::filesystem::directory_iterator(work.path("out/points/beyond"))) {
    if (entry.path().extension() == ".json") point = entry.path();
  }
  const std::string name = "out/points/beyond/" + std::filesystem::path(point).filename().string();
  std::string bytes = work.read(name);
  bytes[bytes.size() / 2] ^= 1;
  work.write(name, bytes);
  expect_mistake(beyond("out"), {point, "delete it"});
}
}  // namespace
}  // namespace signfold::testing
