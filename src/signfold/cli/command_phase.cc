// signfold phase: which encoder wins as a family of priors goes from sparse to dense.
#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <optional>

#include "signfold/base/interrupt.h"
#include "signfold/base/suggest.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/options.h"
#include "signfold/cli/text.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string family = "sparse-rademacher";
  double rate = 1;
  double from = 0.1;
  double to = 1;
  double step = 0.05;
};

struct Point {
  double p = 0;
  MixedOptimum mixed;
  double rotation = 1;
  double identity = 1;
};

constexpr const char* kFamilies = "sparse-rademacher\nsparse-gaussian\nsparse-laplace\n";
constexpr double kMaxPoints = 10000;
constexpr double kGain = 1e-12;  ///< risks closer than this are equal: rounding must not decide a winner

const char* const kTieNote =
    "note: under the identity every exact zero ties; these risks break ties at random. A decoder that knows the tie "
    "rule\n"
    "(bit = 1 for 0) does better on very sparse vectors, which says nothing about the encoder.\n";

PriorPtr prior_at(const Options& options, double p) {
  return parse_prior(fmt::format("{}:{:.17g}", options.family, p));
}

Point point_at(const Options& options, double p) {
  const PriorPtr prior = prior_at(options, p);
  return {p, optimal_mix(*prior, options.rate), linear_risk_limit(options.rate), mixed_risk(*prior, 1, options.rate)};
}

/// The p in (0, 1] from which on `wins`, by bisection; nothing if it never or always does.
std::optional<double> transition(const std::function<bool(double)>& wins) {
  double low = 1e-3;
  double high = 1;
  if (wins(low) || !wins(high)) return std::nullopt;
  while (high - low > 1e-9) {
    const double middle = 0.5 * (low + high);
    (wins(middle) ? high : low) = middle;
  }
  return high;
}

std::vector<double> grid(const Options& options) {
  const double count = std::floor((options.to - options.from) / options.step + 1e-9) + 1;
  if (!(options.from > 0 && options.from <= options.to && options.to <= 1)) {
    fail("--from and --to must satisfy 0 < from <= to <= 1, not {} and {}", options.from, options.to);
  }
  if (!(options.step > 0 && count <= kMaxPoints)) {
    fail("--step must be positive and give at most {} points, not {}", kMaxPoints, options.step);
  }
  std::vector<double> ps;
  for (double i = 0; i < count; ++i) {
    const double p = std::min(options.to, options.from + i * options.step);
    ps.push_back(std::round(p * 1e12) * 1e-12);  // 0.15, not 0.15000000000000002
  }
  return ps;
}

nlohmann::ordered_json optional_number(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

const char* winner(const Point& point) {
  if (point.mixed.risk > point.rotation - kGain) return "rotation";
  return point.mixed.risk < point.identity - kGain ? "mixed" : "identity";
}

std::string sentence(const char* what, const std::optional<double>& p) {
  return p ? fmt::format("{} from p = {:.6g} on\n", what, *p) : fmt::format("{} for no p\n", what);
}

Report phase(const Options& options) {
  check_rate(options.rate);
  check_spelling("family", options.family, kFamilies);
  if (!options.family.starts_with("sparse-")) {
    fail("unknown family '{}'; known: sparse-rademacher, sparse-gaussian, sparse-laplace", options.family);
  }

  Report report;
  report.json = {{"family", options.family}, {"rate", options.rate}, {"points", nlohmann::ordered_json::array()}};
  std::vector<Row> rows = {{"p", "psi(m*)", "m*", "rotation", "identity", "mixed", "best"}};
  for (const double p : grid(options)) {
    throw_if_interrupted();
    const Point point = point_at(options, p);
    report.json["points"].push_back({{"p", p},
                                     {"psi", point.mixed.psi},
                                     {"m", point.mixed.m},
                                     {"rotation", point.rotation},
                                     {"identity", point.identity},
                                     {"mixed", point.mixed.risk}});
    rows.push_back({fmt::format("{:.4g}", p), number(point.mixed.psi), number(point.mixed.m), number(point.rotation),
                    number(point.identity), number(point.mixed.risk), winner(point)});
  }

  const auto mixed = transition([&](double p) {
    const Point point = point_at(options, p);
    return point.mixed.m > 0 && point.mixed.risk < point.rotation - kGain;
  });
  const auto identity = transition([&](double p) {
    return mixed_risk(*prior_at(options, p), 1, options.rate) < linear_risk_limit(options.rate) - kGain;
  });
  report.json["transition"] = {{"mixed_below_rotation", optional_number(mixed)},
                               {"identity_below_rotation", optional_number(identity)}};
  report.text = fmt::format("{}, {}: risk of the linear decoder\n\n{}\n{}{}{}", options.family, rate_text(options.rate),
                            table(rows), sentence("mixed beats rotation", mixed),
                            sentence("identity beats rotation", identity), kTieNote);
  return report;
}
}  // namespace

Action declare_phase(CLI::App& app, const Common& /*common*/) {
  const auto options = std::make_shared<Options>();
  app.add_option("--family", options->family, "Family of priors")->type_name("FAMILY")->capture_default_str();
  app.add_option("--rate", options->rate, "Bits per dimension")->type_name("R")->capture_default_str();
  app.add_option("--from", options->from, "First share p of nonzero coordinates")
      ->type_name("P")
      ->capture_default_str();
  app.add_option("--to", options->to, "Last p")->type_name("P")->capture_default_str();
  app.add_option("--step", options->step, "Distance between them")->type_name("S")->capture_default_str();
  app.footer(help_footer({{"Families", kFamilies}},
                         "signfold phase --family sparse-rademacher --from 0.1 --to 1 --step 0.05"));
  return [options] { return phase(*options); };
}

}  // namespace signfold::cli
