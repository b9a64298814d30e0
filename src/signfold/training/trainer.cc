#include "signfold/training/trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/memory.h"
#include "signfold/decoder/fit_affine.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/kernels.h"
#include "signfold/training/retraction.h"
#include "signfold/training/start_hidden.h"
#include "signfold/training/straight_through.h"

namespace signfold {
namespace {

constexpr std::size_t kGrain = 64;  // rows of parameters that a thread moves at a time
/// A loss this many times that of knowing nothing does not come back. Much less does: Adam's first steps move every
/// number by the whole step size, and a free decoder of many bits overshoots by the sum of them.
constexpr double kDiverged = 1e4;

std::size_t gain_count(TrainedDecoder decoder, std::size_t bits) {
  if (decoder == TrainedDecoder::tied) return 1;
  return decoder == TrainedDecoder::tied_rows ? bits : 0;
}

bool has_free_decoder(TrainedDecoderChoice decoder) {
  return decoder.kind == TrainedDecoder::untied || decoder.kind == TrainedDecoder::network;
}

Autoencoder shaped(TrainedDecoderChoice decoder, std::size_t bits, std::size_t dim, bool given = false) {
  Autoencoder net;
  net.kind = decoder.kind;
  if (!given) net.encoder = Matrix<float>(bits, dim);
  net.gain.assign(gain_count(decoder.kind, bits), 1.0F);
  if (has_free_decoder(decoder)) net.decoder = Matrix<float>(bits, dim);
  if (decoder.kind == TrainedDecoder::network) {
    net.hidden = {Matrix<float>(bits, decoder.hidden), std::vector<float>(decoder.hidden),
                  Matrix<float>(decoder.hidden, dim), std::vector<float>(dim)};
  }
  return net;
}

double energy(MatrixView<const float> x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (const float v : x.row(i)) sum += static_cast<double>(v) * static_cast<double>(v);
  }
  return sum;
}

/// The least-squares decoder of an encoder, from vectors that are few but more than the bits.
Matrix<float> first_decoder(const Encoder& encoder, Batches& batches, Team& team) {
  constexpr std::size_t kPerBit = 6;
  constexpr std::size_t kLeast = 2000;
  Matrix<float> x(std::max(kLeast, kPerBit * encoder.bits()), encoder.dim());
  batches.fill(0, x, team);
  AffineSums sums(encoder.bits(), encoder.dim());
  sums.add(encoder, x, {});
  return sums.solve().decoder.matrix;
}

/// The best common gain of a tied decoder on the first vectors.
float first_gain(const Autoencoder& net, Batches& batches, Team& team) {
  constexpr std::size_t kVectors = 512;
  Matrix<float> x(kVectors, net.dim());
  batches.fill(0, x, team);
  Autoencoder tied = shaped(TrainedDecoder::tied, net.bits(), net.dim());
  std::ranges::copy(net.encoder.values(), tied.encoder.values().begin());
  Gradient unused = shaped(TrainedDecoder::tied, net.bits(), net.dim());
  StraightThrough(TrainedDecoder::tied, net.bits(), net.dim(), kVectors, team).gradient(tied, x, 1, unused);
  return tied.gain[0];
}

}  // namespace

RowConstraint parse_row_constraint(const std::string& text) {
  if (text == "none") return RowConstraint::none;
  if (text == "orthonormal") return RowConstraint::orthonormal;
  fail("unknown constraint '{}' of the rows; there are: none, orthonormal", text);
}

std::string to_string(RowConstraint constraint) { return constraint == RowConstraint::none ? "none" : "orthonormal"; }

TrainerOptions default_training(TrainedDecoderChoice decoder, OptimizerKind optimizer, std::size_t bits,
                                std::size_t dim) {
  TrainerOptions options;
  options.decoder = decoder;
  options.optimizer = optimizer;
  if (has_free_decoder(decoder)) {
    options.batch = 256;
    options.tau = options.tau_end = 1;
    if (decoder.kind == TrainedDecoder::network) {
      options.step_size = 0.003;
      options.network_step_size = 0.07 / std::sqrt(static_cast<double>(bits));
      options.steps = 6000;
    }
  } else if (bits <= dim) {
    options.rows = RowConstraint::orthonormal;
  }
  if (optimizer == OptimizerKind::sgd) {
    options.step_size = 0.1;
    options.network_step_size = 0.015;
  }
  if (optimizer == OptimizerKind::momentum) options.step_size = 0.01;
  return options;
}

namespace {

void check_given(const TrainerOptions& options, std::size_t bits, std::size_t dim) {
  if (!options.given) return;
  if (!has_free_decoder(options.decoder)) {
    fail(
        "keeping the encoder leaves a {} decoder nothing to train: take untied or network:mlp:H, or fit a model "
        "instead",
        to_string(options.decoder));
  }
  if (options.rows != RowConstraint::none) fail("the rows of an encoder that is kept cannot be constrained");
  if (options.given->bits() == bits && options.given->dim() == dim) return;
  fail("an encoder of {} bits for {} coordinates cannot be kept in training {} bits for {}", options.given->bits(),
       options.given->dim(), bits, dim);
}

}  // namespace

void check_training(const TrainerOptions& options, std::size_t bits, std::size_t dim) {
  if (bits == 0 || dim == 0) fail("training needs at least one bit and one coordinate");
  if (options.steps == 0) fail("training needs at least one step");
  if (options.batch < 2) fail("a batch of {} is too small to train on: take at least 2 vectors", options.batch);
  if (!(options.step_size > 0 && std::isfinite(options.step_size))) {
    fail("the step size must be a positive number, not {}", options.step_size);
  }
  for (const double tau : {options.tau, options.tau_end}) {
    if (!(tau > 0 && std::isfinite(tau))) fail("tau, the width of the smoothed sign, must be positive, not {}", tau);
  }
  if (options.rows == RowConstraint::orthonormal && bits > dim) {
    fail("{} rows of {} numbers cannot be orthonormal: take constraint none, or a rate of at most 1", bits, dim);
  }
  check_given(options, bits, dim);
}

double training_bytes(const TrainerOptions& options, std::size_t bits, std::size_t dim) {
  const auto n = static_cast<double>(bits);
  const auto d = static_cast<double>(dim);
  const double per_matrix = options.optimizer == OptimizerKind::adam  ? 4
                            : options.optimizer == OptimizerKind::sgd ? 2
                                                                      : 3;
  const bool network = options.decoder.kind == TrainedDecoder::network;
  const double trained = (options.given ? 0 : 1) + (has_free_decoder(options.decoder) ? 1 : 0);
  const double matrices = per_matrix * trained + (network ? trained : 0);  // the best network is kept beside
  const auto h = static_cast<double>(options.decoder.hidden);
  const double hidden = (per_matrix + 1) * h * (n + d) + 2 * static_cast<double>(options.batch) * h;
  const double retraction = options.rows == RowConstraint::orthonormal ? n * (n + d) : 0;
  const double scaled = options.decoder == TrainedDecoder::tied_rows ? n * d : 0;
  const double fit = has_free_decoder(options.decoder) ? 2 * 3 * n * (n + d) : 0;  // in double precision
  const double batch = static_cast<double>(options.batch) * (2 * n + 2 * d);
  return sizeof(float) * (matrices * n * d + hidden + retraction + scaled + fit + batch);
}

TrainerState blank_state(const TrainerOptions& options, std::size_t bits, std::size_t dim) {
  TrainerState state;
  const bool given = options.given != nullptr;
  state.net = shaped(options.decoder, bits, dim, given);
  if (!given) state.encoder = Optimizer(options.optimizer, bits, dim);
  const std::size_t units = options.decoder.hidden;
  if (has_free_decoder(options.decoder)) state.decoder = Optimizer(options.optimizer, bits, dim);
  if (options.decoder.kind == TrainedDecoder::network) {
    state.best = shaped(options.decoder, bits, dim, given);
    state.hidden_in = Optimizer(options.optimizer, bits, units);
    state.hidden_bias = Optimizer(options.optimizer, 1, units);
    state.hidden_out = Optimizer(options.optimizer, units, dim);
    state.offset = Optimizer(options.optimizer, 1, dim);
  }
  if (options.decoder == TrainedDecoder::tied_rows) state.decoder = Optimizer(options.optimizer, 1, bits);
  return state;
}

void keep_best(TrainerState& state, double risk) {
  if (state.net.kind != TrainedDecoder::network || !(risk < state.best_risk)) return;
  state.best_risk = risk;
  const HiddenLayer& hidden = state.net.hidden;
  std::ranges::copy(state.net.encoder.values(), state.best.encoder.values().begin());
  std::ranges::copy(state.net.decoder.values(), state.best.decoder.values().begin());
  std::ranges::copy(hidden.in.values(), state.best.hidden.in.values().begin());
  std::ranges::copy(hidden.out.values(), state.best.hidden.out.values().begin());
  state.best.hidden.bias = hidden.bias;
  state.best.hidden.offset = hidden.offset;
}

const Autoencoder& trained_net(const TrainerState& state) {
  return std::isfinite(state.best_risk) ? state.best : state.net;
}

TrainerState start_training(const TrainerOptions& options, MatrixView<const float> rows, Batches& batches, Team& team) {
  const EncoderPtr encoder = options.given ? options.given : make_dense(rows);
  check_training(options, encoder->bits(), encoder->dim());
  TrainerState state = blank_state(options, encoder->bits(), encoder->dim());
  if (!options.given) {
    const MatrixView<const float> unit = dense_matrix(*encoder);
    for (std::size_t i = 0; i < unit.rows; ++i) std::ranges::copy(unit.row(i), state.net.encoder.row(i).begin());
  }
  start_hidden(options.seed, 0, state.net.hidden.in);
  if (has_free_decoder(options.decoder)) {
    state.net.decoder = first_decoder(*encoder, batches, team);
  } else {
    std::ranges::fill(state.net.gain, first_gain(state.net, batches, team));
  }
  return state;
}

struct Trainer::Work {
  Work(const TrainerOptions& options, std::size_t bits, std::size_t dim, std::size_t rows, Team& team, Ranks* ranks)
      : x(rows, dim),
        gradient(shaped(options.decoder, bits, dim, options.given != nullptr)),
        pass(options.decoder, bits, dim, rows, team, options.given, ranks) {
    if (options.rows == RowConstraint::orthonormal) retraction.emplace(bits, dim);
  }
  Matrix<float> x;
  Gradient gradient;
  StraightThrough pass;
  std::optional<Retraction> retraction;
};

void share_start(TrainerState& state, Ranks* ranks) {
  if (!several(ranks)) return;
  HiddenLayer& hidden = state.net.hidden;
  for (const std::span<float> part :
       {state.net.encoder.values(), std::span<float>(state.net.gain), state.net.decoder.values(), hidden.in.values(),
        std::span<float>(hidden.bias), hidden.out.values(), std::span<float>(hidden.offset)}) {
    ranks->share(std::as_writable_bytes(part));
  }
}

void check_shares(std::size_t batch, const Ranks* ranks) {
  if (!several(ranks) || batch >= static_cast<std::size_t>(ranks->size())) return;
  fail("a batch of {} vectors cannot be shared by {} ranks: take a larger batch, or fewer ranks", batch, ranks->size());
}

Trainer::Trainer(const TrainerOptions& options, std::size_t bits, Batches& batches, Team& team, Ranks* ranks)
    : options_(options), batches_(&batches), team_(&team), ranks_(ranks), share_(share_of(ranks, options.batch)) {
  check_training(options, bits, batches.dim());
  check_shares(options.batch, ranks);
  require_memory(
      training_bytes(options, bits, batches.dim()),
      fmt::format("training {} bits for {} coordinates in batches of {}", bits, batches.dim(), options.batch),
      "take a lower rate, fewer coordinates or a smaller batch");
  work_ = std::make_unique<Work>(options, bits, batches.dim(), share_.count, team, ranks);
}

Trainer::~Trainer() = default;

void Trainer::check_loss(std::size_t step, double loss) const {
  if (loss < kDiverged) return;
  const bool network = options_.decoder.kind == TrainedDecoder::network;
  fail(
      "training diverged at step {}: the loss is {:.3g} times that of knowing nothing; take a smaller step size than "
      "{}",
      step, loss,
      network ? fmt::format("{}, or than {} for the network", options_.step_size, options_.network_step_size)
              : fmt::format("{}", options_.step_size));
}

void Trainer::step(TrainerState& state) {
  const double rate = decayed(options_.decay, options_.step_size, 0, state.step, options_.steps);
  const double tau = decayed(Decay::cosine, options_.tau, options_.tau_end, state.step, options_.steps);
  Work& work = *work_;
  batches_->fill(static_cast<std::uint64_t>(state.step) * options_.batch + share_.begin, work.x, *team_);
  double nothing = energy(work.x) / static_cast<double>(options_.batch);
  if (several(ranks_)) ranks_->sum(std::span<double>(&nothing, 1));
  const double error = work.pass.gradient(state.net, work.x, tau, work.gradient);
  state.loss = nothing > 0 ? error / nothing : 0;
  check_loss(state.step, state.loss);
  const double network_rate = decayed(options_.decay, options_.network_step_size, 0, state.step, options_.steps);
  team_->run(state.net.bits(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (!options_.given) {
        state.encoder.move_on_sphere(i, state.step, rate, work.gradient.encoder.row(i), state.net.encoder.row(i));
      }
      if (has_free_decoder(options_.decoder)) {
        state.decoder.move(i, state.step, options_.decoder.hidden > 0 ? network_rate : rate,
                           work.gradient.decoder.row(i), state.net.decoder.row(i));
      }
    }
  });
  if (options_.decoder == TrainedDecoder::tied_rows) {
    state.decoder.move(0, state.step, rate, work.gradient.gain, state.net.gain);
  }
  if (options_.decoder.kind == TrainedDecoder::network) move_hidden(state, network_rate);
  if (work.retraction) (*work.retraction)(state.net.encoder, *team_);
  ++state.step;
}

void Trainer::move_hidden(TrainerState& state, double rate) {
  HiddenLayer& hidden = state.net.hidden;
  HiddenLayer& gradient = work_->gradient.hidden;
  const auto keep = static_cast<float>(1 - rate * options_.weight_decay);
  const auto move_rows = [&](Optimizer& optimizer, Matrix<float>& slope, Matrix<float>& parameters) {
    team_->run(parameters.rows(), kGrain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        if (keep != 1) simd::scale(parameters.row(i), keep);
        optimizer.move(i, state.step, rate, slope.row(i), parameters.row(i));
      }
    });
  };
  move_rows(state.hidden_in, gradient.in, hidden.in);
  move_rows(state.hidden_out, gradient.out, hidden.out);
  state.hidden_bias.move(0, state.step, rate, gradient.bias, hidden.bias);
  state.offset.move(0, state.step, rate, gradient.offset, hidden.offset);
}

double Trainer::risk(const TrainerState& state, MatrixView<const float> x) {
  double error = 0;
  for (std::size_t begin = 0; begin < x.rows; begin += share_.count) {
    const std::vector<double> errors =
        work_->pass.errors(state.net, x.row_range(begin, std::min(share_.count, x.rows - begin)));
    for (const double e : errors) error += e;
  }
  const double nothing = energy(x);
  return nothing > 0 ? error / nothing : 0;
}

}  // namespace signfold
