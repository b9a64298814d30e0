// A code in stages that nothing was trained for: fast rotations, a known law, and signs that compare with what the
// stages before have told (docs/math.md section 13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/decoder/staged.h"
#include "signfold/encoder/encoder.h"
#include "signfold/prior/profile.h"
#include "signfold/theory/staged_evolution.h"

namespace signfold {

/// One stage: the next rows of a rotation, and the layers that follow.
struct RotatedStage {
  std::size_t rotation = 0;
  std::size_t bits = 0;
  StageScalars scalars;
};

/// All that such a code is. Plain data; a model file stores exactly this.
struct RotatedStagesParameters {
  std::size_t dim = 0;
  std::uint64_t seed = 1;  ///< rotation k is the fast rotation of seed + k
  double clip = 3;         ///< guard G3: a ≥ −clip
  VectorPrior prior;
  std::vector<RotatedStage> stages;
};

/// Stages of these bits: each takes the next rows of a rotation, and the first of a new one where none are left. Throws
/// Error unless the stages fill a rotation before they begin the next, and as check_stage_bits and staged_evolution do.
RotatedStagesParameters plan_rotated_stages(const VectorPrior& prior, std::size_t dim,
                                            const std::vector<std::size_t>& bits, std::uint64_t seed,
                                            const StageEvolutionOptions& options = {});

/// Vectors have unit mean square per coordinate, as the prior has.
class RotatedStages final : public StagedCode {
 public:
  /// Throws Error when the parts do not fit each other.
  explicit RotatedStages(RotatedStagesParameters parameters);
  ~RotatedStages() override;

  const RotatedStagesParameters& parameters() const;
  double risk(std::size_t stages) const override;
  std::string name() const override;
  std::uint64_t seed() const override { return parameters().seed; }
  std::string describe(std::size_t stage) const override;
  bool wants_unit_norm() const override { return true; }

 private:
  void do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const override;
  void do_decode(MatrixView<const std::uint8_t> codes, std::size_t stages, MatrixView<float> x) const override;

  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace signfold
