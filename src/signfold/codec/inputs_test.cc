#include "signfold/codec/inputs.h"

#include <gtest/gtest.h>

#include "signfold/codec/for_test.h"

namespace signfold {
namespace {

class Inputs : public testing::CodecFiles {};

TEST_F(Inputs, NamesOfEncodersAndPriorsNameFiles) {
  EXPECT_EQ(file_of_name("dense:m.sfm"), "m.sfm");
  EXPECT_EQ(file_of_name("mixture:law.json"), "law.json");
  EXPECT_EQ(file_of_name("dense:x.npz:rows"), "x.npz");
  for (const char* name : {"", "haar", "gaussian", "sparse-gaussian:0.1", "mixture"}) EXPECT_EQ(file_of_name(name), "");
}

TEST_F(Inputs, AreNotReplaced) {
  const std::string x = path("x.npy");
  testing::expect_error(
      [&] {
        check_not_read("--out", x, {"gone", x});
      },
      "--out " + x + " would replace " + x + ", which is read: name another file");
  testing::expect_error([&] { check_not_read("out", path("./x.npy"), {path("x.npy")}); }, "which is read");
  check_not_read("--out", path("y.npy"), {x, ""});
}

}  // namespace
}  // namespace signfold
