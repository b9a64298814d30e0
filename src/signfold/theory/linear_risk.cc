#include "signfold/theory/linear_risk.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/theory/rate.h"

namespace signfold {
namespace {

constexpr double kC = 2 * std::numbers::inv_pi;  // c of docs/math.md: (E|g|)² of a standard normal

/// The rows of b divided by their norms.
Matrix<double> directions(MatrixView<const double> b) {
  if (b.rows == 0 || b.cols == 0) fail("linear risk: the encoder is {} x {}, which is empty", b.rows, b.cols);
  Matrix<double> unit(b.rows, b.cols);
  for (std::size_t i = 0; i < b.rows; ++i) {
    double square = 0;
    for (const double v : b.row(i)) square += v * v;
    const double norm = std::sqrt(square);
    if (!(norm > 0 && std::isfinite(norm))) fail("linear risk: row {} of the encoder has the norm {}", i, norm);
    std::ranges::transform(b.row(i), unit.row(i).begin(), [norm](double v) { return v / norm; });
  }
  return unit;
}

/// F = c·arcsin(unit·unitᵀ), the second moments of the signs of Gaussian vectors.
Matrix<double> sign_moments(const Matrix<double>& unit) {
  Matrix<double> f(unit.rows(), unit.rows());
  gemm(false, true, 1, unit, unit, 0, f.view());
  for (double& v : f.values()) v = kC * std::asin(std::clamp(v, -1.0, 1.0));
  for (std::size_t i = 0; i < f.rows(); ++i) f(i, i) = 1;
  return f;
}

/// F⁻¹·unit, n × d: the transpose of A*/√c.
Matrix<double> whitened(const Matrix<double>& unit) {
  const Matrix<double> f = sign_moments(unit);
  for (std::size_t i = 0; i < f.rows(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (std::abs(f(i, j)) > 1 - 1e-9) {
        fail("linear risk: rows {} and {} of the encoder are parallel, so that F is singular; drop one", j, i);
      }
    }
  }
  Matrix<double> solution = unit.clone();
  solve_spd(f, solution.view());
  return solution;
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

double linear_risk_limit(double rate) { return best_scalar_decoder(rate, std::max(1.0, rate)).risk; }

double linear_gain_limit(double rate) { return best_scalar_decoder(rate, std::max(1.0, rate)).gain; }

double gaussian_linear_risk(MatrixView<const double> b) {
  const Matrix<double> unit = directions(b);
  const Matrix<double> solution = whitened(unit);
  return std::clamp(1 - kC * dot(unit.values(), solution.values()) / static_cast<double>(b.cols), 0.0, 1.0);
}

Matrix<double> gaussian_best_decoder(MatrixView<const double> b) {
  const Matrix<double> solution = whitened(directions(b));
  Matrix<double> a(b.cols, b.rows);
  for (std::size_t i = 0; i < b.rows; ++i) {
    for (std::size_t j = 0; j < b.cols; ++j) a(j, i) = std::sqrt(kC) * solution(i, j);
  }
  return a;
}

double gaussian_linear_risk(MatrixView<const double> b, MatrixView<const double> a) {
  if (a.rows != b.cols || a.cols != b.rows) {
    fail("linear risk: the decoder is {} x {}; for this encoder it must be {} x {}", a.rows, a.cols, b.cols, b.rows);
  }
  const Matrix<double> unit = directions(b);
  const Matrix<double> f = sign_moments(unit);
  Matrix<double> af(a.rows, a.cols);
  gemm(false, false, 1, a, f, 0, af.view());
  double trace = 0;
  double power = 0;
  for (std::size_t j = 0; j < a.rows; ++j) {
    for (std::size_t i = 0; i < a.cols; ++i) trace += unit(i, j) * a(j, i);
    power += dot(af.row(j), a.row(j));
  }
  return 1 + (power - 2 * std::sqrt(kC) * trace) / static_cast<double>(b.cols);
}

ScalarDecoder best_scalar_decoder(double rate, double fourth) {
  check_rate(rate);
  const double least = std::max(1.0, rate);
  // The least value is that of a tight frame; a measured spectrum may miss it by rounding.
  if (!(fourth >= least * (1 - 1e-6) && std::isfinite(fourth))) {
    fail("the fourth moment tr((BBᵀ)²)/n is {}; for unit-norm rows at rate {} it is at least {}", fourth, rate, least);
  }
  // Per coordinate: E x·Bᵀz = r√c, and E(Bᵀz)² = r(c·fourth + 1 − c), because F ≈ c BBᵀ off its diagonal.
  const double moment = std::max(fourth, least);
  const double power = 1 + kC * (moment - 1);
  ScalarDecoder best;
  best.gain = std::sqrt(kC) / power;
  best.risk = (1 - kC + kC * (moment - rate)) / power;  // 1 − r c/power without its cancellation
  best.precision = rate * kC / power / best.risk;
  return best;
}

}  // namespace signfold
