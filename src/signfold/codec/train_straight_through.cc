// Training on sampled vectors.
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/base/interrupt.h"
#include "signfold/codec/train_keeper.h"
#include "signfold/codec/train_methods.h"
#include "signfold/decoder/fit_affine.h"
#include "signfold/encoder/dense.h"
#include "signfold/training/straight_through.h"

namespace signfold {
namespace {

using nlohmann::json;

/// All but the encoder that is kept.
TrainerOptions resolve(const TrainRequest& request, EncoderShape shape) {
  TrainerOptions options = default_training(request.decoder, request.optimizer, shape.bits, shape.dim);
  options.seed = request.seed;
  options.steps = request.steps.value_or(options.steps);
  options.batch = request.batch.value_or(options.batch);
  options.network_step_size = request.network_step_size.value_or(options.network_step_size);
  options.weight_decay = request.weight_decay.value_or(options.weight_decay);
  options.step_size = request.step_size.value_or(options.step_size);
  options.tau = request.tau.value_or(options.tau);
  options.tau_end = request.tau_end.value_or(request.tau.value_or(options.tau_end));
  options.decay = request.decay.value_or(options.decay);
  options.rows = request.rows.value_or(options.rows);
  check_training(options, shape.bits, shape.dim);
  return options;
}

// The step sizes are left out on purpose: a run that diverged may go on from its last good state with smaller ones.
json settings_of(const TrainRequest& request, const TrainSource& source, EncoderShape shape,
                 const TrainerOptions& options) {
  json settings = common_settings(request, source, shape);
  settings.update({{"decoder", to_string(options.decoder)},
                   {"optimizer", to_string(options.optimizer)},
                   {"encoder kept", request.freeze_encoder},
                   {"rows", to_string(options.rows)},
                   {"steps", options.steps},
                   {"batch", options.batch},
                   {"decay", to_string(options.decay)},
                   {"weight_decay", options.weight_decay},
                   {"tau", options.tau},
                   {"tau_end", options.tau_end}});
  return settings;
}

/// The gain of a tied decoder, averaged over batches that training would have seen next.
double settled_gain(const Autoencoder& net, const TrainerOptions& options, Batches& batches, Team& team) {
  constexpr std::size_t kBatches = 32;
  StraightThrough pass(TrainedDecoder::tied, net.bits(), net.dim(), options.batch, team);
  Matrix<float> x(options.batch, net.dim());
  double match = 0;
  double energy = 0;
  for (std::size_t k = 0; k < kBatches; ++k) {
    throw_if_interrupted();
    batches.fill(static_cast<std::uint64_t>(options.steps + k) * options.batch, x, team);
    const StraightThrough::Fit fit = pass.fit(net, x);
    match += fit.match;
    energy += fit.energy;
  }
  return energy > 0 ? match / energy : 0;
}

/// Least squares over all the data, or over enough fresh vectors that fitting costs less than a percent.
AffineDecoder settled_decoder(const Encoder& encoder, const TrainSource& source, const TrainerOptions& options,
                              Team& team) {
  constexpr std::size_t kBlock = 4096;
  constexpr std::size_t kPerBit = 100;
  AffineSums sums(encoder.bits(), encoder.dim());
  if (!source.rows.empty()) {
    sums.add(encoder, source.rows, {});
  } else {
    Matrix<float> x(kBlock, encoder.dim());
    const std::size_t blocks = kPerBit * encoder.bits() / kBlock + 1;
    for (std::size_t k = 0; k < blocks; ++k) {
      source.batches->fill(static_cast<std::uint64_t>(options.steps) * options.batch + k * kBlock, x, team);
      sums.add(encoder, x, {});
    }
  }
  return sums.solve().decoder;
}

NetworkParameters settle(const TrainRequest& request, const TrainSource& source, const Encoder& encoder,
                         const Autoencoder& net, const TrainerOptions& options, Team& team) {
  if (net.kind == TrainedDecoder::untied || net.kind == TrainedDecoder::network) {
    NetworkParameters parameters = affine_parameters(encoder, settled_decoder(encoder, source, options, team));
    if (net.kind == TrainedDecoder::network) {
      parameters.mlp = {net.decoder.clone(), net.hidden.in.clone(), net.hidden.bias, net.hidden.out.clone(),
                        net.hidden.offset};
    }
    return parameters;
  }
  if (net.kind == TrainedDecoder::tied) {
    return tied_parameters(request, encoder, settled_gain(net, options, *source.batches, team));
  }
  AffineDecoder decoder{net.encoder.clone(), std::vector<float>(net.dim())};
  for (std::size_t i = 0; i < net.bits(); ++i) {
    for (float& v : decoder.matrix.row(i)) v *= net.gain[i];
  }
  return affine_parameters(encoder, std::move(decoder));
}

void note_risk(TrainerState& state, double risk) {
  state.history.emplace_back(state.step, risk);
  keep_best(state, risk);
}

/// Ranks that go on from different numbers would train nothing together. Throws Error on those unlike rank 0.
void check_agreement(const TrainRequest& request, const TrainerState& state, const TrainerOptions& options,
                     json settings) {
  if (!several(request.ranks)) return;
  settings.update({{"step size", options.step_size}, {"network step size", options.network_step_size}});
  const Checkpoint start = to_checkpoint(state, {});
  std::string all = settings.dump() + std::to_string(state.step);
  for (const auto& [name, bytes] : start.arrays) all += fmt::format(" {} {:016x}", name, hash64(bytes));
  const std::uint64_t own = hash64(std::as_bytes(std::span(all)));
  std::uint64_t first = own;
  request.ranks->share(std::as_writable_bytes(std::span(&first, 1)));
  if (own != first)
    fail("this rank starts from other numbers than rank 0: give all the same arguments, data and checkpoint");
}

void do_steps(const TrainRequest& request, const TrainerOptions& options, const TrainSource& source, Trainer& trainer,
              TrainerState& state, Keeper& keeper) {
  double risk = state.history.empty() ? 1 : state.history.back().second;
  while (state.step < options.steps) {
    throw_if_interrupted();
    trainer.step(state);
    const bool note = belongs_in_history(state.step, options.steps);
    const bool save = keeper.due();
    if (note || save) risk = trainer.risk(state, source.watched);
    trainer.check_loss(state.step, risk);
    if (note) note_risk(state, risk);
    if (save && risk < 1) keeper.save(state);  // worse than knowing nothing is no good state to go on from
    if (request.progress) request.progress({state.step, options.steps, risk});
  }
}

}  // namespace

double straight_through_bytes(const TrainRequest& request, EncoderShape shape) {
  return training_bytes(resolve(request, shape), shape.bits, shape.dim);
}

TrainOutcome train_straight_through(const TrainRequest& request, Team& team, TrainSource& source, EncoderShape shape) {
  TrainerOptions options = resolve(request, shape);
  if (request.freeze_encoder) options.given = start_encoder(request, shape);
  Trainer trainer(options, shape.bits, *source.batches, team, request.ranks);
  const json settings = settings_of(request, source, shape, options);
  Keeper keeper(request, settings);
  const std::optional<Checkpoint> resumed = keeper.resumed();
  TrainerState state = resumed ? trainer_state(*resumed, options, shape.bits, shape.dim, request.checkpoint)
                               : start_training(options, options.given ? Matrix<float>() : start_rows(request, shape),
                                                *source.batches, team);
  if (!resumed) share_start(state, request.ranks);
  check_agreement(request, state, options, settings);
  if (state.history.empty()) note_risk(state, trainer.risk(state, source.watched));
  TrainOutcome outcome;
  run_and_keep(request, keeper, state, options.steps, [&] {
    do_steps(request, options, source, trainer, state, keeper);
    const Autoencoder& net = trained_net(state);
    outcome.encoder = options.given ? options.given : make_dense(net.encoder, "trained", request.seed);
    outcome.parameters = settle(request, source, *outcome.encoder, net, options, team);
    const Matrix<float> kept = options.given ? explicit_matrix(*options.given) : Matrix<float>();
    outcome.report = common_report(request, options.given ? kept : net.encoder, shape.rate());
    if (net.kind == TrainedDecoder::tied) outcome.report.alpha = outcome.parameters.linear_gain;
    measure(request, source, outcome);
  });
  outcome.report.steps = state.step;
  outcome.report.history = std::move(state.history);
  return outcome;
}

}  // namespace signfold
