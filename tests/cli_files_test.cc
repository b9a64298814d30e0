// fit, encode, decode, eval and info on small files: the round trip, its numbers and its JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr std::size_t kRows = 300;
constexpr std::size_t kDim = 64;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    work.write("x.npy", npy_floats(kRows, kDim, values));
    fit({});
  }
  void fit(const std::vector<std::string>& more, const std::string& name = "m.sfm") {
    std::vector<std::string> args = {"fit", work.path("x.npy"), "--rate", "2", "--out", work.path(name)};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = work.run(args);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  Json json(std::vector<std::string> args) {
    args.emplace_back("--json");
    const Outcome outcome = work.run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.code == 0 ? outcome.json() : Json();
  }
  Json encode(const std::string& model, const std::string& codes) {
    return json({"encode", work.path(model), work.path("x.npy"), "--out", work.path(codes)});
  }
  Json decode(const std::string& codes, const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"decode",         work.path(codes), "--model",
                                     work.path(model), "--out",          work.path("back.npy")};
    args.insert(args.end(), more.begin(), more.end());
    return json(args);
  }
  /// Σ(x − x̂)²/Σx² of back.npy against what was written.
  double error_of_back() const {
    const std::string bytes = work.read("back.npy");
    const std::string header = npy_header("<f4", kRows, kDim);
    EXPECT_EQ(bytes.size(), header.size() + 4 * values.size());
    std::vector<float> back(values.size());
    std::memcpy(back.data(), bytes.data() + bytes.size() - 4 * back.size(), 4 * back.size());
    double error = 0;
    double energy = 0;
    for (std::size_t i = 0; i < back.size(); ++i) {
      error += std::pow(double{values[i]} - back[i], 2);
      energy += std::pow(double{values[i]}, 2);
    }
    return error / energy;
  }

  Workplace work;
  std::vector<float> values = sparse_values(kRows * kDim);
};

TEST_F(Files, RoundTripMatchesEval) {
  const Json encoded = encode("m.sfm", "x.sfc");
  EXPECT_EQ(encoded["vectors"], kRows);
  EXPECT_EQ(encoded["bits_per_vector"], 2 * kDim + 16);  // a float16 scale is the default
  const Json decoded = decode("x.sfc", "m.sfm");
  EXPECT_EQ(decoded["vectors"], kRows);

  const Json eval = json({"eval", work.path("m.sfm"), work.path("x.npy")});
  EXPECT_EQ(eval["vectors"], kRows);
  EXPECT_EQ(eval["bits_per_vector"], 2 * kDim + 16);
  ASSERT_GT(eval["layers"].size(), 0U);
  for (const char* key : {"measured", "predicted"}) {
    EXPECT_TRUE(eval["linear"].contains(key));
    EXPECT_TRUE(eval["layers"][0].contains(key));
  }
  // eval compares with the energy around the training mean, which is within 1 % of zero here (300 vectors, 64 means of
  // standard error 0.05 σ): the two ratios agree to that.
  const double last = eval["layers"].back()["measured"];
  EXPECT_NEAR(error_of_back(), last, 0.02 * last);
  EXPECT_LT(last, eval["linear"]["measured"]);
  EXPECT_THAT(work.files(), ElementsAre("back.npy", "m.sfm", "x.npy", "x.sfc"));
}

TEST_F(Files, FewerLayersAreDecodedWhenAsked) {
  encode("m.sfm", "x.sfc");
  const Json eval = json({"eval", work.path("m.sfm"), work.path("x.npy")});
  EXPECT_EQ(decode("x.sfc", "m.sfm", {"--layers", "0"})["layers"], 0);
  EXPECT_NEAR(error_of_back(), eval["linear"]["measured"], 0.02 * double(eval["linear"]["measured"]));
  EXPECT_EQ(decode("x.sfc", "m.sfm", {"--layers", "1"})["layers"], 1);
  EXPECT_NEAR(error_of_back(), eval["layers"][0]["measured"], 0.02 * double(eval["layers"][0]["measured"]));
}

TEST_F(Files, TheDecoderMayBeChangedAfterEncoding) {
  encode("m.sfm", "x.sfc");
  fit({"--basis", "pca"}, "pca.sfm");
  EXPECT_EQ(decode("x.sfc", "pca.sfm")["vectors"], kRows);
  fit({"--decoder", "linear"}, "linear.sfm");
  EXPECT_EQ(decode("x.sfc", "linear.sfm")["layers"], 0);
}

TEST_F(Files, ThreadsDoNotChangeAByte) {
  encode("m.sfm", "x.sfc");
  json({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("y.sfc"), "--threads", "1"});
  EXPECT_EQ(work.read("x.sfc"), work.read("y.sfc"));
}

TEST_F(Files, InfoRecognisesEveryKind) {
  encode("m.sfm", "x.sfc");
  const Json model = json({"info", work.path("m.sfm")});
  const Json codes = json({"info", work.path("x.sfc")});
  const Json data = json({"info", work.path("x.npy")});
  EXPECT_EQ(model["kind"], "model");
  EXPECT_EQ(model["dim"], kDim);
  EXPECT_EQ(model["bits"], 2 * kDim);
  EXPECT_EQ(model["encoder"], "hadamard");
  EXPECT_EQ(codes["kind"], "codes");
  EXPECT_EQ(codes["vectors"], kRows);
  EXPECT_EQ(codes["fingerprint"], model["fingerprint"]);
  EXPECT_EQ(data["kind"], "vectors");
  EXPECT_EQ(data["dim"], kDim);
  EXPECT_EQ(data["vectors"], kRows);
  for (const char* name : {"m.sfm", "x.sfc", "x.npy"}) {
    const Outcome text = work.run({"info", work.path(name)});
    EXPECT_EQ(text.code, 0);
    EXPECT_THAT(text.out, HasSubstr(name));
  }
}

TEST_F(Files, FitTakesEveryOption) {
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--encoder", "haar"},
                                             {"--encoder", "identity", "--prior", "iid"},
                                             {"--encoder", "mixed:0.5", "--prior", "iid"},
                                             {"--basis", "dct2:8x8"},
                                             {"--whiten", "--epsilon", "0.1"},
                                             {"--center"},
                                             {"--no-center"},
                                             {"--scale", "none"},
                                             {"--scale", "f32"},
                                             {"--decoder", "rigamp:3"},
                                             {"--decoder", "affine"},
                                             {"--prior", "sparse-gaussian:0.1"},
                                             {"--seed", "7"},
                                             {"--max-rows", "100"}}) {
    std::string all;
    for (const std::string& word : more) all += word + " ";
    SCOPED_TRACE(all);
    fit(more, "other.sfm");
    encode("other.sfm", "other.sfc");
    decode("other.sfc", "other.sfm");
    EXPECT_LT(error_of_back(), 1.0);  // better than knowing nothing
  }
}

TEST_F(Files, SimulateReportsEveryLayerAskedFor) {
  const Json json8 = json({"simulate", "--prior", "sparse-rademacher:0.5", "--rate", "1", "--dim", "256", "--samples",
                           "50", "--decoder", "rigamp:8"});
  // state evolution stops at layer 2 here (converged): the layers behind repeat it
  ASSERT_EQ(json8["layers"].size(), 8U);
  EXPECT_EQ(json8["layers"][7], json8["layers"][6]);
  for (const char* key : {"measured", "stderr", "predicted"}) EXPECT_TRUE(json8["layers"][0].contains(key));
  EXPECT_GT(json8["vectors_per_second"]["encode"], 0);
  EXPECT_GT(json8["vectors_per_second"]["decode"], 0);
  EXPECT_FALSE(json8.contains("default_layers"));
  const Json automatic = json({"simulate", "--prior", "sparse-gaussian:0.1", "--rate", "1", "--dim", "256", "--samples",
                               "50", "--decoder", "auto"});
  EXPECT_EQ(automatic["layers"].size(), automatic["default_layers"]);
}
}  // namespace
}  // namespace signfold::testing
