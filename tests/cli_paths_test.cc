// Paths that lead to what is no file, nowhere, or to each other: explained, and nothing lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kRows = 100;
constexpr std::size_t kDim = 16;

class Paths : public ::testing::Test {
 protected:
  void SetUp() override {
    work.write("x.npy", npy_floats(kRows, kDim, sparse_values(kRows * kDim)));
    succeed("fit x.npy --rate 1 --decoder linear --out m.sfm");
    succeed("encode m.sfm x.npy --out x.sfc");
  }
  /// The program, in the directory of the files; it is killed if it waits for what never comes.
  Outcome run(const std::string& arguments) const {
    return work.shell(R"(exec timeout -k 1 120 "$SIGNFOLD" )" + arguments);
  }
  void succeed(const std::string& arguments) const {
    const Outcome outcome = run(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  /// Code 2, one line with the text, and every file as it was.
  void expect_error(const std::string& arguments, const std::string& message) const {
    SCOPED_TRACE(arguments);
    const std::vector<std::string> before = contents();
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, AllOf(StartsWith("signfold "), HasSubstr(message)));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
    EXPECT_TRUE(contents() == before);
  }

  Workplace work;

 private:
  std::vector<std::string> contents() const {
    std::vector<std::string> all = work.files();
    for (std::string& name : all) {
      if (std::filesystem::is_regular_file(std::filesystem::symlink_status(work.path(name)))) name += work.read(name);
    }
    return all;
  }
};

TEST_F(Paths, WhatNeedsAFileTakesNoPipe) {
  ASSERT_EQ(work.shell("mkfifo pipe").code, 0);
  for (const char* arguments : {"info pipe", "eval m.sfm pipe", "eval pipe x.npy", "fit pipe --rate 1 --out new.sfm",
                                "encode pipe x.npy --out new.sfc", "decode x.sfc --model pipe --out new.npy"}) {
    expect_error(arguments, "cannot read pipe: it is not a regular file");
  }
  expect_error("fit x.npy --rate 1 --out pipe", "cannot write pipe: it is not a regular file");
  EXPECT_THAT(run("verify pipe").out, HasSubstr("pipe: FAILED, cannot read pipe: it is not a regular file"));
}

TEST_F(Paths, ALinkInACircleIsExplained) {
  std::filesystem::create_symlink("circle", work.path("circle"));
  for (const char* arguments :
       {"info circle", "eval m.sfm circle", "fit x.npy --rate 1 --encoder dense:circle --out new.sfm",
        "truncate circle --stages 1", "truncate circle --stages 1 --out new.sfc"}) {
    expect_error(arguments, "cannot read circle: Too many levels of symbolic links");
  }
  expect_error("encode m.sfm x.npy --out circle", "cannot write circle: its links lead in a circle");
}

TEST_F(Paths, VerifyReportsEveryFileWhateverHappensToOne) {
  std::filesystem::create_symlink("circle", work.path("circle"));
  const std::string long_name(300, 'n');
  std::string files = "x.sfc circle " + long_name + " x.npy";
  std::string expected =
      "x.sfc: OK, a code file, 100 vectors of 16 bits\n"
      "circle: FAILED, cannot read circle: Too many levels of symbolic links\n" +
      long_name + ": FAILED, cannot read " + long_name + ": File name too long\n" +
      "x.npy: OK, 100 vectors of 16 coordinates\n";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they stop the program instead of throwing
  work.write("large", "SIGNFOLDT\r\n\x1a");
  std::filesystem::resize_file(work.path("large"), std::uintmax_t{1} << 36);  // sparse
  files = "large " + files;
  expected = "large: FAILED, not enough memory\n" + expected;
  const std::string limit = "ulimit -v 16000000; ";  // KiB
#else
  const std::string limit;
#endif
  const Outcome outcome = work.shell(limit + "\"$SIGNFOLD\" verify " + files);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, expected);
}

TEST_F(Paths, WhatIsReadIsNotReplaced) {
  std::filesystem::create_symlink("x.npy", work.path("link"));
  for (const char* arguments :
       {"fit x.npy --rate 1 --out x.npy", "fit x.npy --rate 1 --out link", "encode m.sfm x.npy --out ./x.npy",
        "encode m.sfm link --out x.npy", "encode m.sfm x.npy --out m.sfm", "decode x.sfc --model m.sfm --out x.sfc",
        "decode x.sfc --model m.sfm --out m.sfm"}) {
    expect_error(arguments, "which is read: name another file");
  }
  // Behind what is more than the name of a file.
  work.write("law.json", R"({"components": [{"weight": 1, "mean": 0, "variance": 1}]})");
  const std::string zip = "import numpy as np; np.savez('x.npz', x=np.load('x.npy'))";
  ASSERT_EQ(work.shell("'" SIGNFOLD_PYTHON "' -c \"" + zip + '"').code, 0);
  expect_error("encode m.sfm x.npz:x --out x.npz", "--out x.npz would replace x.npz, which is read");
  expect_error("fit x.npz:x --rate 1 --out x.npz", "--out x.npz would replace x.npz, which is read");
  expect_error("fit x.npy --rate 1 --encoder dense:m.sfm --out m.sfm", "--out m.sfm would replace m.sfm");
  expect_error("fit x.npy --rate 1 --prior mixture:law.json --out ./law.json", "would replace law.json");
  expect_error("train --data x.npy --rate 1 --start dense:m.sfm --out m.sfm", "would replace m.sfm");
  expect_error("train --prior mixture:law.json --dim 4 --rate 1 --out law.json", "would replace law.json");
  succeed("fit x.npy --rate 1 --prior gaussian --encoder haar --out haar");  // a name, not a file
  succeed("train --prior gaussian --dim 4 --rate 1 --steps 1 --start haar --out haar");
}

TEST_F(Paths, ALinkStaysAndAFileKeepsItsPermissions) {
  using std::filesystem::perms;
  std::filesystem::create_directory(work.path("folder"));
  std::filesystem::create_symlink("folder/private.sfc", work.path("link.sfc"));
  succeed("encode m.sfm x.npy --out link.sfc");
  const perms mine = perms::owner_read | perms::owner_write;
  std::filesystem::permissions(work.path("link.sfc"), mine);
  succeed("encode m.sfm x.npy --out link.sfc");
  EXPECT_TRUE(std::filesystem::is_symlink(work.path("link.sfc")));
  EXPECT_EQ(std::filesystem::status(work.path("folder/private.sfc")).permissions(), mine);
  EXPECT_EQ(work.read("folder/private.sfc"), work.read("x.sfc"));
}
}  // namespace
}  // namespace signfold::testing
