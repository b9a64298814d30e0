#include "signfold/prior/laplace.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/prior/channel.h"
#include "signfold/prior/normal_tail.h"

namespace signfold {
namespace {

constexpr double kLowest = std::numeric_limits<double>::lowest();

/// log(eᵃ + eᵇ); −inf where both are.
double log_add(double a, double b) {
  const double largest = std::max(a, b);
  return std::isinf(largest) ? largest : largest + std::log1p(std::exp(std::min(a, b) - largest));
}

/// The slab seen through the channel: x given y is a mixture of two truncated normals, one on each half-line, with
/// locations y ∓ λ/precision (docs/rigamp.md section 2.2). In units of the noise.
struct Slab {
  PositiveNormal right;
  PositiveNormal left;     ///< mirrored
  double right_share = 0;  ///< probability of x > 0
  double left_share = 0;
  double mean = 0;
  double variance = 0;
};

Slab slab_given(double y, double precision, double rate) {
  const double root = std::sqrt(precision);
  Slab s;
  s.right = positive_normal(y * root - rate / root);
  s.left = positive_normal(-y * root - rate / root);
  // The weights are 1/hazard; at most one of the two hazards is 0, since the two locations sum to less than 0.
  const double total = s.right.hazard + s.left.hazard;
  s.right_share = s.left.hazard / total;
  s.left_share = s.right.hazard / total;
  s.mean = s.right_share * s.right.mean - s.left_share * s.left.mean;
  s.variance = s.right_share * s.right.variance + s.left_share * s.left.variance;
  const double both = s.right_share * s.left_share;
  if (both > 0) s.variance += both * (s.right.mean + s.left.mean) * (s.right.mean + s.left.mean);
  return s;
}

class SparseLaplace final : public Prior {
 public:
  explicit SparseLaplace(double p) : p_(p), rate_(std::sqrt(2 * p)) {}

  std::string name() const override { return fmt::format("sparse-laplace:{}", p_); }
  nlohmann::json to_json() const override { return {{"name", name()}}; }

  Posterior posterior(double y, double precision) const override {
    check_precision(precision);
    if (precision < kNoInformation) return {0, 1};
    const Slab slab = slab_given(y, precision, rate_);
    const double root = std::sqrt(precision);
    // Odds of spike to slab: both marginals carry the same Gaussian factor in y, which cancels.
    const double spike_part = (1 - p_) * slab.right.hazard * slab.right_share;
    const double slab_part = p_ * rate_ / (2 * root);
    const double slab_share = slab_part / (spike_part + slab_part);  // not 1 − the other: either may be tiny
    const double spike_share = spike_part / (spike_part + slab_part);
    const double mean = slab.mean / root;
    double variance = slab.variance / precision;
    if (spike_share > 0) variance += spike_share * mean * mean;
    return {slab_share * mean, slab_share * variance};
  }

  double log_marginal(double y, double precision) const override {
    check_precision(precision);
    if (precision < kNoInformation) return kLowest;
    const double root = std::sqrt(precision);
    const double near = std::abs(y) * root - rate_ / root;  // location of the half-line on the side of y
    const double far = -std::abs(y) * root - rate_ / root;
    const double log_gauss = -0.5 * precision * y * y - 0.5 * std::log(2 * std::numbers::pi);
    const PositiveNormal near_part = positive_normal(near);
    const PositiveNormal far_part = positive_normal(far);
    double log_slab = std::log(p_ * rate_ / 2) + std::log1p(near_part.hazard / far_part.hazard);
    if (near > 0) {
      log_slab += rate_ * (rate_ / (2 * precision) - std::abs(y)) + log_normal_cdf(near);
    } else {
      log_slab += log_gauss - std::log(near_part.hazard);
    }
    const double log_spike = std::log1p(-p_) + log_gauss + std::log(root);
    return std::max(log_add(log_spike, log_slab), kLowest);
  }

  Moments moments() const override { return {0, std::sqrt(p_ / 2), 1, 6 / p_}; }

  double folded_mean(double m, double s) const override {
    const double gauss = s * std::sqrt(2 / std::numbers::pi);
    const double scale = std::abs(m) / rate_;  // of the Laplace variable m·x
    if (scale == 0) return gauss;
    // A Laplace variable is Gaussian with an exponential variance; the incomplete gamma integral gives this.
    const double slab = gauss + scale * erfcx(s / (std::numbers::sqrt2 * scale));
    return (1 - p_) * gauss + p_ * slab;
  }

  std::vector<Atom> atoms() const override {
    if (p_ == 1) return {};
    return {{0, 1 - p_}};
  }

  double density(double x) const override { return p_ * rate_ / 2 * std::exp(-rate_ * std::abs(x)); }

  /// The spike or the kink at 0, the body, and the tail: 12 times its width reaches exp(−36).
  std::vector<Feature> features() const override { return {{0, 0}, {0, 1 / rate_}, {0, 3 / rate_}}; }

  double sample(RandomStream& stream) const override {
    if (stream.uniform() >= p_) return 0;
    const double u = 2 * stream.uniform();
    return u < 1 ? std::log(u) / rate_ : -std::log(2 - u) / rate_;
  }

 private:
  /// Below this precision 1/precision² leaves the range of a double, and y tells nothing that a double could hold.
  static constexpr double kNoInformation = 1e-150;

  double p_;
  double rate_;  ///< λ = 1/b = √(2p)
};

}  // namespace

PriorPtr make_sparse_laplace(double p) {
  check_sparsity(fmt::format("sparse-laplace:{}", p), p);
  return std::make_shared<SparseLaplace>(p);
}

}  // namespace signfold
