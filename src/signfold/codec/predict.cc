#include "signfold/codec/predict.h"

#include "signfold/base/error.h"
#include "signfold/base/suggest.h"
#include "signfold/codec/fit.h"
#include "signfold/codec/names.h"
#include "signfold/codec/rotated.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/rate.h"
#include "signfold/theory/rate_distortion.h"
#include "signfold/theory/state_evolution.h"

namespace signfold {
namespace {

constexpr int kMaxLayers = 64;
constexpr const char* kNote =
    "multi-layer decoding needs an encoder that spreads every coordinate over all bits (hadamard, haar); this one has "
    "its linear decoder only";

/// Exactly L risks for rigamp:L (a stop by exact recovery repeats the last); up to convergence where no L is given.
std::vector<double> layer_risks(const DecoderChoice& decoder, const VectorPrior& prior, double rate) {
  using Kind = DecoderChoice::Kind;
  if (decoder.kind == Kind::linear || decoder.kind == Kind::affine) return {};
  const int asked = decoder.kind == Kind::denoise ? 1 : decoder.layers;
  const Schedule schedule =
      asked > 0 ? state_evolution(prior, rate, asked, 0) : state_evolution(prior, rate, kMaxLayers);
  std::vector<double> risks;
  for (const LayerScalars& layer : schedule.layers) risks.push_back(layer.risk);
  if (!risks.empty() && asked > 0) risks.resize(static_cast<std::size_t>(asked), risks.back());
  return risks;
}

std::vector<PredictedPrefix> prefixes_of(const VectorPrior& law, double rate, int stages) {
  const std::vector<RotationRows> rows = rotated_stage_rows(rate, stages);
  const std::vector<StageScalars> scalars = staged_evolution(law, rows);
  std::vector<PredictedPrefix> prefixes;
  double so_far = 0;
  for (std::size_t s = 0; s < rows.size(); ++s) {
    so_far += rows[s].fraction;
    prefixes.push_back({static_cast<int>(s) + 1, so_far, scalars[s].risk()});
  }
  return prefixes;
}

/// A small encoder of the named kind: its name and what theory asks about it.
EncoderPtr example_encoder(const std::string& text, const PriorPtr& prior, double rate) {
  check_spelling("encoder", text, fitted_encoder_help());
  return make_encoder(resolve_encoder(text, iid_prior(prior), *prior, rate), {.dim = 2, .bits = 2}, 0);
}

}  // namespace

Prediction predict(const PredictOptions& options) {
  check_rate(options.rate);
  const DecoderChoice decoder = read_decoder(options.decoder);
  if (decoder.kind == DecoderChoice::Kind::network) {
    fail("the risk of {} is measured, not predicted: predict rigamp:{}, which it starts from", options.decoder,
         decoder.layers);
  }
  const PriorPtr prior = read_prior(options.prior);
  const VectorPrior law = iid_prior(prior);
  if (options.encoder == kStagedName) fail("the risk of a staged code is measured when it is trained, not predicted");
  const std::optional<int> stages = rotated_stage_count(options.encoder);
  const EncoderPtr encoder = example_encoder(stages ? "hadamard" : options.encoder, prior, options.rate);

  Prediction p;
  p.encoder = stages ? options.encoder : encoder->name();
  if (stages) p.prefixes = prefixes_of(law, options.rate, *stages);
  p.limit = shannon_limit(*prior, options.rate);
  p.rotation = linear_risk_limit(options.rate);
  p.identity = mixed_risk(*prior, 1, options.rate);
  p.mixed = optimal_mix(*prior, options.rate);
  if (encoder->delocalised()) {
    p.linear = p.rotation;
    p.layers = layer_risks(decoder, law, options.rate);
    p.fixed_point = fixed_point_risk(law, options.rate);
  } else {
    p.linear = p.fixed_point = mixed_risk(*prior, encoder->alignment(), options.rate);
    p.note = kNote;
  }
  return p;
}

}  // namespace signfold
