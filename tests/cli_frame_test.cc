// The frame of the command line: help, errors, exit codes, --json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<std::string> kCommands = {"predict", "simulate", "phase", "fit",    "train", "encode",
                                            "decode",  "eval",     "info",  "verify", "demo"};

struct Mistake {
  std::vector<std::string> args;
  const char* message;  ///< a part of it
};

class Frame : public ::testing::Test {
 protected:
  Workplace work;
};

TEST_F(Frame, HelpNamesEveryCommand) {
  const Outcome help = work.run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.err, "");
  for (const std::string& command : kCommands) EXPECT_THAT(help.out, HasSubstr("\n  " + command + " "));
  EXPECT_EQ(work.run({}).out, help.out);
  EXPECT_EQ(work.run({"help"}).out, help.out);
}

TEST_F(Frame, EveryCommandHasHelpWithAnExample) {
  for (const std::string& command : kCommands) {
    SCOPED_TRACE(command);
    const Outcome help = work.run({command, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_THAT(help.out, HasSubstr("Example:\n  signfold " + command));
    EXPECT_THAT(help.out, HasSubstr("--json"));
    EXPECT_EQ(work.run({"help", command}).out, help.out);
  }
}

TEST_F(Frame, TellsItsVersion) {
  EXPECT_THAT(work.run({"--version"}).out, ::testing::MatchesRegex("signfold [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Frame, MistakesGetOneLineAndCodeTwo) {
  const std::vector<Mistake> mistakes = {
      {{"predcit"}, "signfold: unknown command 'predcit'; did you mean 'predict'?"},
      {{"frobnicate"}, "signfold: unknown command 'frobnicate'; see signfold --help"},
      {{"help", "encoed"}, "did you mean 'encode'?"},
      {{"--frobnicate"}, "unknown option '--frobnicate'"},
      {{"predict"}, "signfold predict: --prior is required"},
      {{"predict", "--prior", "gaussian", "--rat", "1"}, "unknown option '--rat'; did you mean '--rate'?"},
      {{"predict", "--prior", "gaussian", "--rate=x"}, "--rate"},
      {{"predict", "--prior", "gaussian", "--rate"}, "--rate"},
      {{"predict", "--prior", "gaussian", "--rate", "1", "more"}, "unexpected argument 'more'"},
      {{"predict", "--prior", "gaussian", "--rate", "1", "--threads", "-1"}, "--threads"},
      {{"encode", "m.sfm", "x.npy"}, "--out is required"},
  };
  for (const Mistake& mistake : mistakes) {
    const Outcome outcome = work.run(mistake.args);
    SCOPED_TRACE(outcome.err);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(mistake.message));
    EXPECT_THAT(outcome.err, StartsWith("signfold"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  }
}

TEST_F(Frame, AFileNameCannotBreakTheLine) {
  const Outcome outcome = work.run({"info", "no\nsuch\x1b[31mfile"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no such [31mfile"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
}

TEST_F(Frame, AFullDiskIsAnErrorAndAReaderThatLeftIsNot) {
  const std::string program = SIGNFOLD_PROGRAM;
  const std::string full = "'" + program + "' --help > /dev/full 2> '" + work.path("full") + "'";
  EXPECT_EQ(WEXITSTATUS(std::system(full.c_str())), 2);
  EXPECT_THAT(work.read("full"), HasSubstr("cannot write to standard output"));
  // SIGPIPE is ignored, as under some parents: the program must notice by itself. The reader is gone when it writes.
  const std::string pipe = "trap '' PIPE; (sleep 0.2; '" + program + "' --help 2> '" + work.path("pipe") +
                           "'; echo $? > '" + work.path("code") + "') | true";
  EXPECT_EQ(std::system(pipe.c_str()), 0);
  EXPECT_EQ(work.read("code"), "0\n");
  EXPECT_EQ(work.read("pipe"), "");
}

TEST_F(Frame, DocumentationIsFresh) {
  std::ifstream file(SIGNFOLD_SOURCE_DIR "/docs/cli.md");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(work.run({"help-markdown"}).out, text.str()) << "write it again: signfold help-markdown > docs/cli.md";
}
}  // namespace
}  // namespace signfold::testing
