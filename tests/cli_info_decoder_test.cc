// The lines of signfold info that say how a model decodes: its form and its basis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using Json = nlohmann::json;

constexpr std::size_t kRows = 300;
constexpr std::size_t kDim = 64;

class InfoDecoder : public ::testing::Test {
 protected:
  void SetUp() override { work.write("x.npy", npy_floats(kRows, kDim, sparse_values(kRows * kDim))); }
  /// Runs a command that writes m.sfm.
  void make(std::vector<std::string> args) {
    args.insert(args.end(), {"--out", work.path("m.sfm"), "--threads", "1"});
    const Outcome outcome = work.run(args);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  void fit(const std::vector<std::string>& more) {
    std::vector<std::string> args = {"fit", work.path("x.npy")};
    args.insert(args.end(), more.begin(), more.end());
    make(args);
  }
  Json json() const { return work.run({"info", work.path("m.sfm"), "--json"}).json(); }
  /// What follows the name of a line of facts.
  std::string line(const std::string& name) const {
    const std::string text = "\n" + work.run({"info", work.path("m.sfm")}).out;
    const std::size_t found = text.find("\n" + name + "  ");
    if (found == std::string::npos) return "no line " + name + " in " + text;
    const std::size_t begin = text.find_first_not_of(' ', found + 1 + name.size());
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  void expect_form(const std::string& form) const {
    EXPECT_EQ(line("decoder"), form);
    EXPECT_EQ(json()["decoder"], form);
  }

  Workplace work;
};

TEST_F(InfoDecoder, NamesTheFormOfTheLayers) {
  fit({"--rate", "1", "--encoder", "hadamard", "--decoder", "rigamp:3"});
  expect_form("two-term");
  fit({"--rate", "1", "--encoder", "haar", "--decoder", "rigamp:3"});
  expect_form("two-term");
}

TEST_F(InfoDecoder, NamesDecodersWithoutMemory) {
  for (const auto& [decoder, form] :
       {std::pair("linear", "linear"), {"denoise", "denoiser"}, {"rigamp:1", "denoiser"}, {"affine", "affine"}}) {
    SCOPED_TRACE(decoder);
    fit({"--rate", "1", "--encoder", "hadamard", "--decoder", decoder});
    expect_form(form);
  }
  fit({"--rate", "1", "--encoder", "identity"});  // aligned encoders have no layers
  expect_form("linear");
}

TEST_F(InfoDecoder, OfADenseEncoderFollowsItsSpectrum) {
  std::vector<float> hadamard(kDim * kDim);
  std::vector<float> gaussian(kDim * kDim);
  std::mt19937 bits(1);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < kDim * kDim; ++i) {
    hadamard[i] = std::popcount((i / kDim) & (i % kDim)) % 2 == 0 ? 0.125F : -0.125F;
    gaussian[i] = normal(bits);
  }
  work.write("rotation.npy", npy_floats(kDim, kDim, hadamard));
  fit({"--rate", "1", "--encoder", "dense:" + work.path("rotation.npy"), "--decoder", "rigamp:3"});
  expect_form("two-term");
  // Singular values of an i.i.d. matrix spread from 0 to 2: guard G5 of docs/rigamp.md refuses the two-term form.
  work.write("gaussian.npy", npy_floats(kDim, kDim, gaussian));
  fit({"--rate", "1", "--encoder", "dense:" + work.path("gaussian.npy"), "--decoder", "rigamp:3"});
  expect_form("full-memory");
}

TEST_F(InfoDecoder, NamesATrainedNetwork) {
  make({"train", "--prior", "sparse-rademacher:0.8", "--dim", "16", "--rate", "1", "--decoder", "network:mlp:8",
        "--steps", "5", "--batch", "16"});
  expect_form("network:mlp:8");
}

TEST_F(InfoDecoder, ListsTheBasesThatWereCompared) {
  fit({"--rate", "1", "--basis", "auto"});
  EXPECT_EQ(line("decoder's basis"), "identity");  // the vectors are sparse as they are
  EXPECT_THAT(line("bases compared"), MatchesRegex("identity 0\\.[0-9]+, pca 0\\.[0-9]+"));
  EXPECT_EQ(json()["metadata"]["bases compared"], line("bases compared"));
  EXPECT_EQ(json()["basis"], "identity");
  fit({"--rate", "1"});
  EXPECT_FALSE(json()["metadata"].contains("bases compared"));
}

TEST_F(InfoDecoder, HelpAndSpellingKnowTheBases) {
  const std::string help = work.run({"fit", "--help"}).out;
  for (const char* name : {"identity  ", "pca  ", "dct2:HxW  ", "wavelet2:HxW  ", "auto  "}) {
    EXPECT_THAT(help, HasSubstr(std::string("\n  ") + name));
  }
  const Outcome outcome =
      work.run({"fit", work.path("x.npy"), "--rate", "1", "--basis", "atuo", "--out", work.path("m.sfm")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean 'auto'?"));
}

}  // namespace
}  // namespace signfold::testing
