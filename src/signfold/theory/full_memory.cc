#include "signfold/theory/full_memory.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/theory/rate.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

/// Guard G6, as for the two-term form.
constexpr double kLeastRisk = 1e-12;
constexpr double kLeastVariance = 1e-10;
/// Elements of Ω that should stay the same may move this much, relative to its diagonal.
constexpr double kLargestDrift = 1e-8;

using Square = Matrix<double>;

Square product(const Square& a, const Square& b) {
  Square out(a.rows(), b.cols());
  gemm(false, false, 1.0, a, b, 0.0, out);
  return out;
}

Square times_transpose(const Square& a, const Square& b) {
  Square out(a.rows(), b.rows());
  gemm(false, true, 1.0, a, b, 0.0, out);
  return out;
}

void add(Square& sum, double factor, const Square& term) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum.data()[i] += factor * term.data()[i];
}

/// Σ_j κ_j F M^j: the sums (b) and (e).
Square one_sided_sum(std::span<const double> kappa, const Square& f, const Square& m) {
  Square sum(f.rows(), f.cols());
  Square term = f.clone();
  for (const double k : kappa) {
    add(sum, k, term);
    term = product(term, m);
  }
  return sum;
}

/// Σ_j κ_j [Σ_{i≤j} M^i X (Mᵀ)^{j−i} + Σ_{i<j} M^i Y (Mᵀ)^{j−1−i}]: the sums (c) and (f), symmetric.
Square two_sided_sum(std::span<const double> kappa, const Square& m, const Square& x, const Square& y) {
  Square sum(x.rows(), x.cols());
  Square bracket = x.clone();
  Square last = times_transpose(x, m);  // the terms of the next bracket with i = 0
  add(last, 1, y);
  for (const double k : kappa) {
    add(sum, k, bracket);
    bracket = product(m, bracket);
    add(bracket, 1, last);
    last = times_transpose(last, m);
  }
  for (std::size_t i = 0; i < sum.rows(); ++i) {
    for (std::size_t j = 0; j < i; ++j) sum(i, j) = sum(j, i) = 0.5 * (sum(i, j) + sum(j, i));
  }
  return sum;
}

/// Solves (A + ridge·diag A) x = b for the block 1 … b.size() of A, or nothing if that is not positive definite
/// (Cholesky).
std::optional<std::vector<double>> solve_ridge(const Square& a, std::vector<double> b, double ridge) {
  const std::size_t n = b.size();
  Square l(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = a(i + 1, j + 1) * (i == j ? 1 + ridge : 1);
      for (std::size_t k = 0; k < j; ++k) rest -= l(i, k) * l(j, k);
      if (i == j && !(rest > 0)) return std::nullopt;
      l(i, j) = i == j ? std::sqrt(rest) : rest / l(j, j);
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= l(i, k) * b[k];
    b[i] /= l(i, i);
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= l(k, i) * b[k];
    b[i] /= l(i, i);
  }
  return b;
}

/// vᵀ A v over the block 1 … v.size().
double quadratic(const Square& a, std::span<const double> v) {
  double sum = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    for (std::size_t j = 0; j < v.size(); ++j) sum += v[i] * a(i + 1, j + 1) * v[j];
  }
  return sum;
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Elements 1 … count of a row.
std::vector<double> row_part(const Square& a, std::size_t row, std::size_t count) {
  const auto all = a.row(row).subspan(1, count);
  return {all.begin(), all.end()};
}

/// The state of the recursion. ΦΨ and ΨΦ are strictly lower triangular, so that all sums end with cumulant 2T + 2. All
/// matrices have the size of the last layer: rows that are not filled yet are zero, and zero rows change no sum.
/// Symbols as in docs/rigamp.md section 4.
class Evolution {
 public:
  Evolution(const VectorPrior& prior, double rate, std::span<const double> kappa, std::size_t layers, double ridge)
      : prior_(prior),
        rate_(rate),
        ridge_(ridge),
        kappa_(kappa),
        phi_(layers + 1, layers + 1),
        psi_(layers + 1, layers + 1),
        gamma_(layers + 1, layers + 1),
        delta_(layers + 1, layers + 1),
        sigma_(layers + 1, layers + 1),
        omega_(layers + 1, layers + 1) {
    gamma_(0, 0) = 1;
    sigma_(0, 0) = kappa_[0];
  }

  /// Layer t = 1, 2, …; nothing when it is beyond what the numbers can carry.
  std::optional<MemoryLayer> next() {
    const std::size_t t = ++t_;
    MemoryLayer layer;
    if (!output_side(layer)) return std::nullopt;
    if (!input_side(layer)) return std::nullopt;
    const Square q = product(phi_, psi_);
    layer.onsager = row_part(one_sided_sum(kappa_, psi_, q), t, t);
    sigma_ = two_sided_sum(kappa_, product(psi_, phi_), gamma_, times_transpose(product(psi_, delta_), psi_));
    return layer;
  }

 private:
  /// (a): how ĝ is made, and what the signs then tell.
  bool output_side(MemoryLayer& layer) {
    const auto solution = solve_ridge(sigma_, row_part(sigma_, 0, t_ - 1), ridge_);
    if (!solution) return false;
    layer.outputs = *solution;
    const double explained = 2 * dot(layer.outputs, row_part(sigma_, 0, t_ - 1)) - quadratic(sigma_, layer.outputs);
    layer.variance = std::min(1.0, sigma_(0, 0) - explained);
    if (!(layer.variance >= kLeastVariance)) return false;
    layer.information = sign_information(layer.variance);
    phi_(t_, 0) = 1;
    for (std::size_t j = 1; j < t_; ++j) phi_(t_, j) = -layer.outputs[j - 1];
    for (std::size_t j = 1; j <= t_; ++j) delta_(t_, j) = delta_(j, t_) = layer.variance / layer.information;
    return true;
  }

  /// (b), (c), (d): how y is made, and what the denoiser makes of it.
  bool input_side(MemoryLayer& layer) {
    const Square w = one_sided_sum(kappa_, phi_, product(psi_, phi_));
    mu_.push_back(rate_ * w(t_, 0));
    for (const double v : row_part(w, t_, t_ - 1)) layer.correction.push_back(rate_ * v);

    Square omega = two_sided_sum(kappa_, product(phi_, psi_), delta_, times_transpose(product(phi_, gamma_), phi_));
    for (double& v : omega.values()) v *= rate_;
    if (!keeps_old_block(omega)) return false;
    omega_ = std::move(omega);
    const auto solution = solve_ridge(omega_, mu_, ridge_);
    if (!solution) return false;
    layer.inputs = *solution;
    const double gain = dot(mu_, layer.inputs);
    for (double& v : layer.inputs) v /= gain;  // unit gain: Σ_j a_{t,j} μ_j = 1
    const double noise = quadratic(omega_, layer.inputs);
    if (!(noise > 0)) return false;
    layer.precision = std::clamp(1 / noise, kLeastPrecision, kLargestPrecision);
    layer.risk = std::clamp(average_mmse(prior_, layer.precision), kLeastRisk, 1.0);

    for (std::size_t j = 1; j <= t_; ++j) psi_(t_, j) = layer.precision * layer.risk * layer.inputs[j - 1];
    for (std::size_t j = 0; j <= t_; ++j) gamma_(t_, j) = gamma_(j, t_) = 1 - layer.risk;
    for (std::size_t j = 1; j < t_; ++j) gamma_(t_, j) = gamma_(j, t_) = gamma_(j, j);  // 1 − m_min(j,t)
    return true;
  }

  bool keeps_old_block(const Square& omega) const {
    for (std::size_t i = 1; i < t_; ++i) {
      for (std::size_t j = 1; j < t_; ++j) {
        if (!(std::abs(omega(i, j) - omega_(i, j)) <= kLargestDrift * omega_(1, 1))) return false;
      }
    }
    return true;
  }

  const VectorPrior& prior_;
  double rate_;
  double ridge_;
  std::span<const double> kappa_;
  Square phi_, psi_, gamma_, delta_, sigma_, omega_;
  std::vector<double> mu_;
  std::size_t t_ = 0;
};

}  // namespace

MemorySchedule full_memory_evolution(const VectorPrior& prior, double rate, std::span<const double> cumulants,
                                     int layers, const MemoryOptions& options) {
  check_rate(rate);
  if (layers < 1) fail("state evolution: {} layers; at least 1 is needed", layers);
  if (!(options.stop >= 0 && options.ridge >= 0)) {
    fail("state evolution: the tolerance {} and the ridge {} must be numbers ≥ 0", options.stop, options.ridge);
  }
  const int most = std::min(layers, kMostMemoryLayers);
  const auto needed = static_cast<std::size_t>(cumulants_for(most));
  if (cumulants.size() < needed || std::abs(cumulants[0] - 1) > 1e-9) {
    fail("state evolution: {} layers need {} free cumulants, the first of them 1", most, needed);
  }
  Evolution evolution(prior, rate, cumulants.first(needed), static_cast<std::size_t>(most), options.ridge);
  MemorySchedule schedule;
  double before = 1;
  while (static_cast<int>(schedule.layers.size()) < most && before > kLeastRisk) {
    std::optional<MemoryLayer> layer = evolution.next();
    if (!layer) break;
    const bool first = schedule.layers.empty();
    if (!first && options.stop > 0 && before - layer->risk < options.stop * before) break;  // guard G1
    before = layer->risk;
    if (layer->risk <= kLeastRisk) layer->risk = 0;  // exact recovery
    schedule.layers.push_back(*std::move(layer));
  }
  return schedule;
}

}  // namespace signfold
