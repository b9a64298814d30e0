// The C++ theory against reference/theory.py, which computes the same numbers by another road.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "signfold/theory/free_cumulants.h"
#include "signfold/theory/full_memory.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"
#include "signfold/theory/rate_distortion.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {

struct Close {
  void operator()(std::FILE* pipe) const { pclose(pipe); }
};

nlohmann::json reference(const std::string& arguments) {
  // One thread: the tables are small, and other tests run beside this one.
  const std::string command =
      "OPENBLAS_NUM_THREADS=1 '" SIGNFOLD_PYTHON "' '" SIGNFOLD_SOURCE_DIR "/reference/theory.py' " + arguments;
  const std::unique_ptr<std::FILE, Close> pipe(popen(command.c_str(), "r"));
  std::string text;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) text += buffer.data();
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

TEST(Reference, AgreesOnLinearRiskLayersFixedPointAndMix) {
  const nlohmann::json cases = reference(
      "sparse-gaussian:0.05@1 sparse-gaussian:0.1@0.5 sparse-gaussian:0.1@1 sparse-gaussian:0.1@2 "
      "sparse-gaussian:0.3@1 "
      "sparse-gaussian:0.6@1 sparse-laplace:0.3@1 sparse-laplace:1@1 sparse-rademacher:0.2@1 sparse-rademacher:0.5@1 "
      "sparse-rademacher:0.5@2 sparse-rademacher:0.2@2 gaussian@2 gaussian@4 sparse-rademacher:0.4@1 "
      "sparse-rademacher:0.8@1 sparse-rademacher:0.9@0.7 sparse-gaussian:0.02@0.1");
  ASSERT_TRUE(cases.is_array()) << "reference/theory.py did not print JSON";
  ASSERT_EQ(cases.size(), 18U);
  for (const nlohmann::json& expected : cases) {
    const auto name = expected.at("prior").get<std::string>();
    const auto rate = expected.at("rate").get<double>();
    SCOPED_TRACE(testing::Message() << name << " at rate " << rate);
    const PriorPtr prior = parse_prior(name);
    EXPECT_NEAR(linear_risk_limit(rate), expected.at("linear").get<double>(), 1e-9);
    const Schedule schedule = state_evolution(iid_prior(prior), rate, 3, 0);
    // Simpson's rule across the corner of the Laplace density is good to about 1e-6; all else is better.
    for (std::size_t t = 0; t < schedule.layers.size(); ++t) {
      EXPECT_NEAR(schedule.layers[t].risk, expected.at("layers").at(t).get<double>(), 2e-6) << "layer " << t + 1;
    }
    EXPECT_NEAR(fixed_point_risk(iid_prior(prior), rate), expected.at("fixed_point").get<double>(), 2e-6);
    if (rate > 1) continue;
    EXPECT_NEAR(mixed_risk(*prior, 0, rate), expected.at("rotation").get<double>(), 1e-7);
    EXPECT_NEAR(mixed_risk(*prior, 1, rate), expected.at("identity").get<double>(), 1e-7);
    const MixedOptimum best = optimal_mix(*prior, rate);
    EXPECT_NEAR(best.risk, expected.at("mixed").at("risk").get<double>(), 1e-7);
    EXPECT_NEAR(best.m, expected.at("mixed").at("m").get<double>(), 1e-4);  // both minimise by values only
  }
}

TEST(Reference, AgreesOnTheFixedPointForAnySpectrum) {
  struct Case {
    const char* prior;
    double rate;
    std::vector<double> eigenvalues;
  };
  const Case cases[] = {{"sparse-gaussian:0.1", 1, {1.5, 0.5}},
                        {"sparse-rademacher:0.5", 1, {1.5, 0.5}},
                        {"sparse-gaussian:0.3", 0.5, {2.2, 1.1, 0.5, 0.2}},
                        {"sparse-gaussian:0.3", 2, {2.8, 1.2, 0, 0}},
                        {"sparse-rademacher:0.5", 2, {2.5, 1.5, 0, 0}},
                        {"gaussian", 1.5, {2.1, 0.9, 0}}};
  std::string arguments;
  for (const Case& c : cases) {
    arguments += fmt::format("{}@{}@{} ", c.prior, c.rate, fmt::join(c.eigenvalues, ","));
  }
  const nlohmann::json expected = reference(arguments);
  ASSERT_TRUE(expected.is_array()) << "reference/theory.py did not print JSON";
  ASSERT_EQ(expected.size(), std::size(cases));
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const Case& c = cases[i];
    SCOPED_TRACE(testing::Message() << c.prior << " at rate " << c.rate);
    const std::vector<double> kappa = free_cumulants(c.eigenvalues, c.rate, cumulants_for(kMostMemoryLayers));
    const auto layers =
        full_memory_evolution(iid_prior(parse_prior(c.prior)), c.rate, kappa, kMostMemoryLayers, {.stop = 1e-7}).layers;
    const auto risk = expected[i].at("fixed_point").get<double>();
    // The ridge of 1e-6 and a last layer that gained 1e-7 leave 2e-5 at most.
    EXPECT_NEAR(layers.back().risk / risk, 1, 2e-5) << layers.size() << " layers";
  }
}

TEST(Reference, AgreesOnShannonsLimit) {
  const nlohmann::json cases =
      reference("--limit gaussian@1 sparse-rademacher:0.5@1 sparse-laplace:1@1 sparse-gaussian:0.3@0.5");
  ASSERT_TRUE(cases.is_array()) << "reference/theory.py did not print JSON";
  ASSERT_EQ(cases.size(), 4U);
  for (const nlohmann::json& expected : cases) {
    const PriorPtr prior = parse_prior(expected.at("prior").get<std::string>());
    // 1e-3 is promised by the C++, and about what the plain algorithm reaches on its even grid.
    EXPECT_NEAR(shannon_limit(*prior, expected.at("rate").get<double>()), expected.at("limit").get<double>(), 2e-3)
        << prior->name();
  }
}

}  // namespace
}  // namespace signfold
