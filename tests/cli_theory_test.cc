// The commands that need no data: predict, phase, simulate. Keys and numbers are a contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::HasSubstr;
using Json = nlohmann::json;

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

class Theory : public ::testing::Test {
 protected:
  Json json(std::vector<std::string> args) {
    args.emplace_back("--json");
    const Outcome outcome = work.run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.code == 0 ? outcome.json() : Json();
  }
  Json predict(const std::string& prior, const std::string& rate, std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"predict", "--prior", prior, "--rate", rate};
    args.insert(args.end(), more.begin(), more.end());
    return json(args);
  }
  Json phase(const std::vector<std::string>& more) {
    std::vector<std::string> args = {"phase"};
    args.insert(args.end(), more.begin(), more.end());
    return json(args);
  }
  Workplace work;
};

TEST_F(Theory, PredictHasTheAgreedKeys) {
  const Json json = predict("sparse-gaussian:0.1", "1", {"--decoder", "rigamp:3"});
  EXPECT_THAT(keys(json), ::testing::UnorderedElementsAre("prior", "rate", "encoder", "linear", "layers", "fixed_point",
                                                          "limit", "rotation", "identity", "mixed"));
  EXPECT_EQ(json["prior"], "sparse-gaussian:0.1");
  EXPECT_EQ(json["rate"], 1);
  EXPECT_EQ(json["encoder"], "hadamard");
  EXPECT_EQ(json["layers"].size(), 3U);
  EXPECT_THAT(keys(json["mixed"]), ::testing::UnorderedElementsAre("m", "risk"));
}

struct Figure {
  const char* prior;
  const char* rate;
  double linear;
  std::vector<double> layers;
  double fixed_point;
};

// docs/math.md section 11: the digits printed there, so the tolerance is half a unit of the sixth decimal and a margin
// for the quadratures (1e-10).
TEST_F(Theory, PredictReproducesTheFiguresOfTheDocument) {
  const std::vector<Figure> figures = {
      {"sparse-gaussian:0.05", "1", 0.363380, {0.062678, 0.030259, 0.021342}, 0.014764},
      {"sparse-gaussian:0.1", "0.5", 0.681690, {0.402131, 0.312906, 0.286691}, 0.272649},
      {"sparse-gaussian:0.1", "1", 0.363380, {0.117489, 0.079332, 0.068065}, 0.060819},
      {"sparse-gaussian:0.1", "2", 0.222031, {0.055663, 0.025700, 0.017787}, 0.012168},
      {"sparse-gaussian:0.3", "1", 0.363380, {0.256045, 0.241918, 0.240140}, 0.239862},
      {"sparse-gaussian:0.6", "1", 0.363380, {0.339589, 0.338798, 0.338790}, 0.338790},
      {"sparse-laplace:0.3", "1", 0.363380, {0.220473, 0.200547, 0.197576}, 0.196996},
      {"sparse-laplace:1", "1", 0.363380, {0.344629, 0.344163, 0.344161}, 0.344161},
      {"sparse-rademacher:0.2", "1", 0.363380, {0.252034, 0.229016, 0.222214}, 0.218589},
      {"sparse-rademacher:0.5", "1", 0.363380, {0.349753, 0.349481, 0.349480}, 0.349480},
      {"sparse-rademacher:0.5", "2", 0.222031, {0.188599, 0.152111, 0.139409}, 0.128385},
      {"sparse-rademacher:0.2", "2", 0.222031, {}, 0},
      {"gaussian", "2", 0.222031, {0.222031}, 0.199683},
      {"gaussian", "4", 0.124879, {0.124879}, 0.080251},
  };
  constexpr double kTolerance = 6e-7;
  for (const Figure& figure : figures) {
    SCOPED_TRACE(std::string(figure.prior) + " at rate " + figure.rate);
    const Json json = predict(figure.prior, figure.rate);
    EXPECT_NEAR(json["linear"], figure.linear, kTolerance);
    for (std::size_t t = 0; t < figure.layers.size(); ++t) {
      EXPECT_NEAR(json["layers"][t], figure.layers[t], kTolerance) << "layer " << t + 1;
    }
    EXPECT_NEAR(json["fixed_point"], figure.fixed_point, kTolerance);
    EXPECT_EQ(json["layers"].size(), 8U);
    EXPECT_LE(json["limit"], double(json["fixed_point"]) + 1e-3);  // the stated accuracy of the limit
  }
}

TEST_F(Theory, PredictGivesAsManyLayersAsAskedAlsoAfterPerfectRecovery) {
  const Json json = predict("sparse-rademacher:0.2", "2", {"--decoder", "rigamp:40"});
  ASSERT_EQ(json["layers"].size(), 40U);
  EXPECT_LT(json["layers"][39], 1e-6);
  EXPECT_EQ(json["fixed_point"], 0);
  EXPECT_EQ(predict("gaussian", "1", {"--decoder", "linear"})["layers"].size(), 0U);
  EXPECT_EQ(predict("gaussian", "1", {"--decoder", "denoise"})["layers"].size(), 1U);
}

TEST_F(Theory, PredictSaysWhenAnEncoderHasNoLayers) {
  const Json mixed = predict("sparse-rademacher:0.8", "1", {"--encoder", "mixed"});
  EXPECT_THAT(std::string(mixed["encoder"]), HasSubstr("mixed:0.98"));
  EXPECT_NEAR(mixed["linear"], 0.17454, 1e-5);  // docs/math.md section 4, five digits
  EXPECT_EQ(mixed["fixed_point"], mixed["linear"]);
  EXPECT_EQ(mixed["layers"].size(), 0U);
  EXPECT_THAT(std::string(mixed["note"]), HasSubstr("multi-layer"));
  EXPECT_NEAR(predict("sparse-rademacher:0.8", "1", {"--encoder", "identity"})["linear"], 0.2, 1e-12);
  EXPECT_THAT(work.run({"predict", "--prior", "gaussian", "--rate", "1", "--encoder", "identity"}).out,
              HasSubstr("note: multi-layer"));
}

TEST_F(Theory, PredictRejectsBadArguments) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> bad = {
      {{"--prior", "sparse-gausian:0.1", "--rate", "1"}, "did you mean 'sparse-gaussian'?"},
      {{"--prior", "cauchy", "--rate", "1"}, "cauchy"},
      {{"--prior", "sparse-gaussian:0", "--rate", "1"}, "0"},
      {{"--prior", "sparse-gaussian:1.5", "--rate", "1"}, "1.5"},
      {{"--prior", "sparse-gaussian:nan", "--rate", "1"}, "nan"},
      {{"--prior", "sparse-gaussian", "--rate", "1"}, "sparse-gaussian"},
      {{"--prior", "gaussian", "--rate", "0"}, "positive"},
      {{"--prior", "gaussian", "--rate", "-1"}, "positive"},
      {{"--prior", "gaussian", "--rate", "nan"}, "positive"},
      {{"--prior", "gaussian", "--rate", "inf"}, "positive"},
      {{"--prior", "gaussian", "--rate", "1", "--encoder", "hadamad"}, "did you mean 'hadamard'?"},
      {{"--prior", "gaussian", "--rate", "1", "--encoder", "mixed:2"}, "2"},
      {{"--prior", "gaussian", "--rate", "1", "--decoder", "rigamp:0"}, "rigamp"},
      {{"--prior", "gaussian", "--rate", "1", "--decoder", "rigampp:3"}, "did you mean 'rigamp'?"},
      {{"--prior", "mixture:/nonexistent.json", "--rate", "1"}, "/nonexistent.json"},
  };
  for (const auto& [more, message] : bad) {
    std::vector<std::string> args = {"predict", "--json"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = work.run(args);
    SCOPED_TRACE(outcome.err);
    EXPECT_EQ(outcome.code, 2) << more[1] << " " << more[3];
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  }
}

TEST_F(Theory, PhaseFindsTheTransitions) {
  const Json result = phase({"--from", "0.3", "--to", "0.9", "--step", "0.1"});
  ASSERT_EQ(result["points"].size(), 7U);
  const Json half = result["points"][2];
  EXPECT_THAT(keys(half), ::testing::UnorderedElementsAre("p", "psi", "m", "rotation", "identity", "mixed"));
  EXPECT_DOUBLE_EQ(half["p"], 0.5);
  EXPECT_NEAR(half["m"], 0.850, 5e-4);  // docs/math.md section 4: three and five digits
  EXPECT_NEAR(half["mixed"], 0.33866, 1e-5);
  EXPECT_NEAR(half["rotation"], 0.36338, 1e-5);
  EXPECT_NEAR(half["identity"], 0.5, 1e-12);
  EXPECT_EQ(result["points"][0]["m"], 0);
  // (E|x|)² = p crosses 2/π; bisection stops at 1e-9
  EXPECT_NEAR(result["transition"]["identity_below_rotation"], 2 / std::numbers::pi, 1e-8);
  EXPECT_NEAR(result["transition"]["mixed_below_rotation"], 0.36, 0.04);
}

TEST_F(Theory, PhaseHasNoTransitionWhereRotationIsBest) {
  for (const char* family : {"sparse-gaussian", "sparse-laplace"}) {
    const Json result = phase({"--family", family, "--step", "0.45"});
    EXPECT_TRUE(result["transition"]["identity_below_rotation"].is_null()) << family;
    EXPECT_TRUE(result["transition"]["mixed_below_rotation"].is_null()) << family;
  }
}

TEST_F(Theory, PhaseRejectsBadRanges) {
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{{"--from", "0"},
                                                                                    {"--to", "1.1"},
                                                                                    {"--from", "0.5", "--to", "0.4"},
                                                                                    {"--step", "0"},
                                                                                    {"--step", "nan"},
                                                                                    {"--from", "nan"},
                                                                                    {"--step", "1e-9"},
                                                                                    {"--family", "sparse-cauchy"},
                                                                                    {"--family", "gaussian"},
                                                                                    {"--rate", "0"}}) {
    std::vector<std::string> args = {"phase"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = work.run(args);
    EXPECT_EQ(outcome.code, 2) << more[0] << " " << more[1];
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}
}  // namespace
}  // namespace signfold::testing
