#include <algorithm>
#include <cmath>

#include "signfold/prior/profile.h"
#include "signfold/prior/quadrature.h"

namespace signfold {
namespace {

double square(double x) { return x * x; }

/// Moments of one shape that Prior does not offer: E w³, and E|w − t| for any t at the cost of one panel.
class ShapeMoments {
 public:
  explicit ShapeMoments(const Prior& shape) : shape_(shape), moments_(shape.moments()), atoms_(shape.atoms()) {
    for (const Feature& feature : shape.features()) {
      constexpr int kSteps = 12;  // one width each
      for (int k = -kSteps; k <= kSteps; ++k) edges_.push_back(feature.center + k * feature.width);
    }
    std::sort(edges_.begin(), edges_.end());
    mass_.push_back(0);
    first_.push_back(0);
    for (std::size_t k = 1; k < edges_.size(); ++k) {
      const std::vector<double> panel{edges_[k - 1], edges_[k]};
      mass_.push_back(mass_.back() + integrate(panel, [&](double w) { return shape.density(w); }));
      first_.push_back(first_.back() + integrate(panel, [&](double w) { return w * shape.density(w); }));
    }
    for (const Atom& atom : atoms_) third_ += atom.weight * atom.value * square(atom.value);
    third_ += integrate(edges_, [&](double w) { return w * square(w) * shape.density(w); });
  }

  const Moments& moments() const { return moments_; }
  double third() const { return third_; }

  /// E|w − t| = E w − t + 2 E max(t − w, 0); exact for t = 0.
  double mean_distance(double t) const {
    if (t == 0) return moments_.mean_abs;
    double below = 0;
    for (const Atom& atom : atoms_) below += atom.weight * std::max(t - atom.value, 0.0);
    const auto next = std::upper_bound(edges_.begin(), edges_.end(), t);
    if (next != edges_.begin()) {
      const auto k = static_cast<std::size_t>(next - edges_.begin() - 1);
      below += t * mass_[k] - first_[k];
      if (next != edges_.end()) {
        below += integrate({edges_[k], t}, [&](double w) { return (t - w) * shape_.density(w); });
      }
    }
    return moments_.mean - t + 2 * below;
  }

 private:
  const Prior& shape_;
  Moments moments_;
  std::vector<Atom> atoms_;
  std::vector<double> edges_;
  std::vector<double> mass_;   ///< of the density up to each edge
  std::vector<double> first_;  ///< and its first moment
  double third_ = 0;
};

}  // namespace

Moments average_moments(const VectorPrior& prior) {
  if (prior.iid()) return prior.shapes[0]->moments();
  std::vector<ShapeMoments> shapes;
  for (const PriorPtr& shape : prior.shapes) shapes.emplace_back(*shape);
  Moments sum{0, 0, 0, 0};
  for (std::size_t j = 0; j < prior.scale.size(); ++j) {
    const ShapeMoments& shape = shapes[prior.shape_of.empty() ? 0 : prior.shape_of[j]];
    const Moments& w = shape.moments();
    const double o = prior.offset.empty() ? 0 : static_cast<double>(prior.offset[j]);
    const double s = prior.scale[j];
    sum.mean += o + s * w.mean;
    sum.mean_abs += s == 0 ? std::abs(o) : s * shape.mean_distance(-o / s);
    sum.second += o * o + 2 * o * s * w.mean + s * s * w.second;
    sum.fourth += square(o * o) + 4 * o * o * o * s * w.mean + 6 * square(o * s) * w.second +
                  4 * o * s * s * s * shape.third() + square(s * s) * w.fourth;
  }
  const auto count = static_cast<double>(prior.scale.size());
  return {sum.mean / count, sum.mean_abs / count, sum.second / count, sum.fourth / count};
}

}  // namespace signfold
