// Training network:L: the layers of a multi-layer decoder, together with its encoder or for one that stays.
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/codec/fit_unrolled.h"
#include "signfold/codec/learn_profile.h"
#include "signfold/codec/train_keeper.h"
#include "signfold/codec/train_methods.h"
#include "signfold/encoder/dense.h"

namespace signfold {
namespace {

using nlohmann::json;

UnrolledOptions resolve(const TrainRequest& request, EncoderShape shape) {
  UnrolledOptions options;
  options.matrix = !request.freeze_encoder ? UnrolledMatrix::joint
                   : request.own_matrix    ? UnrolledMatrix::own
                                           : UnrolledMatrix::frozen;
  options.splines = request.splines;
  options.steps = request.steps.value_or(options.steps);
  options.batch = request.batch.value_or(options.batch);
  options.step_size = request.network_step_size.value_or(options.step_size);
  options.matrix_step_size = request.step_size.value_or(options.matrix_step_size);
  options.tau = request.tau.value_or(options.tau);
  const RowConstraint free = shape.bits <= shape.dim ? RowConstraint::orthonormal : RowConstraint::none;
  options.orthonormal = request.rows.value_or(free) == RowConstraint::orthonormal;
  check_unrolled_options(options, shape.bits, shape.dim);
  return options;
}

/// Options of the other decoders that would have no effect.
void check(const TrainRequest& request) {
  if (request.optimizer != OptimizerKind::adam)
    fail("the layers of {} are trained by adam", to_string(request.decoder));
  if (request.decay.value_or(Decay::cosine) != Decay::cosine || request.weight_decay || request.tau_end) {
    fail("the layers of {} have no weight decay, no other decay than cosine and one tau", to_string(request.decoder));
  }
  if (request.own_matrix && !request.freeze_encoder) {
    fail("layers have a matrix of their own where the encoder is kept; trained together, they share the encoder's");
  }
}

json settings_of(const TrainRequest& request, const TrainSource& source, EncoderShape shape,
                 const UnrolledOptions& options) {
  json settings = common_settings(request, source, shape);
  settings.update({{"decoder", to_string(request.decoder)},
                   {"encoder kept", request.freeze_encoder},
                   {"own matrix", request.own_matrix},
                   {"splines", options.splines},
                   {"rows", options.orthonormal ? "orthonormal" : "none"},
                   {"steps", options.steps},
                   {"batch", options.batch},
                   {"tau", options.tau}});
  return settings;
}

VectorPrior law_of(const TrainRequest& request, const TrainSource& source) {
  if (request.prior) return iid_prior(request.prior);
  const std::vector<double> ones(source.rows.rows(), 1.0);
  return learn_profile(source.rows, ones, {false, request.seed, request.threads});
}

Draw draw_from(Batches& batches, Team& team) {
  return [&batches, &team](std::uint64_t first, MatrixView<float> x, std::span<double> weights) {
    batches.fill(first, x, team);
    std::ranges::fill(weights, 1.0);
  };
}

void do_steps(const TrainRequest& request, const UnrolledOptions& options, UnrolledTrainer& trainer,
              UnrolledState& state, Keeper& keeper) {
  while (state.step < options.steps && !trainer.overfitted(state)) {
    throw_if_interrupted();
    trainer.step(state);
    if (keeper.due()) keeper.save(state);
    if (request.progress) request.progress({state.step, options.steps, state.history.back().second});
  }
}

}  // namespace

TrainOutcome train_unrolled(const TrainRequest& request, Team& team, TrainSource& source, EncoderShape shape) {
  check(request);
  const UnrolledOptions options = resolve(request, shape);
  EncoderPtr encoder = request.freeze_encoder ? start_encoder(request, shape)
                                              : make_dense(start_rows(request, shape), "trained", request.seed);
  const VectorPrior law = law_of(request, source);
  const BasisPtr basis = make_basis("identity", shape.dim);
  NetworkParameters parameters = untrained_network(*encoder, law, request.decoder.layers);
  HeldOut watched{source.watched.clone(), std::vector<double>(source.watched.rows(), 1.0)};
  UnrolledTrainer trainer({*encoder, *basis, law, parameters.clip}, options, parameters.unrolled.layers.size(),
                          draw_from(*source.batches, team), watched, team);
  Keeper keeper(request, settings_of(request, source, shape, options));
  const std::optional<Checkpoint> resumed = keeper.resumed();
  UnrolledState state = trainer.start(parameters.unrolled);
  if (resumed) restore(*resumed, options.steps, request.checkpoint, state);
  TrainOutcome outcome;
  run_and_keep(request, keeper, state, options.steps, [&] {
    do_steps(request, options, trainer, state, keeper);
    UnrolledDecoder best = trainer.finish(state, watched);
    outcome.encoder = encoder;
    if (options.matrix == UnrolledMatrix::joint) {
      outcome.encoder = make_dense(best.matrix, "trained", request.seed);
      parameters.linear_gain = untrained_network(*outcome.encoder, law, 1).linear_gain;
      best.matrix = {};
    }
    parameters.unrolled = std::move(best);
    outcome.parameters = std::move(parameters);
    outcome.report = common_report(request, explicit_matrix(*outcome.encoder), shape.rate());
    measure(request, source, outcome);
  });
  outcome.report.steps = state.step;
  outcome.report.history = std::move(state.history);
  return outcome;
}

}  // namespace signfold
