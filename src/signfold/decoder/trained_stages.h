// A staged code whose projections and decoders were trained (docs/math.md section 13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/decoder/staged.h"

namespace signfold {

/// Stage s: z_s = sign(B(x − x̂_{s−1}) + b) and x̂_s = x̂_{s−1} + Aᵀz_s + Wᵀ max(0, Vᵀ(z_1 … z_s) + bias) + offset, with
/// x̂_0 = 0. n bits of its own, P bits of all stages up to this one, d coordinates, H hidden units. Plain data.
struct Stage {
  Matrix<float> encoder;         ///< B: n × d, rows of unit norm
  std::vector<float> threshold;  ///< b: n
  Matrix<float> linear;          ///< A: n × d, row i is what bit i adds
  Matrix<float> in;              ///< V: P × H, row i is what bit i of the whole code so far adds to the hidden units
  std::vector<float> bias;       ///< H
  Matrix<float> out;             ///< W: H × d
  std::vector<float> offset;     ///< d
  double risk = 1;               ///< measured after this stage, on vectors that training has not seen

  std::size_t bits() const { return encoder.rows(); }
  std::size_t hidden() const { return out.rows(); }
  Stage clone() const;
};
/// All numbers zero. `before`: bits of the stages before it.
Stage blank_stage(std::size_t bits, std::size_t before, std::size_t hidden, std::size_t dim);

/// u = B·residual + b of every row: the bits of the stage are the signs. residual: k × d, u: k × n.
void stage_scores(const Stage& stage, MatrixView<const float> residual, MatrixView<float> u);
/// The signs of u (k × n) become bits [before, before + n) of every code (k rows); those before stay.
void keep_signs(MatrixView<const float> u, std::size_t before, MatrixView<std::uint8_t> codes);
/// x̂ of the stage before (k × d) becomes x̂ of this one. codes: k rows of packed bits, those of this stage and of all
/// before it at least. `hidden` (k × H) holds the hidden units afterwards. A row depends on its own code only.
void add_stage(const Stage& stage, MatrixView<const std::uint8_t> codes, MatrixView<float> hidden,
               MatrixView<float> estimate);

class TrainedStages final : public StagedCode {
 public:
  /// Throws Error when the parts do not fit each other or hold a number that is not finite.
  explicit TrainedStages(std::vector<Stage> stages);

  const std::vector<Stage>& stages() const { return stages_; }
  double risk(std::size_t stages) const override { return stages_[stages - 1].risk; }
  std::string name() const override { return "staged"; }
  std::uint64_t seed() const override { return 0; }
  std::string describe(std::size_t stage) const override;
  bool wants_unit_norm() const override { return false; }
  bool can_search() const override { return true; }

 private:
  void do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const override;
  void do_search(MatrixView<const float> x, std::size_t rounds, MatrixView<std::uint8_t> codes) const override;
  void do_decode(MatrixView<const std::uint8_t> codes, std::size_t stages, MatrixView<float> x) const override;

  std::vector<Stage> stages_;
};

}  // namespace signfold
