#include "signfold/experiment/verdict.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"

namespace signfold::experiment {
namespace {

std::string with_error(double value, double error) {
  return error > 0 ? fmt::format("{:.4g} ± {:.1g}", value, error) : fmt::format("{:.4g}", value);
}

/// "1.2 % (3.4 standard errors)": how far the value is from the claimed one.
std::string distance(const Comparison& c) {
  const double off = std::abs(c.value - c.claimed);
  std::string text =
      c.claimed != 0 ? fmt::format("{:.2g} %", 100 * off / std::abs(c.claimed)) : fmt::format("{:.2g}", off);
  if (c.standard_error > 0) text += fmt::format(" ({:.1f} standard errors)", off / c.standard_error);
  return text;
}

Verdict about(std::string claim, std::string source, const Comparison& c) {
  return {std::move(claim), std::move(source), with_error(c.value, c.standard_error), fmt::format("{:.4g}", c.claimed)};
}

std::string at(const Comparison& c) { return c.label.empty() ? "" : " at " + c.label; }

void require_some(const std::string& claim, const std::vector<Comparison>& comparisons) {
  if (comparisons.empty()) fail("nothing was measured for the claim \"{}\"", claim);
}

}  // namespace

Verdict compare(std::string claim, std::string source, const std::vector<Comparison>& comparisons,
                Tolerance tolerance) {
  require_some(claim, comparisons);
  const auto excess = [&](const Comparison& c) {
    const double allowed = std::max(tolerance.relative * std::abs(c.claimed), tolerance.sigmas * c.standard_error);
    return std::abs(c.value - c.claimed) - allowed;
  };
  const auto ratio = [&](const Comparison& c) {
    const double off = std::abs(c.value - c.claimed);
    return off == 0 ? 0 : off / (off - excess(c));
  };
  const Comparison& worst = *std::ranges::max_element(comparisons, {}, ratio);
  Verdict verdict = about(std::move(claim), std::move(source), worst);
  verdict.agrees = std::ranges::all_of(comparisons, [&](const Comparison& c) { return excess(c) <= 0; });
  const auto failed = std::ranges::count_if(comparisons, [&](const Comparison& c) { return excess(c) > 0; });
  const std::string allowed =
      fmt::format("allowed: {:.2g} % or {:.2g} standard errors", 100 * tolerance.relative, tolerance.sigmas);
  verdict.reason = verdict.agrees ? fmt::format("{} off{}, the worst of {}; {}", distance(worst), at(worst),
                                                comparisons.size(), allowed)
                                  : fmt::format("{} off{}; {} of {} differ; {}", distance(worst), at(worst), failed,
                                                comparisons.size(), allowed);
  return verdict;
}

Verdict below(std::string claim, std::string source, const std::vector<Comparison>& comparisons, double sigmas) {
  require_some(claim, comparisons);
  const auto margin = [&](const Comparison& c) { return (c.claimed - c.value) - sigmas * c.standard_error; };
  const Comparison& worst = *std::ranges::min_element(comparisons, {}, margin);
  Verdict verdict = about(std::move(claim), std::move(source), worst);
  verdict.claimed = "below " + verdict.claimed;
  verdict.agrees = margin(worst) > 0;
  const auto failed = std::ranges::count_if(comparisons, [&](const Comparison& c) { return margin(c) <= 0; });
  verdict.reason = verdict.agrees
                       ? fmt::format("{} below{}, the least of {}", distance(worst), at(worst), comparisons.size())
                       : fmt::format("not below by {:.2g} standard errors{}; {} of {} fail", sigmas, at(worst), failed,
                                     comparisons.size());
  return verdict;
}

std::vector<Comparison> comparisons(const std::vector<Row>& rows, const std::vector<std::string>& keys) {
  std::vector<Comparison> out;
  for (const Row& row : rows) {
    if (!row.prediction) continue;
    std::string label;
    for (const std::string& key : keys) {
      const auto found = row.settings.find(key);
      if (found == row.settings.end()) continue;
      const std::string text = found->is_string() ? found->get<std::string>() : found->dump();
      const std::string symbol = key == "dim" ? "d" : key == "rate" ? "r" : key;
      label += fmt::format("{}{}{}", label.empty() ? "" : ", ", found->is_string() ? "" : symbol + " = ", text);
    }
    out.push_back({label, row.value, row.standard_error, *row.prediction});
  }
  return out;
}

}  // namespace signfold::experiment
