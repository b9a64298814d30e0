// Standard input and output in the place of files, parts of a code file, and what goes wrong on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRows = 10'000;  // several blocks of codes
constexpr std::size_t kDim = 16;
constexpr const char* kPrepare = "umask 022; ";

class Streams : public ::testing::Test {
 protected:
  void SetUp() override {
    work.write("x.npy", npy_floats(kRows, kDim, values));
    ASSERT_EQ(
        work.run({"fit", work.path("x.npy"), "--rate", "1", "--decoder", "rigamp:1", "--out", work.path("m.sfm")}).code,
        0);
    ASSERT_EQ(work.run({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("x.sfc")}).code, 0);
    ASSERT_EQ(
        work.run({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--out", work.path("back.npy")}).code,
        0);
    before = work.files();
  }
  Outcome sh(const std::string& script) const { return work.shell(kPrepare + script); }
  Outcome python(const std::string& program) const {
    return sh("'" SIGNFOLD_PYTHON "' -c \"import numpy as np; " + program + "\"");
  }
  /// Code 2, one line with the text, and no new file.
  void expect_error(const Outcome& outcome, const std::string& message) {
    SCOPED_TRACE(outcome.err);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, AllOf(StartsWith("signfold"), HasSubstr(message)));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
    EXPECT_THAT(work.files(), ::testing::ElementsAreArray(before));
  }
  std::string back(std::size_t first, std::size_t count) const {
    const std::string all = work.read("back.npy");
    return all.substr(all.size() - 4 * kDim * (kRows - first), 4 * kDim * count);
  }

  Workplace work;
  std::vector<float> values = sparse_values(kRows * kDim);
  std::vector<std::string> before;
};

TEST_F(Streams, EncodingThroughPipesGivesTheBytesOfTheFile) {
  for (const char* producer : {"cat x.npy", "gzip -c x.npy"}) {
    const Outcome outcome = sh(std::string(producer) + R"( | "$SIGNFOLD" encode m.sfm - --out -)");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(outcome.out == work.read("x.sfc"));
    EXPECT_THAT(outcome.err, StartsWith("standard output: 10000 vectors of 16 coordinates"));
  }
  const Outcome json = sh(R"("$SIGNFOLD" encode m.sfm - --out - --json < x.npy 2> report > y.sfc; cat report)");
  EXPECT_EQ(json.json()["bytes"], work.read("x.sfc").size());
  EXPECT_EQ(work.read("y.sfc"), work.read("x.sfc"));
}

TEST_F(Streams, DecodingThroughPipesGivesTheBytesOfTheFile) {
  const Outcome outcome = sh(R"(cat x.sfc | "$SIGNFOLD" decode - --model m.sfm --out -)");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out == work.read("back.npy"));
  const Outcome both =
      sh(R"("$SIGNFOLD" encode m.sfm - --out - < x.npy 2>/dev/null | "$SIGNFOLD" decode - --model m.sfm --out y.npy)");
  EXPECT_EQ(both.code, 0) << both.err;
  EXPECT_THAT(both.out, StartsWith("y.npy: 10000 vectors"));
  EXPECT_EQ(work.read("y.npy"), work.read("back.npy"));
}

TEST_F(Streams, NamedPipesAndDevicesAreNotReplaced) {
  const Outcome outcome = sh(
      R"(mkfifo in out && (cat x.npy > in &) && (cat out > copy &) && "$SIGNFOLD" encode m.sfm in --out out && test -p in && test -p out)");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  wait_until([&] { return work.read("copy").size() >= work.read("x.sfc").size(); });
  EXPECT_EQ(work.read("copy"), work.read("x.sfc"));
  EXPECT_EQ(sh(R"("$SIGNFOLD" encode m.sfm x.npy --out /dev/null && test -c /dev/null)").code, 0);
}

TEST_F(Streams, StandardInputAndOutputHaveOtherNames) {
  // Not /dev/stdout into a file: a program that renames over it, run by root, would take it from the whole machine.
  for (const char* out : {"/dev/stdout | cat > y.sfc", "/dev/fd/1 | cat > y.sfc", "/proc/self/fd/1 | cat > y.sfc",
                          "/dev/fd/1 > y.sfc", "/proc/self/fd/1 > y.sfc"}) {
    SCOPED_TRACE(out);
    const Outcome outcome = sh(std::string(R"("$SIGNFOLD" encode m.sfm /dev/stdin < x.npy --out )") + out);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("standard output: 10000 vectors"));
    EXPECT_TRUE(work.read("y.sfc") == work.read("x.sfc"));
  }
  EXPECT_EQ(sh("test -L /dev/stdout").code, 0);
  std::filesystem::remove(work.path("y.sfc"));
  for (const char* in : {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}) {
    SCOPED_TRACE(in);
    expect_error(sh(R"("$SIGNFOLD" encode m.sfm )" + std::string(in) + " --out y.sfc < /dev/null"),
                 "standard input is empty");
  }
  // What has been read of a file stays read, as with "-".
  work.write("shifted", "1234567" + work.read("x.sfc"));
  const Outcome rest =
      sh(R"((dd bs=7 count=1 of=skipped 2>/dev/null; "$SIGNFOLD" decode /dev/stdin --model m.sfm --out -) < shifted)");
  EXPECT_TRUE(rest.out == work.read("back.npy")) << rest.err;
}

TEST_F(Streams, AnArrayInFortranOrderPassesThroughAPipeToo) {
  const Outcome made = python("np.save('f.npy', np.asfortranarray(np.load('x.npy')))");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(sh(R"(cat f.npy | "$SIGNFOLD" encode m.sfm - --out -)").out == work.read("x.sfc"));
}

TEST_F(Streams, WhatBreaksOffIsIncomplete) {
  for (const int bytes : {0, 10, 100, 5'000, 20'000}) {
    const std::string head = "head -c " + std::to_string(bytes) + " x.sfc | ";
    expect_error(sh(head + R"("$SIGNFOLD" decode - --model m.sfm --out y.npy)"), "standard input is");
    expect_error(sh(head + R"("$SIGNFOLD" decode - --model m.sfm --out - > /dev/null)"), "standard input is");
  }
  expect_error(sh(R"((cat x.sfc; echo) | "$SIGNFOLD" decode - --model m.sfm --out y.npy)"), "bytes follow its end");
  expect_error(sh(R"(head -c 100000 x.npy | "$SIGNFOLD" encode m.sfm - --out y.sfc)"), "standard input is truncated");
  // What may have been written by then cannot be taken back, but nobody takes it for whole.
  const Outcome half = sh(R"(head -c 500000 x.npy | "$SIGNFOLD" encode m.sfm - --out - > y.sfc)");
  EXPECT_EQ(half.code, 2);
  EXPECT_EQ(work.run({"verify", work.path("y.sfc")}).code, 2);
  EXPECT_EQ(sh(R"("$SIGNFOLD" decode - --model m.sfm --out z.npy < y.sfc)").code, 2);
  EXPECT_FALSE(work.exists("z.npy"));
}

TEST_F(Streams, FormatsThatLookAheadNeedAFile) {
  const Outcome made = python("np.savez('x.npz', np.load('x.npy'))");
  ASSERT_EQ(made.code, 0) << made.err;
  before = work.files();
  expect_error(sh(R"(cat x.npz | "$SIGNFOLD" encode m.sfm - --out y.sfc)"), "save it to a file");
  expect_error(sh(R"("$SIGNFOLD" encode m.sfm - --out y.sfc < /dev/null)"), "standard input is empty");
  expect_error(sh(R"(cat x.sfc | "$SIGNFOLD" decode - --model m.sfm --rows 3 --out y.npy)"), "save it to a file");
}

TEST_F(Streams, AFullDiskIsAnError) {
  expect_error(sh(R"("$SIGNFOLD" encode m.sfm x.npy --out - > /dev/full)"),
               "cannot write standard output: No space left");
  expect_error(sh(R"("$SIGNFOLD" decode x.sfc --model m.sfm --out /dev/full)"),
               "cannot write /dev/full: No space left");
  // A limit of the size of files stands for a disk that fills while a file is written.
  expect_error(sh(R"(trap '' XFSZ; ulimit -f 100; "$SIGNFOLD" decode x.sfc --model m.sfm --out y.npy)"),
               "cannot write y.npy");
}

TEST_F(Streams, AReaderThatLeavesEndsTheProgramQuietlyOrWithALine) {
  const Outcome killed = sh(R"(("$SIGNFOLD" decode x.sfc --model m.sfm --out -; echo $? > code) | head -c 10)");
  EXPECT_EQ(killed.err, "");
  EXPECT_EQ(work.read("code"), std::to_string(128 + SIGPIPE) + "\n");
  const Outcome told =
      sh(R"(trap '' PIPE; ("$SIGNFOLD" decode x.sfc --model m.sfm --out -; echo $? > code) | head -c 10)");
  EXPECT_EQ(told.err, "signfold decode: cannot write standard output: its reader is gone\n");
  EXPECT_EQ(work.read("code"), "2\n");
}

TEST_F(Streams, AnInterruptEndsTheWaitForAPipe) {
  const pid_t process =
      work.start_shell(R"(mkfifo quiet; exec 3<>quiet; exec "$SIGNFOLD" encode m.sfm - --out y.sfc < quiet)");
  wait_for_signals(process);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // so that it is most likely waiting
  kill(process, SIGINT);
  const Outcome outcome = work.finish(process);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_EQ(outcome.err, "signfold encode: interrupted\n");
  EXPECT_FALSE(work.exists("y.sfc"));
}

TEST_F(Streams, AnInterruptEndsTheWaitForTheOtherEndOfANamedPipe) {
  ASSERT_EQ(sh("mkfifo pipe").code, 0);
  before = work.files();
  for (const char* files : {"pipe --out y.sfc", "x.npy --out pipe"}) {
    SCOPED_TRACE(files);
    const pid_t process = work.start_shell(std::string(R"(exec "$SIGNFOLD" encode m.sfm )") + files);
    wait_for_signals(process);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // so that it is most likely waiting
    kill(process, SIGTERM);
    const Outcome outcome = work.finish(process);
    EXPECT_EQ(outcome.code, 130);
    EXPECT_EQ(outcome.err, "signfold encode: interrupted\n");
    EXPECT_EQ(work.files(), before);
  }
}

TEST_F(Streams, SignalsThatComeTogetherAreOneWish) {
  // `timeout` sends two, and the second must not end the program while it tidies up.
  ASSERT_EQ(sh("mkfifo pipe").code, 0);
  before = work.files();
  const pid_t process =
      work.start_shell(R"(exec 3<>pipe; head -c 1000 x.npy >&3; exec "$SIGNFOLD" encode m.sfm pipe --out y.sfc)");
  ASSERT_TRUE(wait_until([&] { return work.files().size() > before.size(); })) << "the temporary file of y.sfc";
  for (const auto start = Clock::now(); Clock::now() - start < std::chrono::milliseconds(200);) {
    kill(process, SIGTERM);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  const Outcome outcome = work.finish(process);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_EQ(outcome.err, "signfold encode: interrupted\n");
  EXPECT_EQ(work.files(), before);
}

TEST_F(Streams, ALaterSignalKills) {
  // Printing to a pipe that is full looks at no wish to end.
  const pid_t process =
      work.start_shell(R"(mkfifo full; exec 3<>full; dd if=/dev/zero of=full bs=4096 oflag=nonblock 2>&-; )"
                       R"(exec "$SIGNFOLD" help-markdown >&3)");
  wait_for_signals(process);
  const auto start = Clock::now();
  const auto ended = [&] {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == process;
  };
  const bool killed = wait_until([&] {
    kill(process, SIGTERM);
    return ended();
  });
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(490));  // half a second by a clock of whole milliseconds
  if (!killed) kill(process, SIGKILL);
  EXPECT_EQ(work.finish(process).code, 128 + SIGTERM);
}

TEST_F(Streams, AStandardStreamIsTheFileItWasRedirectedTo) {
  expect_error(sh(R"("$SIGNFOLD" encode m.sfm - --out x.npy < x.npy)"),
               "--out x.npy would overwrite standard input, which is read: name another file");
  expect_error(sh(R"("$SIGNFOLD" decode - --model m.sfm --out x.sfc < x.sfc)"), "would overwrite standard input");
  expect_error(sh(R"("$SIGNFOLD" encode m.sfm x.npy --out - >> x.npy)"),
               "standard output would overwrite x.npy, which is read: name another file");
  expect_error(sh(R"("$SIGNFOLD" encode m.sfm - --out - < x.npy >> x.npy)"), "would overwrite standard input");
  EXPECT_EQ(work.read("x.npy"), npy_floats(kRows, kDim, values));
  EXPECT_EQ(sh(R"(cp x.sfc old.sfc; "$SIGNFOLD" encode m.sfm - --out old.sfc < x.npy)").code, 0);
}

TEST_F(Streams, ClosedAndFullOutputsChangeNoExitCode) {
  for (const char* to : {"2>&-", "2> /dev/full"}) {
    SCOPED_TRACE(to);
    const std::string redirected = to;
    EXPECT_EQ(sh(R"("$SIGNFOLD" info none )" + redirected).code, 2);
    EXPECT_EQ(sh(R"("$SIGNFOLD" spam )" + redirected).code, 2);
    // The report is lost; the data are what was asked for.
    const Outcome data = sh(R"("$SIGNFOLD" encode m.sfm x.npy --out - )" + redirected);
    EXPECT_EQ(data.code, 0);
    EXPECT_TRUE(data.out == work.read("x.sfc"));
  }
  expect_error(sh(R"("$SIGNFOLD" info m.sfm >&-)"), "cannot write to standard output: Bad file descriptor");
  expect_error(sh(R"("$SIGNFOLD" info m.sfm > /dev/full)"), "cannot write to standard output: No space left");
}

TEST_F(Streams, ATerminalThatIsClosedDoesNotEndTheWork) {
  // It is there when the program looks for one, and gone when the first progress is shown.
  work.write("run.py", R"(
import glob, os, pty, subprocess, sys, time
master, slave = pty.openpty()
run = subprocess.Popen([sys.argv[1], "encode", "m.sfm", "-", "--out", "y.sfc"], stdin=subprocess.PIPE,
                       stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
data = open("x.npy", "rb").read()
run.stdin.write(data[:1000])
run.stdin.flush()
while not glob.glob("y.sfc.signfold-*") and run.poll() is None: time.sleep(0.01)
time.sleep(0.1)
os.close(master)
run.stdin.write(data[1000:])
run.stdin.close()
sys.exit(run.wait() % 256)
)");
  const Outcome outcome = sh("'" SIGNFOLD_PYTHON R"(' run.py "$SIGNFOLD")");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(work.read("y.sfc") == work.read("x.sfc"));
}

TEST_F(Streams, RowsAreDecodedAlone) {
  struct Case {
    const char* rows;
    std::size_t first, count;
  };
  for (const Case& c : {Case{"0", 0, 1},
                        {"4096", 4096, 1},
                        {"-1", kRows - 1, 1},
                        {"4000:4200", 4000, 200},
                        {":3", 0, 3},
                        {"9990:", 9990, 10},
                        {"-5:-2", kRows - 5, 3},
                        {":", 0, kRows}}) {
    SCOPED_TRACE(c.rows);
    const Outcome outcome = work.run({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--rows", c.rows,
                                      "--out", work.path("part.npy"), "--json"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.json()["vectors"], c.count);
    EXPECT_EQ(outcome.json()["first"], c.first);
    EXPECT_TRUE(work.read("part.npy").ends_with(back(c.first, c.count)));
    EXPECT_EQ(work.read("part.npy").size() % 64, 4 * kDim * c.count % 64);
  }
}

TEST_F(Streams, RowsThatAreNotThereAreErrors) {
  for (const auto& [rows, message] : {std::pair{"10000", "10000 vectors"},
                                      {"-10001", "10000 vectors"},
                                      {"5:5", "holds no vector"},
                                      {"7:3", "holds no vector"},
                                      {"0:10001", "10000 vectors"},
                                      {"x", "write it as A:B"},
                                      {"1:2:3", "write it as A:B"},
                                      {"1.5", "write it as A:B"},
                                      {"99999999999999999999", "write it as A:B"}}) {
    expect_error(work.run({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--rows", rows, "--out",
                           work.path("part.npy")}),
                 message);
  }
  // The checksums of the block that is asked for are compared, and only those.
  std::string damaged = work.read("x.sfc");
  damaged[damaged.size() - 100] ^= 1;
  work.write("x.sfc", damaged);
  expect_error(work.run({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--rows", "9000", "--out",
                         work.path("part.npy")}),
               "checksum");
  EXPECT_EQ(work.run({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--rows", "0", "--out",
                      work.path("part.npy")})
                .code,
            0);
}

TEST_F(Streams, VerifySaysWhichFilesAreSound) {
  const Outcome good = sh(R"("$SIGNFOLD" verify m.sfm x.sfc x.npy)");
  EXPECT_EQ(good.code, 0);
  EXPECT_EQ(good.err, "");
  EXPECT_EQ(good.out,
            "m.sfm: OK, a model, 16 bits for 16 coordinates\n"
            "x.sfc: OK, a code file, 10000 vectors of 16 bits\n"
            "x.npy: OK, 10000 vectors of 16 coordinates\n");
  for (const char* name : {"m.sfm", "x.sfc"}) {
    std::string damaged = work.read(name);
    damaged[damaged.size() / 2] ^= 4;
    work.write(std::string("bad ") + name, damaged);
  }
  work.write("cut.npy", work.read("x.npy").substr(0, 1000));
  const Outcome bad = sh(R"("$SIGNFOLD" verify m.sfm 'bad m.sfm' 'bad x.sfc' cut.npy missing)");
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(bad.err, "signfold verify: 4 of 5 files are not sound\n");
  EXPECT_EQ(std::count(bad.out.begin(), bad.out.end(), '\n'), 5);
  for (const char* line : {"m.sfm: OK", "bad m.sfm: FAILED, bad m.sfm is damaged", "bad x.sfc: FAILED",
                           "cut.npy: FAILED, cut.npy is truncated", "missing: FAILED, cannot read missing"}) {
    EXPECT_THAT(bad.out, HasSubstr(line));
  }
  const Outcome json = sh(R"("$SIGNFOLD" verify --json m.sfm cut.npy)");
  EXPECT_EQ(json.code, 2);
  EXPECT_EQ(json.json()["ok"], false);
  EXPECT_EQ(json.json()["files"][0]["ok"], true);
  EXPECT_THAT(json.json()["files"][1]["error"], HasSubstr("truncated"));
}
}  // namespace
}  // namespace signfold::testing
