// Training the layers of an unrolled decoder by gradient descent, one resumable step at a time (docs/rigamp.md section
// 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "signfold/base/team.h"
#include "signfold/decoder/unrolled.h"
#include "signfold/training/optimizer.h"
#include "signfold/training/unrolled_gradient.h"

namespace signfold {

/// The matrix of the layers.
enum class UnrolledMatrix {
  frozen,  ///< the encoder's, as it is
  own,     ///< one of their own that starts as the encoder's
  joint,   ///< the encoder's, trained with the layers: straight through the signs
};

/// How to train. Step sizes are Adam's, for vectors of unit second moment per coordinate, and decay to 0 along half a
/// cosine.
struct UnrolledOptions {
  UnrolledMatrix matrix = UnrolledMatrix::frozen;
  bool splines = false;    ///< pointwise functions that may leave those of the prior
  std::size_t knots = 24;  ///< weights of the spline of a posterior mean, half as many for a score
  double reach = 6;        ///< how far they go: standard deviations of y on both sides
  std::size_t steps = 1000;
  std::size_t batch = 256;
  double step_size = 0.01;
  double matrix_step_size = 1e-3;
  double tau = 2;            ///< joint: width of the smoothed sign
  bool orthonormal = false;  ///< joint: rows go back to B Bᵀ = I after every step (n ≤ d)
};
/// Throws Error naming the option that makes no sense.
void check_unrolled_options(const UnrolledOptions& options, std::size_t bits, std::size_t dim);

/// Vectors to train on, in the coordinates of the basis, and what the error of each counts for: vector i is a pure
/// function of i. Rows that are short of energy count little; nothing may be all 0.
using Draw = std::function<void(std::uint64_t first, MatrixView<float> x, std::span<double> weights)>;
/// Fresh vectors of i.i.d. coordinates; with `normed` divided by their root mean square, whose square is the weight:
/// what a decoder sees where norms are stored. Basis: identity.
Draw draw_from_prior(PriorPtr prior, std::uint64_t seed, bool normed);
/// Rows of data in random order, pass after pass. The caller keeps both.
Draw draw_from_rows(MatrixView<const float> rows, std::span<const double> weights, std::uint64_t seed);

/// All that training carries from step to step.
struct UnrolledState {
  std::size_t step = 0;
  UnrolledDecoder decoder;  ///< its matrix: own, or joint
  Optimizer scalars, matrix;
  UnrolledDecoder best;  ///< with the least held-out risk so far, the start included
  double best_risk = 1;
  std::size_t best_step = 0;
  double start_risk = 1;
  double loss = 1;                                      ///< of the last batch
  std::vector<std::pair<std::size_t, double>> history;  ///< (step, held-out risk)
};

/// Vectors that training does not see.
struct HeldOut {
  Matrix<float> x;  ///< in the coordinates of the basis
  std::vector<double> weights;
};

/// References are kept.
class UnrolledTrainer {
 public:
  /// Throws Error for options that make no sense and for no held-out vectors.
  UnrolledTrainer(const UnrolledSetting& setting, const UnrolledOptions& options, std::size_t layers, Draw draw,
                  const HeldOut& held_out, Team& team);
  ~UnrolledTrainer();

  /// The start: a decoder as theory has it, given splines and a matrix where they are to be trained; measured.
  UnrolledState start(const UnrolledDecoder& from);
  /// One step, and a look at the held-out vectors every now and then. Throws Error when training diverges.
  void step(UnrolledState& state);
  /// Has training gone on to fit the training vectors only?
  bool overfitted(const UnrolledState& state) const;
  /// The best decoder found, with the risk of every layer on `fresh` vectors; the start where it is not better by two
  /// standard errors of the difference on the held-out vectors.
  UnrolledDecoder finish(const UnrolledState& state, const HeldOut& fresh);

  /// Σ w‖x − x̂‖²/Σ w‖x‖² after every layer.
  std::vector<double> risks(const UnrolledDecoder& decoder, const HeldOut& vectors);
  /// Of the risk of the last layer: the delta method for a ratio of two sums.
  double standard_error(const UnrolledDecoder& decoder, const HeldOut& vectors);

 private:
  struct Work;
  void watch(UnrolledState& state);
  void encode(const UnrolledDecoder& decoder, MatrixView<const float> x);
  void move_matrix(UnrolledState& state, std::size_t rows, double rate);
  Matrix<double> errors(const UnrolledDecoder& decoder, const HeldOut& vectors);

  UnrolledSetting setting_;
  UnrolledOptions options_;
  Draw draw_;
  const HeldOut* held_out_;
  Team* team_;
  UnrolledDecoder first_;  ///< what start() made
  std::unique_ptr<Work> work_;
};

}  // namespace signfold
