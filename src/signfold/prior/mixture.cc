#include "signfold/prior/mixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>

#include "signfold/base/error.h"
#include "signfold/prior/channel.h"

namespace signfold {
namespace {

/// Enough for any fit, and few enough for the stack of posterior().
constexpr std::size_t kMaxComponents = 256;
constexpr double kLowest = std::numeric_limits<double>::lowest();

double square(double x) { return x * x; }

/// E|N(mean, variance)|.
double fold(double mean, double variance) {
  const double deviation = std::sqrt(variance);
  if (deviation == 0) return std::abs(mean);
  const double ratio = mean / (deviation * std::numbers::sqrt2);
  return deviation * std::sqrt(2 / std::numbers::pi) * std::exp(-ratio * ratio) + mean * std::erf(ratio);
}

/// The mixture seen through y = x + N(0, 1/precision). Everything is relative to a reference component, the widest
/// one: (y − m)² then cancels before it is computed, so that no y overflows and components of one variance are still
/// told apart when y is huge. Formulas: docs/rigamp.md section 2.1 with T = gain/precision.
class Channel {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only the first size_ terms are ever read
  Channel(std::span<const Component> components, std::size_t reference, double precision)
      : size_(components.size()), precision_(precision) {
    reference_ = components[reference];
    reference_gain_ = 1 + precision * reference_.variance;
    const double log_reference = std::log(reference_.weight) - 0.5 * std::log(reference_gain_);
    for (std::size_t k = 0; k < size_; ++k) {
      const Component& c = components[k];
      const double gain = 1 + precision * c.variance;
      terms_[k] = {std::log(c.weight) - 0.5 * std::log(gain) - log_reference, c.mean - reference_.mean,
                   precision * (reference_.variance - c.variance) / reference_gain_, 1 / gain, c.variance / gain};
    }
    log_norm_ = log_reference + 0.5 * (std::log(precision) - std::log(2 * std::numbers::pi));
  }

  struct Value {
    Posterior posterior;
    double log_marginal = 0;
  };

  Value at(double y) const {
    const double u = y - reference_.mean;
    // Beyond this the responsibilities no longer change, and u² would overflow.
    const double u_odds = std::clamp(u, -1e100, 1e100);
    std::array<double, kMaxComponents> rho;  // NOLINT: the first size_ are written before they are read
    double largest = kLowest;
    for (std::size_t k = 0; k < size_; ++k) {
      const Term& t = terms_[k];
      const double quadratic = u_odds * (u_odds * t.slope - 2 * t.shift) + t.shift * t.shift;
      rho[k] = t.log_odds - 0.5 * precision_ * quadratic * t.inverse_gain;
      largest = std::max(largest, rho[k]);
    }
    double total = 0;
    double mean = 0;  // relative to the posterior mean of the reference component
    for (std::size_t k = 0; k < size_; ++k) {
      rho[k] = std::exp(rho[k] - largest);
      total += rho[k];
      if (rho[k] > 0) mean += rho[k] * mean_difference(terms_[k], u);
    }
    mean /= total;
    double variance = 0;
    for (std::size_t k = 0; k < size_; ++k) {
      if (rho[k] > 0) variance += rho[k] * (terms_[k].variance + square(mean_difference(terms_[k], u) - mean));
    }
    const double reference_mean = reference_.mean + precision_ * reference_.variance / reference_gain_ * u;
    const double log_marginal = log_norm_ - 0.5 * precision_ / reference_gain_ * u * u + largest + std::log(total);
    return {{reference_mean + mean, variance / total}, std::max(log_marginal, kLowest)};
  }

 private:
  struct Term {
    double log_odds;      ///< against the reference at y = its mean, if the means were equal
    double shift;         ///< mean minus the mean of the reference
    double slope;         ///< in [0, 1]: precision·(reference variance − variance)/reference gain
    double inverse_gain;  ///< 1/(1 + precision·variance)
    double variance;      ///< of x given y and the component
  };

  /// Posterior mean of a component minus that of the reference.
  static double mean_difference(const Term& t, double u) { return (t.shift - t.slope * u) * t.inverse_gain; }

  std::size_t size_;
  double precision_;
  Component reference_;
  double reference_gain_ = 1;
  double log_norm_ = 0;
  std::array<Term, kMaxComponents> terms_;
};

class Mixture final : public Prior {
 public:
  Mixture(std::string name, std::vector<Component> components)
      : name_(std::move(name)), components_(std::move(components)) {
    const auto widest = std::max_element(components_.begin(), components_.end(),
                                         [](const auto& a, const auto& b) { return a.variance < b.variance; });
    reference_ = static_cast<std::size_t>(widest - components_.begin());
  }

  std::string name() const override { return name_; }

  nlohmann::json to_json() const override {
    nlohmann::json list = nlohmann::json::array();
    for (const Component& c : components_) {
      list.push_back({{"weight", c.weight}, {"mean", c.mean}, {"variance", c.variance}});
    }
    return {{"name", name_}, {"components", std::move(list)}};
  }

  Posterior posterior(double y, double precision) const override { return channel(precision).at(y).posterior; }

  double log_marginal(double y, double precision) const override {
    const Channel seen = channel(precision);
    return precision > 0 ? seen.at(y).log_marginal : kLowest;
  }

  double mmse(double precision) const override {
    const Channel seen = channel(precision);
    if (components_.size() == 1 || precision == 0) return seen.at(0).posterior.variance;
    const QuadratureRule rule = channel_rule(features(), precision);
    double sum = 0;
    for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
      const Channel::Value value = seen.at(rule.nodes[i]);
      sum += rule.weights[i] * std::exp(value.log_marginal) * value.posterior.variance;
    }
    return sum;
  }

  Moments moments() const override {
    Moments total{0, 0, 0, 0};
    for (const auto& [weight, mean, variance] : components_) {
      const double square_mean = mean * mean;
      total.mean += weight * mean;
      total.mean_abs += weight * fold(mean, variance);
      total.second += weight * (square_mean + variance);
      total.fourth += weight * (square_mean * square_mean + 6 * square_mean * variance + 3 * variance * variance);
    }
    return total;
  }

  double folded_mean(double m, double s) const override {
    double sum = 0;
    for (const Component& c : components_) sum += c.weight * fold(m * c.mean, m * m * c.variance + s * s);
    return sum;
  }

  std::vector<Atom> atoms() const override {
    std::vector<Atom> list;
    for (const Component& c : components_) {
      if (c.variance == 0) list.push_back({c.mean, c.weight});
    }
    return list;
  }

  double density(double x) const override {
    double sum = 0;
    for (const auto& [weight, mean, variance] : components_) {
      if (variance == 0) continue;
      const double ratio = (x - mean) / std::sqrt(variance);
      sum += weight * std::exp(-0.5 * ratio * ratio) / std::sqrt(2 * std::numbers::pi * variance);
    }
    return sum;
  }

  std::vector<Feature> features() const override {
    std::vector<Feature> list;
    for (const Component& c : components_) list.push_back({c.mean, std::sqrt(c.variance)});
    return list;
  }

  double sample(RandomStream& stream) const override {
    double left = stream.uniform();
    std::size_t k = 0;
    while (k + 1 < components_.size() && left >= components_[k].weight) left -= components_[k++].weight;
    const Component& c = components_[k];
    return c.variance == 0 ? c.mean : c.mean + std::sqrt(c.variance) * stream.normal();
  }

 private:
  Channel channel(double precision) const {
    check_precision(precision);
    return {components_, reference_, precision};
  }

  std::string name_;
  std::vector<Component> components_;
  std::size_t reference_ = 0;
};

void check_components(const std::string& name, std::span<const Component> components) {
  if (components.empty() || components.size() > kMaxComponents) {
    fail("{}: {} components; a mixture has 1 to {}", name, components.size(), kMaxComponents);
  }
  for (std::size_t k = 0; k < components.size(); ++k) {
    const auto& [weight, mean, variance] = components[k];
    if (!(weight > 0 && weight <= 1)) fail("{}: components[{}].weight is {}; it must be in (0, 1]", name, k, weight);
    // Fourth powers of anything within these bounds stay far from the limits of a double.
    if (!(std::abs(mean) <= 1e50)) fail("{}: components[{}].mean is {}; it must be within ±1e50", name, k, mean);
    if (!(variance >= 0 && variance <= 1e100)) {
      fail("{}: components[{}].variance is {}; it must be in [0, 1e100]", name, k, variance);
    }
  }
}

/// Divides the weights by their sum, unless that is 1 up to rounding: so a second pass changes nothing.
void normalize_weights(const std::string& name, std::span<Component> components) {
  const double total = std::accumulate(components.begin(), components.end(), 0.0,
                                       [](double sum, const Component& c) { return sum + c.weight; });
  if (!(std::abs(total - 1) <= 1e-9)) fail("{}: the weights sum to {}, not to 1", name, total);
  const double rounding = static_cast<double>(components.size()) * std::numeric_limits<double>::epsilon();
  if (std::abs(total - 1) <= rounding) return;
  for (Component& c : components) c.weight /= total;
}

/// Centres the law and scales it to second moment 1.
void standardize(const std::string& name, std::span<Component> components) {
  double mean = 0;
  for (const Component& c : components) mean += c.weight * c.mean;
  double variance = 0;
  for (const Component& c : components) variance += c.weight * (c.variance + square(c.mean - mean));
  if (!(variance > 0)) fail("{}: the law is a constant; it cannot be scaled to second moment 1", name);
  for (Component& c : components) {
    c.mean = (c.mean - mean) / std::sqrt(variance);
    c.variance /= variance;
  }
}

}  // namespace

PriorPtr make_mixture(std::string name, std::vector<Component> components, bool normalize) {
  check_components(name, components);
  normalize_weights(name, components);
  if (normalize) standardize(name, components);
  return std::make_shared<Mixture>(std::move(name), std::move(components));
}

PriorPtr make_gaussian() { return make_mixture("gaussian", {{1, 0, 1}}, false); }

PriorPtr make_sparse_gaussian(double p) {
  const std::string name = fmt::format("sparse-gaussian:{}", p);
  check_sparsity(name, p);
  if (p == 1) return make_mixture(name, {{1, 0, 1}}, false);
  return make_mixture(name, {{1 - p, 0, 0}, {p, 0, 1 / p}}, false);
}

PriorPtr make_sparse_rademacher(double p) {
  const std::string name = fmt::format("sparse-rademacher:{}", p);
  check_sparsity(name, p);
  const double value = 1 / std::sqrt(p);
  std::vector<Component> components{{p / 2, -value, 0}, {p / 2, value, 0}};
  if (p < 1) components.insert(components.begin(), {1 - p, 0, 0});
  return make_mixture(name, std::move(components), false);
}

}  // namespace signfold
