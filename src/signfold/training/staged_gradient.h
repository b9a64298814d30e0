// The loss of a staged code on a batch and its straight-through gradient (docs/math.md section 13).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signfold/base/team.h"
#include "signfold/decoder/trained_stages.h"

namespace signfold {

/// What is minimised: Σ_s weights[s]·(mean over the batch of ‖x − x̂_s‖²), s ≥ first, by the parameters of the stages
/// from `first` on (counted from 0).
struct StagedLoss {
  std::size_t first = 0;
  std::vector<double> weights;  ///< one for each stage; those before `first` are not used
  /// Every weight divided by the mean square of x − x̂_s over batch and coordinates, taken as a constant: the
  /// derivatives are then those of d·Σ_s weights[s] ln(risk of stage s), so that every prefix counts in its own
  /// proportion.
  bool relative = false;
  /// Rounds of search_bits() before the derivatives are found: decoders learn from the bits that it finds.
  std::size_t rounds = 0;
};

/// Forward: the stages as they encode and decode. Backward: as if dz/du were (1 − tanh²(u/τ))/τ, with τ the root mean
/// square of the scores u of a stage in the batch, taken as a constant. Holds the workspace for batches of one size;
/// the results do not depend on the number of threads.
class StagedGradient {
 public:
  /// For stages of the shapes of these and batches of at most `batch` vectors; `team` outlives this. Throws Error when
  /// there is no memory for the workspace.
  StagedGradient(const std::vector<Stage>& shapes, std::size_t batch, Team& team);

  /// The derivatives of the loss replace those in `gradient` (of the same shapes; stages before the first are not
  /// touched). x: 1 … batch rows × d. Returns the mean of ‖x − x̂_s‖² after every stage.
  std::vector<double> gradient(const std::vector<Stage>& stages, const StagedLoss& loss, MatrixView<const float> x,
                               std::vector<Stage>& gradient);
  /// Σ‖x − x̂_s‖² after every stage, for 1 … batch rows, after so many rounds of search_bits().
  std::vector<double> errors(const std::vector<Stage>& stages, MatrixView<const float> x, std::size_t rounds = 0);
  /// The τ of a stage in the last gradient().
  double tau(std::size_t stage) const { return work_[stage].tau; }

 private:
  struct Work {
    std::size_t before = 0;        ///< bits of the stages before
    double tau = 1;                ///< root mean square of the scores
    Matrix<float> residual;        ///< batch × d: x − x̂ of the stage before
    Matrix<float> u, slope;        ///< batch × n: scores, and minus the derivatives of the loss in them
    Matrix<float> hidden;          ///< batch × H, after the rectifier
    Matrix<float> hidden_slope;    ///< batch × H: derivatives before it
    Matrix<float> estimate;        ///< batch × d: x̂ of this stage
    Matrix<float> estimate_slope;  ///< batch × d: derivatives in x̂ of this stage
    std::vector<double> energy;    ///< per row ‖u‖²
    std::vector<double> error;     ///< per row ‖x − x̂‖²
  };

  void check(const std::vector<Stage>& stages, MatrixView<const float> x) const;
  enum class Bits { signs, kept };
  void forward(const std::vector<Stage>& stages, MatrixView<const float> x, std::size_t rounds);
  void forward(const std::vector<Stage>& stages, MatrixView<const float> x, Bits bits);
  void forward_block(const std::vector<Stage>& stages, MatrixView<const float> x, Bits bits, std::size_t begin,
                     std::size_t count);
  std::vector<double> weights_of(const StagedLoss& loss, std::size_t dim) const;
  void backward_block(const std::vector<Stage>& stages, std::size_t first, std::span<const double> weights,
                      MatrixView<const float> x, std::size_t begin, std::size_t count);
  void collect(std::size_t s, Stage& gradient);
  std::vector<double> total_errors() const;

  Team* team_;
  std::size_t rows_ = 0;  ///< of the batch in hand
  std::vector<Work> work_;
  Matrix<std::uint8_t> codes_;       ///< batch × packed bits of all stages
  Matrix<std::uint8_t> transposed_;  ///< bits of all stages × packed batch
};

}  // namespace signfold
