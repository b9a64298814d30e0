#include "signfold/prior/prior.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/prior/law_oracle_test.h"

namespace signfold {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What an Error says; empty when nothing is thrown.
template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}
std::string parse_error(const std::string& text) {
  return message_of([&] { parse_prior(text); });
}

/// A file that lives as long as the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) { std::ofstream(path()) << content; }
  std::string path() const { return folder_.path("law.json"); }

 private:
  TemporaryFolder folder_;
};

TEST(ParsePrior, GivesCanonicalNames) {
  for (const auto& [text, name] : std::vector<std::pair<std::string, std::string>>{
           {"gaussian", "gaussian"},
           {"sparse-gaussian:0.1", "sparse-gaussian:0.1"},
           {"sparse-gaussian:.10", "sparse-gaussian:0.1"},
           {"sparse-gaussian:1.0", "sparse-gaussian:1"},
           {"sparse-rademacher:5e-1", "sparse-rademacher:0.5"},
           {"sparse-laplace:0.30000000000000004", "sparse-laplace:0.30000000000000004"}}) {
    EXPECT_EQ(parse_prior(text)->name(), name);
    EXPECT_EQ(parse_prior(name)->name(), name);
  }
}

TEST(ParsePrior, MomentsAreThoseOfTheTable) {
  const double c = 2 / std::numbers::pi;  // docs/math.md section 2
  const auto expect = [](const std::string& name, double mean_abs, double fourth) {
    const Moments m = parse_prior(name)->moments();
    EXPECT_NEAR(m.mean, 0, 1e-16) << name;
    EXPECT_NEAR(m.second, 1, 1e-15) << name;  // a few roundings
    EXPECT_NEAR(m.mean_abs, mean_abs, 1e-15) << name;
    EXPECT_NEAR(m.fourth, fourth, 1e-14 * fourth) << name;
  };
  expect("gaussian", std::sqrt(c), 3);
  for (double p : {1e-3, 0.1, 0.7, 1.0}) {
    expect(fmt::format("sparse-gaussian:{}", p), std::sqrt(c * p), 3 / p);
    expect(fmt::format("sparse-rademacher:{}", p), std::sqrt(p), 1 / p);
    expect(fmt::format("sparse-laplace:{}", p), std::sqrt(p / 2), 6 / p);
  }
}

TEST(ParsePrior, MmseIsThatOfTheReferenceTable) {
  // docs/rigamp.md section 7: precision and mmse of the first layers, to the ten digits given there.
  EXPECT_NEAR(parse_prior("sparse-gaussian:0.3")->mmse(.4669422069), .6150115073, 2e-10);
  EXPECT_NEAR(parse_prior("sparse-gaussian:0.1")->mmse(1.7519383939), .1174886916, 2e-10);
  EXPECT_NEAR(parse_prior("sparse-gaussian:0.1")->mmse(2.9167523836), .0680645592, 2e-10);
  EXPECT_NEAR(parse_prior("sparse-rademacher:0.5")->mmse(3.5038767878), .1885991470, 2e-10);
  EXPECT_NEAR(parse_prior("sparse-rademacher:0.5")->mmse(4.4537717599), .1394091353, 2e-10);
}

TEST(ParsePrior, SaysWhatIsWrongInOneLine) {
  EXPECT_EQ(parse_error("foo"),
            "unknown prior 'foo'; known: gaussian, sparse-gaussian:P, sparse-rademacher:P, sparse-laplace:P, "
            "mixture:FILE.json");
  EXPECT_EQ(parse_error("sparse-gaussian:1.5"), "sparse-gaussian:1.5: p must be in (0, 1]");
  EXPECT_EQ(parse_error("sparse-gaussian"), "sparse-gaussian needs p, e.g. sparse-gaussian:0.1");
  EXPECT_EQ(parse_error("sparse-laplace:"), "sparse-laplace needs p, e.g. sparse-laplace:0.1");
  EXPECT_EQ(parse_error("sparse-gaussian:0.1x"), "sparse-gaussian:0.1x: '0.1x' is not a number; p must be in (0, 1]");
  EXPECT_EQ(parse_error("gaussian:1"), "gaussian:1: gaussian takes no parameter");
  EXPECT_EQ(parse_error("mixture"), "mixture needs a file, e.g. mixture:FILE.json");
  for (const char* text : {"sparse-gaussian:0", "sparse-gaussian:-0.1", "sparse-rademacher:nan", "sparse-laplace:inf",
                           "sparse-laplace:1.0000001", "sparse-gaussian: 0.1", "sparse-gaussian:+0.1",
                           "sparse-gaussian:0x1p-3", "sparse-gaussian:0.1:0.2", "sparse-gaussian:1e-13",
                           "sparse-gaussian:1e-400", "", ":", "Gaussian", "gaussian "}) {
    const std::string message = parse_error(text);
    EXPECT_FALSE(message.empty()) << "accepted: '" << text << "'";
    EXPECT_THAT(message, Not(HasSubstr("\n")));
  }
}

TEST(ParsePrior, HelpNamesEveryFamily) {
  for (const char* family : {"gaussian", "sparse-gaussian:P", "sparse-rademacher:P", "sparse-laplace:P", "mixture:"}) {
    EXPECT_THAT(prior_help(), HasSubstr(family));
  }
}

TEST(MixtureFile, IsCentredAndScaled) {
  const TemporaryFile file(R"({"components": [{"weight": 0.25, "mean": 3, "variance": 0},
                                              {"weight": 0.75, "mean": 1, "variance": 2}]})");
  const PriorPtr law = parse_prior("mixture:" + file.path());
  EXPECT_EQ(law->name(), "mixture");
  const Moments m = law->moments();
  EXPECT_NEAR(m.mean, 0, 1e-15);
  EXPECT_NEAR(m.second, 1, 1e-15);
  // By hand: mean 1.5, variance .25·1.5² + .75·(2 + .5²) = 2.25.
  ASSERT_EQ(law->atoms().size(), 1U);
  EXPECT_DOUBLE_EQ(law->atoms()[0].value, 1.5 / 1.5);
  EXPECT_EQ(law->atoms()[0].weight, 0.25);
}

TEST(MixtureFile, NamesTheFileAndTheField) {
  const auto refused = [](const std::string& content, const std::string& expected) {
    const TemporaryFile file(content);
    const std::string message = parse_error("mixture:" + file.path());
    EXPECT_THAT(message, HasSubstr(file.path()));
    EXPECT_THAT(message, HasSubstr(expected));
    EXPECT_THAT(message, Not(HasSubstr("\n")));
  };
  refused("", "not valid JSON");
  refused("{\"components\": [", "not valid JSON");
  refused("[1, 2]", "list 'components'");
  refused("{}", "list 'components'");
  refused(R"({"components": {}})", "list 'components'");
  refused(R"({"components": []})", "0 components");
  refused(R"({"components": [3]})", "components[0] must be an object");
  refused(R"({"components": [{"weight": 1, "mean": 0}]})", "components[0]: variance must be a number");
  refused(R"({"components": [{"weight": 1, "mean": "0", "variance": 1}]})", "components[0]: mean must be a number");
  refused(R"({"components": [{"weight": -1, "mean": 0, "variance": 1}]})", "components[0].weight is -1");
  refused(R"({"components": [{"weight": 1, "mean": 0, "variance": -1}]})", "components[0].variance is -1");
  refused(R"({"components": [{"weight": 1, "mean": 1e300, "variance": 1}]})", "components[0].mean is 1e+300");
  refused(R"({"components": [{"weight": 0.5, "mean": 0, "variance": 1}]})", "the weights sum to 0.5");
  refused(R"({"components": [{"weight": 1, "mean": 4, "variance": 0}]})", "is a constant");
  EXPECT_THAT(parse_error("mixture:/no/such/file.json"), HasSubstr("/no/such/file.json"));
}

TEST(PriorJson, RoundTripIsExact) {
  for (const PriorPtr& law : laws_under_test()) {
    const auto text = law->to_json().dump();
    const PriorPtr copy = prior_from_json(nlohmann::json::parse(text));
    EXPECT_EQ(copy->to_json().dump(), text);
    EXPECT_EQ(copy->name(), law->name());
    for (double y : {-2.0, 0.1, 0.7}) {
      EXPECT_EQ(copy->posterior(y, 3).mean, law->posterior(y, 3).mean) << law->name();
      EXPECT_EQ(copy->log_marginal(y, 3), law->log_marginal(y, 3)) << law->name();
    }
  }
}

TEST(PriorJson, RefusesWhatIsMalformed) {
  for (const char* text :
       {"3", "{}", "[]", R"({"name": 3})", R"({"name": "mixture"})", R"({"name": "mixture:/etc/hostname"})",
        R"({"name": "learned"})", R"({"name": "x", "components": [{"weight": 1}]})", R"({"name": "sparse-laplace:2"})",
        R"({"name": "x", "components": null})"}) {
    EXPECT_FALSE(message_of([&] { prior_from_json(nlohmann::json::parse(text)); }).empty()) << text;
  }
}

TEST(MakeMixture, NormalisesWeightsOnlyOnce) {
  const double third = 1.0 / 3 + 1e-11;
  const PriorPtr law = make_mixture("m", {{third, 0, 1}, {third, 1, 1}, {third, 2, 1}}, false);
  double total = 0;
  const auto json = law->to_json();
  for (const auto& c : json["components"]) total += c["weight"].get<double>();
  EXPECT_NEAR(total, 1, 1e-15);
  EXPECT_EQ(prior_from_json(json)->to_json(), json);
  EXPECT_THROW(make_mixture("m", {{0.5, 0, 1}, {0.4, 1, 1}}, false), Error);
  EXPECT_THROW(make_mixture("m", std::vector<Component>(300, {1.0 / 300, 0, 1}), false), Error);
  EXPECT_THROW(make_mixture("m", {{NAN, 0, 1}}, false), Error);
}

}  // namespace
}  // namespace signfold
