#include "signfold/codec/simulate.h"

#include "signfold/base/suggest.h"
#include "signfold/codec/fit.h"
#include "signfold/codec/names.h"
#include "signfold/source/source.h"

namespace signfold {
namespace {

bool chooses_depth(const DecoderChoice& decoder) {
  using Kind = DecoderChoice::Kind;
  return decoder.layers == 0 && (decoder.kind == Kind::automatic || decoder.kind == Kind::rigamp);
}

}  // namespace

Simulation simulate(const SimulateOptions& options) {
  const PriorPtr prior = read_prior(options.prior);
  check_spelling("encoder", options.encoder, fitted_encoder_help());
  const DecoderChoice decoder = read_decoder(options.decoder);
  FitOptions fit_options;
  fit_options.rate = options.rate;
  fit_options.encoder = options.encoder;
  fit_options.decoder = options.decoder;
  fit_options.scale = options.scale;
  fit_options.seed = options.seed;
  fit_options.threads = options.threads;
  const Model model = model_for_prior(prior, options.dim, fit_options);
  const Norms norms = options.scale == ScaleKind::none ? Norms::drawn : Norms::equal;
  const auto source = synthetic_source(prior, options.samples, options.dim, options.seed, norms);

  Simulation out;
  out.evaluation = evaluate(model, *source, {options.threads, options.progress});
  out.encoder = model.encoder_name();
  out.bits_per_vector = model.bits_per_vector();
  out.stage_bits = model.stage_bits();
  if (model.staged) return out;
  if (chooses_depth(decoder)) out.default_layers = model.network->layers();
  // rigamp:L promises L layers: behind the last compiled one (it had converged) nothing changes any more.
  if (decoder.layers > 0 && model.network->layers() > 0) {
    out.evaluation.layers.resize(static_cast<std::size_t>(decoder.layers) + 1, out.evaluation.layers.back());
  }
  return out;
}

}  // namespace signfold
