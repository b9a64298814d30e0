#include "signfold/prior/profile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/prior/channel.h"

namespace signfold {
namespace {

double square(double x) { return x * x; }

std::size_t shape_index(const VectorPrior& prior, std::size_t j) {
  return prior.shape_of.empty() ? 0 : prior.shape_of[j];
}

double offset_of(const VectorPrior& prior, std::size_t j) {
  return prior.offset.empty() ? 0 : static_cast<double>(prior.offset[j]);
}

/// log mmse of a law as a function of log precision on one panel: a polynomial through Chebyshev nodes.
class MmsePanel {
 public:
  static constexpr std::size_t kNodes = 8;
  static constexpr double kWidth = 2 * std::numbers::ln2;  // in log precision; its singularities are π away

  MmsePanel(const Prior& shape, double low) {
    for (std::size_t i = 0; i < kNodes; ++i) {
      const double angle = std::numbers::pi * (static_cast<double>(i) + 0.5) / kNodes;
      nodes_[i] = low + kWidth * 0.5 * (1 - std::cos(angle));
      weights_[i] = (i % 2 == 0 ? 1 : -1) * std::sin(angle);
      // The floor matters to laws of atoms only, whose mmse leaves the range of a double.
      values_[i] = std::log(std::max(shape.mmse(std::exp(nodes_[i])), 1e-300));
    }
  }

  double operator()(double log_precision) const {
    double numerator = 0;
    double denominator = 0;
    for (std::size_t i = 0; i < kNodes; ++i) {
      const double distance = log_precision - nodes_[i];
      if (distance == 0) return std::exp(values_[i]);
      numerator += weights_[i] / distance * values_[i];
      denominator += weights_[i] / distance;
    }
    return std::exp(numerator / denominator);
  }

 private:
  std::array<double, kNodes> nodes_{};
  std::array<double, kNodes> weights_{};
  std::array<double, kNodes> values_{};
};

/// Σ σ² mmse(precision·σ²) over the given σ² (sorted, positive). Where few differ, each is computed; where many fall
/// into one panel, they share its polynomial.
double sum_of_mmse(const Prior& shape, std::span<const double> squares, double precision) {
  const Moments moments = shape.moments();
  const double variance = moments.second - square(moments.mean);
  if (!(variance > 0)) return 0;
  // Below this the mmse is the variance to a relative 1e-8, whatever the law.
  const double no_information = 1e-8 * variance / moments.fourth;
  double sum = 0;
  std::size_t i = 0;
  while (i < squares.size() && precision * squares[i] <= no_information) sum += squares[i++] * variance;
  while (i < squares.size()) {
    const double low = MmsePanel::kWidth * std::floor(std::log(precision * squares[i]) / MmsePanel::kWidth);
    const auto begin = squares.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end =
        std::max(begin + 1, std::upper_bound(begin, squares.end(), std::exp(low + MmsePanel::kWidth) / precision));
    const std::vector<double> panel(begin, end);
    i += panel.size();
    std::vector<double> distinct = panel;
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    if (distinct.size() <= MmsePanel::kNodes) {
      for (const double s : distinct) {
        const auto [first, last] = std::equal_range(panel.begin(), panel.end(), s);
        sum += static_cast<double>(last - first) * s * shape.mmse(precision * s);
      }
    } else {
      const MmsePanel mmse(shape, low);
      for (const double s : panel) sum += s * mmse(std::log(precision * s));
    }
  }
  return sum;
}

}  // namespace

VectorPrior iid_prior(PriorPtr prior) {
  VectorPrior v;
  v.shapes.push_back(std::move(prior));
  return v;
}

void check_vector_prior(const VectorPrior& prior, std::size_t dim) {
  if (prior.shapes.empty()) fail("a vector prior needs at least one law");
  for (const PriorPtr& shape : prior.shapes) {
    if (shape == nullptr) fail("a vector prior has an empty law");
  }
  if (prior.iid()) {
    if (!prior.offset.empty() || !prior.shape_of.empty()) fail("a vector prior without scales has offsets or shapes");
    return;
  }
  const auto check_size = [dim](const char* what, std::size_t size) {
    if (size != dim) fail("a vector prior has {} {} for {} coordinates", size, what, dim);
  };
  check_size("scales", prior.scale.size());
  if (!prior.offset.empty()) check_size("offsets", prior.offset.size());
  if (!prior.shape_of.empty()) check_size("shape numbers", prior.shape_of.size());
  for (std::size_t j = 0; j < dim; ++j) {
    if (!(prior.scale[j] >= 0) || std::isinf(prior.scale[j])) {
      fail("vector prior, coordinate {}: scale {} must be finite and at least 0", j, prior.scale[j]);
    }
    if (!std::isfinite(offset_of(prior, j))) fail("vector prior, coordinate {}: the offset is not finite", j);
    if (shape_index(prior, j) >= prior.shapes.size()) {
      fail("vector prior, coordinate {}: shape {} of {}", j, shape_index(prior, j), prior.shapes.size());
    }
  }
}

Posterior coordinate_posterior(const VectorPrior& prior, std::size_t j, double y, double precision) {
  if (prior.iid()) return prior.shapes[0]->posterior(y, precision);
  const double scale = prior.scale[j];
  const double offset = offset_of(prior, j);
  if (scale == 0) return {offset, 0};
  // A scale may be as small as 1e-45: the clamp keeps the quotient finite where y is beyond all sense anyway.
  const double w = std::clamp((y - offset) / scale, -1e300, 1e300);
  const Posterior p = prior.shapes[shape_index(prior, j)]->posterior(w, precision * square(scale));
  return {offset + scale * p.mean, square(scale) * p.variance};
}

double average_mmse(const VectorPrior& prior, double precision) {
  check_precision(precision);
  if (prior.iid()) return prior.shapes[0]->mmse(precision);
  std::vector<std::vector<double>> squares(prior.shapes.size());
  for (std::size_t j = 0; j < prior.scale.size(); ++j) {
    if (prior.scale[j] > 0) squares[shape_index(prior, j)].push_back(square(prior.scale[j]));
  }
  double sum = 0;
  for (std::size_t k = 0; k < squares.size(); ++k) {
    std::sort(squares[k].begin(), squares[k].end());
    sum += sum_of_mmse(*prior.shapes[k], squares[k], precision);
  }
  return sum / static_cast<double>(prior.scale.size());
}

}  // namespace signfold
