#include "signfold/decoder/rotated_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "signfold/base/bits.h"
#include "signfold/base/error.h"
#include "signfold/decoder/pointwise.h"
#include "signfold/encoder/hadamard.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/rows.h"

namespace signfold {
namespace {

/// What state evolution can give, with room: with scalars beyond, numbers could overflow float32.
constexpr double kLeastVariance = 1e-12;
constexpr double kMostPrecision = 1e12;

/// A layer's pointwise functions: a score for every rotation, and the posterior mean.
struct CompiledStagedLayer {
  std::vector<Curve> scores;
  PosteriorMean posterior_mean;
};

/// Where the signs of a stage are: rows of its rotation, bits of a code.
struct StagePlace {
  std::size_t first_row = 0;
  std::size_t first_bit = 0;
};

std::vector<std::size_t> bits_of(const RotatedStagesParameters& p) {
  std::vector<std::size_t> bits;
  for (const RotatedStage& stage : p.stages) bits.push_back(stage.bits);
  return bits;
}

void check(const RotatedStagesParameters& p) {
  if (!(p.clip > 0 && std::isfinite(p.clip))) fail("rotated stages: the clip {} is not a positive number", p.clip);
  check_vector_prior(p.prior, p.dim);
  std::vector<std::size_t> taken;
  for (const RotatedStage& stage : p.stages) {
    if (stage.rotation > taken.size()) fail("rotated stages: rotation {} comes before it was begun", stage.rotation);
    if (stage.rotation == taken.size()) taken.push_back(0);
    taken[stage.rotation] += stage.bits;
    if (stage.bits > p.dim || taken[stage.rotation] > p.dim) {
      fail("rotated stages: {} bits of a rotation of {} rows", taken[stage.rotation], p.dim);
    }
    if (stage.scalars.layers.empty()) fail("rotated stages: a stage without layers");
    for (const StagedLayer& layer : stage.scalars.layers) {
      const bool fits = layer.rotations.size() == taken.size() && layer.precision > 0 &&
                        layer.precision <= kMostPrecision && layer.risk > 0 && layer.risk <= 1;
      const bool sound = std::ranges::all_of(layer.rotations, [](const RotationScalars& r) {
        return r.variance >= kLeastVariance && r.variance <= 1 && r.information > 0 && r.information < 1 &&
               r.precision > 0 && r.precision <= kMostPrecision;
      });
      if (!fits || !sound) {
        fail("rotated stages: the scalars of a layer do not fit {} rotations", taken.size());
      }
    }
  }
}

}  // namespace

RotatedStagesParameters plan_rotated_stages(const VectorPrior& prior, std::size_t dim,
                                            const std::vector<std::size_t>& bits, std::uint64_t seed,
                                            const StageEvolutionOptions& options) {
  check_stage_bits(bits);
  if (dim == 0) fail("rotated stages: vectors without coordinates");
  RotatedStagesParameters out{.dim = dim, .seed = seed, .prior = prior, .stages = {}};
  std::vector<RotationRows> rows;
  std::size_t rotation = 0;
  std::size_t taken = 0;
  for (std::size_t s = 0; s < bits.size(); ++s) {
    if (taken == dim) ++rotation, taken = 0;
    taken += bits[s];
    if (taken > dim) {
      fail("stage {} has {} bits, but a rotation has {} rows and {} of them are taken: let stages end where it does",
           s + 1, bits[s], dim, taken - bits[s]);
    }
    rows.push_back({rotation, static_cast<double>(bits[s]) / static_cast<double>(dim)});
    out.stages.push_back({rotation, bits[s], {}});
  }
  std::vector<StageScalars> scalars = staged_evolution(prior, rows, options);
  for (std::size_t s = 0; s < bits.size(); ++s) out.stages[s].scalars = std::move(scalars[s]);
  return out;
}

struct RotatedStages::Compiled {
  explicit Compiled(RotatedStagesParameters p) : parameters(std::move(p)) {
    std::vector<std::size_t> taken;
    std::size_t bit = 0;
    std::size_t tables = 0;
    for (const RotatedStage& stage : parameters.stages) {
      tables += stage.scalars.layers.size() * PosteriorMean::tables(parameters.prior, parameters.dim);
    }
    const int finest = most_intervals(tables);
    for (const RotatedStage& stage : parameters.stages) {
      if (stage.rotation == rotations.size()) {
        rotations.push_back(make_hadamard({parameters.dim, parameters.dim}, parameters.seed + rotations.size()));
        taken.push_back(0);
      }
      places.push_back({taken[stage.rotation], bit});
      taken[stage.rotation] += stage.bits;
      bit += stage.bits;
      layers.emplace_back();
      for (const StagedLayer& layer : stage.scalars.layers) {
        CompiledStagedLayer compiled{{}, PosteriorMean(parameters.prior, parameters.dim, layer.precision, finest)};
        for (const RotationScalars& r : layer.rotations) {
          compiled.scores.push_back(score_curve(r.variance, r.information, parameters.clip));
        }
        layers.back().push_back(std::move(compiled));
      }
    }
  }

  RotatedStagesParameters parameters;
  std::vector<EncoderPtr> rotations;
  std::vector<StagePlace> places;                        ///< of every stage
  std::vector<std::vector<CompiledStagedLayer>> layers;  ///< of every stage
};

namespace {

/// One vector on its way through the stages. Names follow docs/math.md section 13.
template <class Compiled>
class StagedPass {
 public:
  explicit StagedPass(const Compiled& code)
      : code_(code),
        estimate_(1, code.parameters.dim),
        outside_(1, code.parameters.dim),
        product_(1, code.parameters.dim),
        score_(1, code.parameters.dim),
        data_(code.rotations.size(), code.parameters.dim),
        threshold_(code.rotations.size(), code.parameters.dim),
        signs_(code_bytes(code.parameters.dim)) {}

  void start() {
    std::ranges::fill(estimate_.values(), 0.0F);
    std::ranges::fill(data_.values(), 0.0F);
    before_ = nullptr;
  }

  /// Begins a stage. Returns what its signs compare with: Bx as far as it is known.
  std::span<const float> begin(std::size_t s) {
    now_ = s;
    const RotatedStage& stage = code_.parameters.stages[s];
    project(stage.rotation, stage.scalars.layers.front().rotations[stage.rotation].variance);
    const std::size_t first = code_.places[s].first_row;
    const std::span<float> kept = threshold_.row(stage.rotation).subspan(first, stage.bits);
    std::ranges::copy(product_.row(0).subspan(first, stage.bits), kept.begin());
    return kept;
  }

  /// The layers of the stage that was begun; its bits and those before are in `code`.
  void run(std::span<const std::uint8_t> code) {
    const RotatedStage& stage = code_.parameters.stages[now_];
    for (std::size_t t = 0; t < stage.scalars.layers.size(); ++t) {
      const StagedLayer& layer = stage.scalars.layers[t];
      const CompiledStagedLayer& compiled = code_.layers[now_][t];
      if (t == 0) listen(stage.rotation, compiled, code);  // begin() has projected it
      for (std::size_t r = 0; r < layer.rotations.size(); ++r) {
        if (t == 0 && r == stage.rotation) continue;
        project(r, layer.rotations[r].variance);
        listen(r, compiled, code);
      }
      const std::span<float> together = outside_.row(0);
      std::ranges::fill(together, 0.0F);
      for (std::size_t r = 0; r < layer.rotations.size(); ++r) {
        simd::add_scaled(static_cast<float>(layer.rotations[r].precision / layer.precision), data_.row(r), together);
      }
      compiled.posterior_mean.apply(outside_, estimate_);
      before_ = &layer;
    }
  }

  std::span<const float> estimate() const { return estimate_.row(0); }

 private:
  double risk_before() const { return before_ != nullptr ? before_->risk : 1; }
  double precision_before(std::size_t r) const {
    return before_ != nullptr && r < before_->rotations.size() ? before_->rotations[r].precision : 0;
  }

  /// outside_ = V(x̂/m − γ y), the estimate without what this rotation told; product_ = B times it.
  void project(std::size_t r, double variance) {
    simd::combine(static_cast<float>(variance / risk_before()), estimate_.row(0),
                  static_cast<float>(-variance * precision_before(r)), data_.row(r), 0.0F, outside_.row(0));
    code_.rotations[r]->apply(outside_, product_);
  }

  /// y of a rotation, which was projected: the estimate without it, corrected by its signs.
  void listen(std::size_t r, const CompiledStagedLayer& compiled, std::span<const std::uint8_t> code) {
    const std::span<float> score = score_.row(0);
    std::ranges::fill(score, 0.0F);
    for (std::size_t s = 0; s <= now_; ++s) {
      const RotatedStage& stage = code_.parameters.stages[s];
      if (stage.rotation != r) continue;
      const StagePlace& place = code_.places[s];
      const std::span<float> own = product_.row(0).subspan(place.first_row, stage.bits);
      simd::add_scaled(-1.0F, threshold_.row(r).subspan(place.first_row, stage.bits), own);
      const std::span<std::uint8_t> signs = std::span(signs_).first(code_bytes(stage.bits));
      copy_bits(code, place.first_bit, stage.bits, signs, 0);
      compiled.scores[r].apply_signed(signs, own, score.subspan(place.first_row, stage.bits));
    }
    code_.rotations[r]->adjoint(score_, product_);
    std::ranges::copy(outside_.row(0), data_.row(r).begin());
    simd::add_scaled(1.0F, product_.row(0), data_.row(r));
  }

  const Compiled& code_;
  std::size_t now_ = 0;  // the stage that was begun last
  const StagedLayer* before_ = nullptr;
  Matrix<float> estimate_, outside_, product_, score_;  // 1 × d
  Matrix<float> data_, threshold_;                      // rotations × d: y, and what signs were compared with
  std::vector<std::uint8_t> signs_;                     // of one stage
};

}  // namespace

RotatedStages::RotatedStages(RotatedStagesParameters parameters) : StagedCode(parameters.dim, bits_of(parameters)) {
  check(parameters);
  compiled_ = std::make_unique<const Compiled>(std::move(parameters));
}
RotatedStages::~RotatedStages() = default;

const RotatedStagesParameters& RotatedStages::parameters() const { return compiled_->parameters; }
double RotatedStages::risk(std::size_t stages) const { return compiled_->parameters.stages[stages - 1].scalars.risk(); }

std::string RotatedStages::name() const { return fmt::format("rotated:{}", count()); }

std::string RotatedStages::describe(std::size_t stage) const {
  const RotatedStage& s = compiled_->parameters.stages[stage];
  return fmt::format("rotation {}, {} layers", s.rotation + 1, s.scalars.layers.size());
}

void RotatedStages::do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const {
  StagedPass pass(*compiled_);
  Matrix<float> products(compiled_->rotations.size(), dim());
  std::vector<float> difference(dim());
  std::vector<std::uint8_t> signs(code_bytes(dim()));
  for (std::size_t i = 0; i < x.rows; ++i) {
    pass.start();
    for (std::size_t r = 0; r < products.rows(); ++r) {
      compiled_->rotations[r]->apply(x.row_range(i, 1), products.view().row_range(r, 1));
    }
    for (std::size_t s = 0; s < count(); ++s) {
      const RotatedStage& stage = parameters().stages[s];
      const StagePlace& place = compiled_->places[s];
      const std::span<float> own = std::span(difference).first(stage.bits);
      std::ranges::copy(products.row(stage.rotation).subspan(place.first_row, stage.bits), own.begin());
      simd::add_scaled(-1.0F, pass.begin(s), own);
      simd::pack_signs(own, std::span(signs).first(code_bytes(stage.bits)));
      copy_bits(signs, 0, stage.bits, codes.row(i), place.first_bit);
      if (s + 1 < count()) pass.run(codes.row(i));
    }
  }
}

void RotatedStages::do_decode(MatrixView<const std::uint8_t> codes, std::size_t stages, MatrixView<float> x) const {
  StagedPass pass(*compiled_);
  for (std::size_t i = 0; i < x.rows; ++i) {
    pass.start();
    for (std::size_t s = 0; s < stages; ++s) {
      pass.begin(s);
      pass.run(codes.row(i));
    }
    std::ranges::copy(pass.estimate(), x.row(i).begin());
  }
}

}  // namespace signfold
