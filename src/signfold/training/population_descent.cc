#include "signfold/training/population_descent.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/random.h"
#include "signfold/training/decay.h"
#include "signfold/training/population_masks.h"
#include "signfold/training/population_risk.h"

namespace signfold {
namespace {

constexpr double kGrowth = 1.1;
/// Steps may grow up to this multiple of their first size.
constexpr double kLongest = 4;
/// Shorter steps move nothing.
constexpr double kShortest = 1e-14;
/// Rounding errors of two risks that are equal.
constexpr double kRounding = 1e-13;

void check(const DescentOptions& o) {
  if (!(o.step_size > 0 && std::isfinite(o.step_size))) {
    fail("population descent: the step size is {}; it must be a positive number (1 fits every rate)", o.step_size);
  }
  if (!(o.noise >= 0 && std::isfinite(o.noise)))
    fail("population descent: the noise is {}; it must be 0 or more", o.noise);
  if (o.masks == 0) fail("population descent: 0 masks per step; use at least 1 (50 is a good number)");
}

void normalize(Matrix<double>& rows) {
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double sum = 0;
    for (const double v : rows.row(i)) sum += v * v;
    if (!(sum > 0 && std::isfinite(sum))) fail("population descent: row {} of the encoder has no direction", i);
    const double scale = 1 / std::sqrt(sum);
    for (double& v : rows.row(i)) v *= scale;
  }
}

Matrix<double> moved(const Matrix<double>& rows, double step, const Matrix<double>& gradient) {
  Matrix<double> result = rows.clone();
  for (std::size_t i = 0; i < result.size(); ++i) result.values()[i] -= step * gradient.values()[i];
  normalize(result);
  return result;
}

/// Adds to each row a Gaussian vector of root mean square length `noise`.
void add_noise(Matrix<double>& rows, double noise, std::uint64_t seed, std::size_t step) {
  RandomStream stream(seed, Purpose::noise, step);
  const double deviation = noise / std::sqrt(static_cast<double>(rows.cols()));
  for (double& v : rows.values()) v += deviation * stream.normal();
  normalize(rows);
}

double best_risk(const Matrix<double>& rows, const SourceMasks& masks, int threads) {
  const SignMoments moments = sign_moments(rows, masks, threads);
  return decoder_risk(moments, best_decoder(moments));
}

}  // namespace

PopulationState start_descent(MatrixView<const double> rows, const DescentOptions& options) {
  check(options);
  if (rows.rows == 0 || rows.cols == 0) fail("population descent: {} rows of dimension {}", rows.rows, rows.cols);
  PopulationState state{.step_size = options.step_size, .rows = Matrix<double>(rows.rows, rows.cols)};
  for (std::size_t i = 0; i < rows.rows; ++i) std::ranges::copy(rows.row(i), state.rows.row(i).begin());
  normalize(state.rows);
  return state;
}

PopulationState start_descent(std::size_t bits, std::size_t dim, const DescentOptions& options) {
  Matrix<double> rows(bits, dim);
  for (std::size_t i = 0; i < bits; ++i) {
    RandomStream stream(options.seed, Purpose::start, i);
    for (double& v : rows.row(i)) v = stream.normal();
  }
  return start_descent(rows, options);
}

void descent_step(PopulationState& state, double p, const DescentOptions& options) {
  const SourceMasks masks = draw_masks(state.rows.cols(), p, options.masks, options.seed, state.step);
  const SignMoments moments = sign_moments(state.rows, masks, options.threads);
  const Matrix<double> decoder = best_decoder(moments);
  const double before = decoder_risk(moments, decoder);
  const Matrix<double> gradient = risk_gradient(state.rows, decoder, masks, options.threads);

  const double decay = p == 1 ? 1 : decayed(Decay::cosine, 1, 0, state.step, options.steps);
  double step_size = state.step_size;
  Matrix<double> rows;
  double risk = 0;
  const auto attempt = [&] {
    rows = moved(state.rows, step_size * decay, gradient);
    risk = best_risk(rows, masks, options.threads);
    return risk <= before + kRounding;
  };
  if (attempt()) {
    step_size = std::min(kGrowth * step_size, kLongest * options.step_size);
  } else {
    do step_size /= 2;
    while (!attempt() && step_size > kShortest);
  }
  if (options.noise > 0) add_noise(rows, options.noise, options.seed, state.step);

  state = {.step = state.step + 1,
           .step_size = step_size,
           .risk = risk,
           .converged = options.noise == 0 && before - risk < options.tolerance,
           .rows = std::move(rows)};
}

void descend(PopulationState& state, double p, const DescentOptions& options, const DescentReport& report) {
  check(options);
  while (state.step < options.steps && !state.converged) {
    throw_if_interrupted();
    descent_step(state, p, options);
    if (report) report(state);
  }
}

}  // namespace signfold
