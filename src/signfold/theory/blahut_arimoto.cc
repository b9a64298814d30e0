#include "signfold/theory/blahut_arimoto.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "signfold/base/matrix.h"

namespace signfold {
namespace {

/// A point of the curve, in nats.
struct RatePoint {
  double rate = 0;
  double distortion = 0;
};

/// The problem at one slope s = −dR/dD: minimise J(q) = −Σ p_i log Σ_j q_j exp(−s (x_i − y_j)²) over laws q of y. Its
/// minimum is R + sD at the point of the curve where the slope is −s.
class Tangent {
 public:
  Tangent(const DiscreteSource& source, const std::vector<double>& reproduction, double slope)
      : source_(source),
        reproduction_(reproduction),
        slope_(slope),
        kernel_(source.points.size(), reproduction.size()),
        sums_(source.points.size()),
        gains_(reproduction.size()) {
    for (std::size_t i = 0; i < kernel_.rows(); ++i) {
      for (std::size_t j = 0; j < kernel_.cols(); ++j) kernel_(i, j) = std::exp(-slope * distortion(i, j));
    }
  }

  /// Replaces q by the next iterate of Blahut and Arimoto. Sets objective() and gap() of the q before.
  void step(std::vector<double>& q) {
    evaluate(q);
    std::ranges::fill(gains_, 0.0);
    for (std::size_t i = 0; i < kernel_.rows(); ++i) {
      const double weight = source_.weights[i] / sums_[i];
      const double* row = kernel_.row(i).data();
      for (std::size_t j = 0; j < gains_.size(); ++j) gains_[j] += weight * row[j];
    }
    gap_ = std::log(std::ranges::max(gains_));
    // The floor keeps logarithms finite and lets a value come back.
    for (std::size_t j = 0; j < q.size(); ++j) q[j] = std::max(q[j] * gains_[j], 1e-200);
  }

  double slope() const { return slope_; }
  double objective() const { return objective_; }
  /// J is at most this far above its minimum (Arimoto's bound).
  double gap() const { return gap_; }

  RatePoint point(const std::vector<double>& q) {
    evaluate(q);
    double total = 0;
    for (std::size_t i = 0; i < kernel_.rows(); ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < kernel_.cols(); ++j) sum += q[j] * kernel_(i, j) * distortion(i, j);
      total += source_.weights[i] / sums_[i] * sum;
    }
    return {objective_ - slope_ * total, total};
  }

 private:
  double distortion(std::size_t i, std::size_t j) const {
    const double difference = source_.points[i] - reproduction_[j];
    return difference * difference;
  }

  void evaluate(const std::vector<double>& q) {
    objective_ = 0;
    for (std::size_t i = 0; i < kernel_.rows(); ++i) {
      // transform_reduce may reorder the sum, which a plain loop may not: several times faster.
      sums_[i] = std::transform_reduce(q.begin(), q.end(), kernel_.row(i).data(), 0.0);
      objective_ -= source_.weights[i] * std::log(sums_[i]);
    }
  }

  const DiscreteSource& source_;
  const std::vector<double>& reproduction_;
  double slope_;
  Matrix<double> kernel_;
  std::vector<double> sums_;   ///< Σ_j q_j exp(−s d_ij)
  std::vector<double> gains_;  ///< the factors of one step
  double objective_ = 0;
  double gap_ = 0;
};

void normalize(std::vector<double>& q) {
  double total = 0;
  for (const double v : q) total += v;
  for (double& v : q) v /= total;
}

/// q2 moved on along the path q → q1 → q2 in the logarithm (SQUAREM of Varadhan and Roland 2008, scheme 3).
std::vector<double> extrapolate(const std::vector<double>& q, const std::vector<double>& q1,
                                const std::vector<double>& q2) {
  double first = 0;
  double second = 0;
  std::vector<double> r(q.size());
  std::vector<double> v(q.size());
  for (std::size_t j = 0; j < q.size(); ++j) {
    const double log1 = std::log(q1[j]);
    r[j] = log1 - std::log(q[j]);
    v[j] = std::log(q2[j]) - log1 - r[j];
    first += q2[j] * r[j] * r[j];
    second += q2[j] * v[j] * v[j];
  }
  const double length = second > 0 ? std::max(1.0, std::sqrt(first / second)) : 1;
  std::vector<double> out(q.size());
  for (std::size_t j = 0; j < q.size(); ++j) {
    const double exponent = 2 * length * r[j] + length * length * v[j];
    out[j] = std::max(q[j] * std::exp(std::clamp(exponent, -300.0, 300.0)), 1e-200);
  }
  normalize(out);
  return out;
}

/// Moves q from where it is towards the minimum of J, and gives the point of the curve it has reached: with slope −s,
/// to an error of `tolerance` in the distortion or as far as the cycles go.
RatePoint descend(Tangent& tangent, double tolerance, std::vector<double>& q) {
  constexpr int kCycles = 200;
  for (int cycle = 0; cycle < kCycles; ++cycle) {
    std::vector<double> q1 = q;
    tangent.step(q1);
    const double objective = tangent.objective();
    if (tangent.gap() < tangent.slope() * tolerance) break;
    std::vector<double> q2 = q1;
    tangent.step(q2);
    std::vector<double> far = extrapolate(q, q1, q2);
    tangent.step(far);
    q = tangent.objective() <= objective ? std::move(far) : std::move(q2);
    normalize(q);
  }
  return tangent.point(q);
}

/// The best that one fixed answer can do.
double distortion_at_rate_zero(const DiscreteSource& source, const std::vector<double>& reproduction) {
  double least = HUGE_VAL;
  for (const double y : reproduction) {
    double sum = 0;
    for (std::size_t i = 0; i < source.points.size(); ++i) {
      sum += source.weights[i] * (source.points[i] - y) * (source.points[i] - y);
    }
    least = std::min(least, sum);
  }
  return least;
}

double entropy_of(const DiscreteSource& source) {
  double sum = 0;
  for (const double p : source.weights) {
    if (p > 0) sum -= p * std::log(p);
  }
  return sum;
}

}  // namespace

double discrete_distortion(const DiscreteSource& source, const std::vector<double>& grid, double rate,
                           double tolerance) {
  // The curve is convex. Two of its points enclose the rate; the tangent parallel to their chord gives a third, which
  // replaces one of them, until chord and tangent agree at the rate. A straight piece ends the search at once.
  std::vector<double> reproduction = source.points;
  reproduction.insert(reproduction.end(), grid.begin(), grid.end());
  RatePoint low{0, distortion_at_rate_zero(source, reproduction)};
  RatePoint high{entropy_of(source), 0};
  if (rate >= high.rate) return 0;
  if (rate <= low.rate) return low.distortion;

  // Half the law of the source, which is where sparse sources end, and half even.
  std::vector<double> start(reproduction.size(), 0.5 / static_cast<double>(reproduction.size()));
  for (std::size_t i = 0; i < source.points.size(); ++i) start[i] += 0.5 * source.weights[i];

  constexpr int kTangents = 30;
  std::vector<double> q = start;
  double chord = low.distortion;
  for (int k = 0; k < kTangents; ++k) {
    const double slope = (high.rate - low.rate) / (low.distortion - high.distortion);
    Tangent tangent(source, reproduction, slope);
    const RatePoint touch = descend(tangent, tolerance / 4, q);
    chord = low.distortion - (rate - low.rate) / slope;
    const double below = touch.distortion + (touch.rate - rate) / slope;
    if (chord - below < tolerance) return std::min(chord, 0.5 * (chord + below));
    (touch.rate > rate ? high : low) = touch;
    // The next slope starts from here; a little of the start brings back values that its support needs again.
    for (std::size_t j = 0; j < q.size(); ++j) q[j] = 0.95 * q[j] + 0.05 * start[j];
  }
  return chord;
}

}  // namespace signfold
