// Gradient descent on the population risk, as in the theorem of docs/math.md section 3, and beyond it: any rate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "signfold/base/matrix.h"

namespace signfold {

struct DescentOptions {
  std::size_t steps = 200;  ///< the cosine decay ends there too: a descent that goes on later needs the same number
  /// Where the step size starts, for the gradient of d times the risk; it then finds its own way (descent_step).
  double step_size = 1;
  std::size_t masks = 50;    ///< per step, of a sparse source
  double noise = 0;          ///< root mean square length of the Gaussian noise that each step adds to every row
  double tolerance = 1e-13;  ///< stop when a step without noise lowers the risk by less
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0 = default_threads(); results do not depend on it
};

/// All that a descent carries from step to step. Random numbers are pure functions of (seed, step), so a copy of it,
/// kept in memory or in a file, goes on to exactly the same bytes.
struct PopulationState {
  std::size_t step = 0;    ///< steps done
  double step_size = 0;    ///< before the decay of sparse sources
  double risk = 1;         ///< after the last step, with the best decoder for the masks of that step (see descent_step)
  bool converged = false;  ///< the last step gained less than the tolerance
  Matrix<double> rows;     ///< B, n × d, unit norms
};

/// Rows that are independent uniform unit vectors. Throws Error for n = 0 or d = 0, or options that make no sense.
PopulationState start_descent(std::size_t bits, std::size_t dim, const DescentOptions& options);
/// Rows that are given, n × d, normalised here. Throws Error for a row with no direction.
PopulationState start_descent(MatrixView<const double> rows, const DescentOptions& options);

/// One step on the risk of a Gaussian (p = 1) or sparse Gaussian source, docs/math.md section 3: the best decoder for
/// these rows, a step against the gradient, rows back to norm 1. A step that raises the risk is halved until it does
/// not; every step that needed no halving lets the next one be a tenth longer. A sparse source is replaced by
/// random masks, new ones for every step and the same throughout a step; their randomness is averaged out by a cosine
/// decay of the steps, and makes `risk` optimistic (by 0.3 % for 50 masks at d = 200, p = .1): measure_risk tells the
/// truth. Throws Error{interrupted} on request; the state is then as before the step.
void descent_step(PopulationState& state, double p, const DescentOptions& options);

/// Called after every step.
using DescentReport = std::function<void(const PopulationState&)>;

/// Steps until options.steps are done or it has converged. An interrupt or an exception of `report` leaves the
/// state as it was after the last complete step.
void descend(PopulationState& state, double p, const DescentOptions& options, const DescentReport& report = {});

}  // namespace signfold
