// The laws against reference/priors.py, which sums over points of x and knows no closed form.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "signfold/prior/prior.h"

namespace signfold {
namespace {

/// What a command prints on stdout.
std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  char buffer[4096];
  while (pipe != nullptr) {
    const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe.get());
    if (got == 0) break;
    text.append(buffer, got);
  }
  return text;
}

void compare_channel(const Prior& law, const nlohmann::json& channel) {
  const double precision = channel["precision"];
  SCOPED_TRACE("precision " + channel["precision"].dump());
  // The Python sums are good to 1e-13; E x² − E (E[x|y])² loses two digits of that, and cuts off tails of 1e-10.
  EXPECT_NEAR(law.mmse(precision), channel["mmse"].get<double>(), 1e-9);
  for (const nlohmann::json& point : channel["points"]) {
    const double y = point["y"];
    const Posterior p = law.posterior(y, precision);
    EXPECT_NEAR(p.mean, point["mean"].get<double>(), 1e-10) << "y = " << y;
    EXPECT_NEAR(p.variance, point["variance"].get<double>(), 1e-10) << "y = " << y;
    EXPECT_NEAR(law.log_marginal(y, precision), point["log_marginal"].get<double>(), 1e-10) << "y = " << y;
  }
}

TEST(PriorReference, AgreesWithPython) {
  const std::string text = output_of(SIGNFOLD_PYTHON " " SIGNFOLD_SOURCE_DIR "/reference/priors.py");
  const auto table = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(table.is_array()) << SIGNFOLD_PYTHON " reference/priors.py (needs numpy) printed: "
                                << text.substr(0, 200);
  ASSERT_EQ(table.size(), 5U);
  for (const nlohmann::json& entry : table) {
    const PriorPtr law = prior_from_json(entry["prior"]);
    SCOPED_TRACE(law->name());
    const Moments m = law->moments();
    EXPECT_NEAR(m.mean, entry["moments"]["mean"].get<double>(), 1e-11);  // the Python sums, as above
    EXPECT_NEAR(m.mean_abs, entry["moments"]["mean_abs"].get<double>(), 1e-11);
    EXPECT_NEAR(m.second, entry["moments"]["second"].get<double>(), 1e-11);
    EXPECT_NEAR(m.fourth, entry["moments"]["fourth"].get<double>(), 1e-9);
    for (const nlohmann::json& f : entry["folded"]) {
      EXPECT_NEAR(law->folded_mean(f["m"], f["s"]), f["value"].get<double>(), 1e-10) << f.dump();
    }
    for (const nlohmann::json& channel : entry["channels"]) compare_channel(*law, channel);
  }
}

}  // namespace
}  // namespace signfold
