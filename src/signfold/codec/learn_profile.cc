#include "signfold/codec/learn_profile.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "signfold/base/error.h"
#include "signfold/codec/learn_shapes.h"
#include "signfold/prior/learn.h"

namespace signfold {
namespace {

/// Values that EM looks at.
constexpr std::size_t kMostValues = 4000000;

/// Weighted moments of every coordinate over the rows.
struct Profile {
  std::vector<double> mean;
  std::vector<double> variance;
  double squared_energy = 0;  ///< E (Σ_j (x_j − μ_j)²)²
};

Profile gather(MatrixView<const float> rows, std::span<const double> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  Profile p{std::vector<double>(rows.cols), std::vector<double>(rows.cols)};
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t j = 0; j < rows.cols; ++j) p.mean[j] += weights[i] / total * rows(i, j);
  }
  for (std::size_t i = 0; i < rows.rows; ++i) {
    double energy = 0;
    for (std::size_t j = 0; j < rows.cols; ++j) {
      const double centred = rows(i, j) - p.mean[j];
      p.variance[j] += weights[i] / total * centred * centred;
      energy += centred * centred;
    }
    p.squared_energy += weights[i] / total * energy * energy;
  }
  return p;
}

/// The share of the spread of the variances that is sampling error. Principal axes are chosen for their variance, so it
/// is large for few rows: the formula of Ledoit and Wolf (2004). Other axes: as if one more row with equal energies was
/// seen.
double sampling_share(const Profile& p, double mean, std::size_t rows, bool principal_axes) {
  if (!principal_axes) return 1 / (static_cast<double>(rows) + 1);
  const double squares = std::inner_product(p.variance.begin(), p.variance.end(), p.variance.begin(), 0.0);
  const double error = (p.squared_energy - squares) / static_cast<double>(rows);
  const double spread = squares - static_cast<double>(p.variance.size()) * mean * mean;
  return spread > 0 ? std::clamp(error / spread, 0.0, 1.0) : 1.0;
}

/// Shrinks the variances towards their mean.
void shrink(Profile& p, std::size_t rows, bool principal_axes) {
  const double mean =
      std::accumulate(p.variance.begin(), p.variance.end(), 0.0) / static_cast<double>(p.variance.size());
  const double share = sampling_share(p, mean, rows, principal_axes);
  for (double& v : p.variance) v += share * (mean - v);
}

/// Every stride-th row, so that all rows together have at most kMostValues values.
std::size_t row_stride(MatrixView<const float> rows) {
  return std::max<std::size_t>(1, (rows.rows * rows.cols + kMostValues - 1) / kMostValues);
}

/// Makes the mean over coordinates of μ_j² + σ_j² exactly 1, which rounding and shrinking left only nearly so.
void normalize(VectorPrior& prior) {
  double energy = 0;
  for (std::size_t j = 0; j < prior.scale.size(); ++j) {
    energy +=
        static_cast<double>(prior.offset[j]) * prior.offset[j] + static_cast<double>(prior.scale[j]) * prior.scale[j];
  }
  const double factor = std::sqrt(static_cast<double>(prior.scale.size()) / energy);
  for (float& v : prior.offset) v = static_cast<float>(v * factor);
  for (float& v : prior.scale) v = static_cast<float>(v * factor);
}

}  // namespace

VectorPrior learn_profile(MatrixView<const float> rows, std::span<const double> weights,
                          const ProfileOptions& options) {
  if (rows.rows < 2) fail("a prior needs at least 2 vectors that are not zero; there are {}", rows.rows);
  Profile profile = gather(rows, weights);
  shrink(profile, rows.rows, options.principal_axes);
  VectorPrior prior;
  for (const double v : profile.mean) prior.offset.push_back(static_cast<float>(v));
  for (const double v : profile.variance) prior.scale.push_back(static_cast<float>(std::sqrt(v)));
  learn_shapes(rows, weights, options.seed, options.threads, prior);
  normalize(prior);
  return prior;
}

VectorPrior learn_iid(MatrixView<const float> rows, std::uint64_t seed) {
  if (rows.rows == 0) fail("a prior needs at least 1 vector that is not zero");
  std::vector<float> values;
  for (std::size_t i = 0; i < rows.rows; i += row_stride(rows)) {
    const auto row = rows.row(i);
    values.insert(values.end(), row.begin(), row.end());
  }
  double energy = 0;
  for (const float v : values) energy += static_cast<double>(v) * v;
  const double factor = std::sqrt(static_cast<double>(values.size()) / energy);
  for (float& v : values) v = static_cast<float>(v * factor);
  LearnOptions options;
  options.seed = seed;
  return iid_prior(learn_prior(values, {}, options));
}

}  // namespace signfold
