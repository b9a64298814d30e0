// A prior: the law of one coordinate of x, with E x = 0 and E x² = 1 unless stated (docs/math.md section 2).
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "signfold/base/random.h"

namespace signfold {

/// Mean and variance of x given an observation. Both finite; variance ≥ 0.
struct Posterior {
  double mean = 0;
  double variance = 0;
};

/// Plain moments of a prior.
struct Moments {
  double mean = 0;
  double mean_abs = 0;  ///< E|x|
  double second = 1;    ///< E x²
  double fourth = 3;    ///< E x⁴
};

/// A point mass of the law.
struct Atom {
  double value = 0;
  double weight = 0;
};

/// Where the law has structure: panels of a quadrature must resolve each such feature. An atom has width 0.
struct Feature {
  double center = 0;
  double width = 0;  ///< one standard deviation (or the scale of an exponential tail)
};

/// The precisions at which every prior promises finite answers, and the only ones that are asked of it but for 0.
inline constexpr double kLeastPrecision = 1e-8;
inline constexpr double kLargestPrecision = 1e8;

/// A scalar law. Immutable; all methods are thread-safe. Every method returns finite numbers for every finite y up to
/// 1e300 in size and every precision in [kLeastPrecision, kLargestPrecision]. Precision 0 is allowed and means that y
/// tells nothing; a negative or non-finite precision throws Error.
class Prior {
 public:
  virtual ~Prior() = default;

  /// The stable name, e.g. "sparse-gaussian:0.1"; parse_prior(name()) gives the same law where the family has a
  /// textual form ("mixture" and learned priors travel as JSON instead).
  virtual std::string name() const = 0;
  /// Everything needed to rebuild the prior; see prior_from_json.
  virtual nlohmann::json to_json() const = 0;

  /// E and Var of x given y = x + N(0, 1/precision). Section 2 of docs/math.md.
  virtual Posterior posterior(double y, double precision) const = 0;
  /// log density of y = x + N(0, 1/precision); saturates at the lowest double.
  virtual double log_marginal(double y, double precision) const = 0;
  /// E Var(x | y) at the given precision; in [0, E x²], decreasing. Default: composite Gauss–Legendre quadrature of
  /// posterior() against the marginal, with panels that resolve every feature() (absolute error below 1e-10).
  virtual double mmse(double precision) const;

  virtual Moments moments() const = 0;
  /// E|m x + s g| with g standard normal, s ≥ 0: ψ(m) of the mixed encoder when s = √(1−m²). Section 4.
  virtual double folded_mean(double m, double s) const = 0;

  /// Point masses, and the density of the continuous rest (it integrates to 1 − Σ weights).
  virtual std::vector<Atom> atoms() const = 0;
  virtual double density(double x) const = 0;
  /// A law with an exponential tail also lists a multiple of its scale, so that 12 widths reach its end.
  virtual std::vector<Feature> features() const = 0;

  /// One draw.
  virtual double sample(RandomStream& stream) const = 0;
};

using PriorPtr = std::shared_ptr<const Prior>;

/// Fills x with independent draws of row `row` of the synthetic data set `seed`: a pure function of its arguments.
void sample_row(const Prior& prior, std::uint64_t seed, std::uint64_t row, std::span<float> x);

/// "mixture:FILE.json" names a prior by a file.
constexpr std::string_view kMixturePrefix = "mixture:";
/// Reads a prior from its textual form: "gaussian", "sparse-gaussian:P", "sparse-rademacher:P", "sparse-laplace:P"
/// (1e-12 ≤ P ≤ 1) or "mixture:FILE.json", a file {"components": [{"weight", "mean", "variance"}, …]} whose law is then
/// centred and scaled to second moment 1. Throws Error naming the known priors, the parameter, or the file and field.
PriorPtr parse_prior(const std::string& text);
/// The inverse of Prior::to_json. Throws Error on anything malformed.
PriorPtr prior_from_json(const nlohmann::json& json);
/// The textual forms, one per line with a short explanation, for help texts and error messages.
std::string prior_help();

}  // namespace signfold
