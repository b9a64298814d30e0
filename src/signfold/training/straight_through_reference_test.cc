// The straight-through gradient against reference/training.py, which differentiates by complex steps.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signfold/base/folder_for_test.h"
#include "signfold/training/plain_straight_through_for_test.h"
#include "signfold/training/straight_through.h"

namespace signfold {
namespace {

using testing::gaussian;
using testing::random_net;
using testing::shaped;

struct Case {
  TrainedDecoder kind;
  std::size_t batch;
  std::size_t bits;
  std::size_t dim;
  double tau;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const TrainedDecoder kind : {TrainedDecoder::tied, TrainedDecoder::tied_rows, TrainedDecoder::untied}) {
    all.push_back({kind, 11, 4, 6, 1.0});
    all.push_back({kind, 9, 7, 5, 0.4});  // rate above 1
    all.push_back({kind, 1, 1, 3, 2.0});
  }
  return all;
}

nlohmann::json to_json(MatrixView<const float> a) {
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t i = 0; i < a.rows; ++i) rows.push_back(std::vector<float>(a.row(i).begin(), a.row(i).end()));
  return rows;
}

struct Close {
  void operator()(std::FILE* pipe) const { pclose(pipe); }
};

nlohmann::json reference(const nlohmann::json& input) {
  const TemporaryFolder folder;
  const std::string file = folder.path("case.json");
  std::ofstream(file) << input;
  const std::string command =
      fmt::format("OPENBLAS_NUM_THREADS=1 '{}' '{}/reference/training.py' straight-through < '{}'", SIGNFOLD_PYTHON,
                  SIGNFOLD_SOURCE_DIR, file);
  const std::unique_ptr<std::FILE, Close> pipe(popen(command.c_str(), "r"));
  std::string text;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) text += buffer.data();
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

/// Numbers of size 1 that went through a few float32 operations.
constexpr double kTolerance = 4e-6;

void expect_close(MatrixView<const float> actual, const nlohmann::json& expected, const char* what) {
  ASSERT_EQ(actual.rows, expected.size()) << what;
  for (std::size_t i = 0; i < actual.rows; ++i) {
    for (std::size_t j = 0; j < actual.cols; ++j) {
      EXPECT_NEAR(actual(i, j), expected[i].at(j).get<double>(), kTolerance) << what << " at " << i << ", " << j;
    }
  }
}

void expect_close(const std::vector<float>& actual, const nlohmann::json& expected, const char* what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i].get<double>(), kTolerance) << what << " at " << i;
  }
}

TEST(StraightThroughReference, AgreesOnLossGainAndEveryDerivative) {
  constexpr std::uint64_t kSeed = 23;
  nlohmann::json inputs = nlohmann::json::array();
  for (const Case& c : cases()) {
    const Autoencoder net = random_net(c.kind, c.bits, c.dim, kSeed);
    nlohmann::json input = {{"kind", to_string(c.kind)},
                            {"rows", to_json(net.encoder)},
                            {"x", to_json(gaussian(c.batch, c.dim, kSeed + 1))},
                            {"tau", c.tau}};
    if (c.kind == TrainedDecoder::tied_rows) input["gain"] = net.gain;
    if (c.kind == TrainedDecoder::untied) input["decoder"] = to_json(net.decoder);
    inputs.push_back(std::move(input));
  }
  const nlohmann::json answers = reference(inputs);
  ASSERT_TRUE(answers.is_array()) << "reference/training.py did not print JSON";
  ASSERT_EQ(answers.size(), cases().size());

  Team team(2);
  for (std::size_t k = 0; k < answers.size(); ++k) {
    const Case c = cases()[k];
    const nlohmann::json& expected = answers[k];
    SCOPED_TRACE(
        fmt::format("{}, {} x {}, {} bits, tau {}, seed {}", to_string(c.kind), c.batch, c.dim, c.bits, c.tau, kSeed));
    Autoencoder net = random_net(c.kind, c.bits, c.dim, kSeed);
    Gradient gradient = shaped(c.kind, c.bits, c.dim);
    StraightThrough pass(c.kind, c.bits, c.dim, c.batch, team);
    const double loss = pass.gradient(net, gaussian(c.batch, c.dim, kSeed + 1), c.tau, gradient);
    EXPECT_NEAR(loss, expected.at("loss").get<double>(), kTolerance);
    expect_close(net.gain, expected.at("gain"), "gain");
    expect_close(gradient.encoder, expected.at("rows_gradient"), "gradient of the rows");
    expect_close(gradient.decoder, expected.at("decoder_gradient"), "gradient of the decoder");
    if (c.kind == TrainedDecoder::tied_rows) {
      expect_close(gradient.gain, expected.at("gain_gradient"), "gradient of the gains");
    }
  }
}

}  // namespace
}  // namespace signfold
