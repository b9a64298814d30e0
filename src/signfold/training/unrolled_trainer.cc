#include "signfold/training/unrolled_trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"
#include "signfold/training/batches.h"
#include "signfold/training/decay.h"
#include "signfold/training/retraction.h"

namespace signfold {
namespace {

constexpr std::size_t kGrain = 64;
constexpr std::size_t kLooks = 25;    // at the held-out vectors
constexpr std::size_t kPatience = 8;  // looks without a gain, the last of them clearly worse: overfitted
constexpr double kWorse = 1.02;
constexpr double kDiverged = 100;  // times the loss of knowing nothing
constexpr double kSigmas = 2;      // by which training must beat the start

double root_mean_square(std::span<const float> x) {
  return std::sqrt(static_cast<double>(simd::dot(x, x)) / static_cast<double>(x.size()));
}

/// Splines where the pointwise functions have their arguments: y/σ of variance 1 + 1/γσ², z ĝ of variance at most 1.
void add_splines(const UnrolledOptions& options, UnrolledDecoder& decoder) {
  for (UnrolledLayer& layer : decoder.layers) {
    const double reach = options.reach * std::sqrt(1 + 1 / layer.precision);
    layer.mean_spline = make_spline(-reach, reach, options.knots);
    layer.score_spline = make_spline(-3, 5, options.knots / 2);
  }
}

/// What start() added and training has not changed for the better.
void forget_untrained(UnrolledDecoder& decoder) {
  for (UnrolledLayer& layer : decoder.layers) layer.mean_spline = layer.score_spline = {};
}

double total(const Matrix<double>& errors, std::size_t layer) {
  double sum = 0;
  for (std::size_t i = 0; i < errors.rows(); ++i) sum += errors(i, layer);
  return sum;
}

double energy(const HeldOut& vectors) {
  double sum = 0;
  for (std::size_t i = 0; i < vectors.x.rows(); ++i) {
    sum += vectors.weights[i] * static_cast<double>(simd::dot(vectors.x.row(i), vectors.x.row(i)));
  }
  return sum;
}

/// Is the sum of a below that of b by more than kSigmas standard errors of their paired difference?
bool clearly_less(const Matrix<double>& a, const Matrix<double>& b, std::size_t layer) {
  const auto count = static_cast<double>(a.rows());
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    const double gain = b(i, layer) - a(i, layer);
    sum += gain;
    squares += gain * gain;
  }
  const double variance = std::max(0.0, squares - sum * sum / count);
  return sum > kSigmas * std::sqrt(variance);
}

Matrix<float> rows_of(const Encoder& encoder) {
  const MatrixView<const float> stored = dense_matrix(encoder);
  if (stored.rows == 0) return explicit_matrix(encoder);
  Matrix<float> out(stored.rows, stored.cols);
  for (std::size_t i = 0; i < out.rows(); ++i) std::ranges::copy(stored.row(i), out.row(i).begin());
  return out;
}

}  // namespace

void check_unrolled_options(const UnrolledOptions& options, std::size_t bits, std::size_t dim) {
  if (options.steps == 0) fail("training needs at least one step");
  if (options.batch < 2) fail("a batch of {} is too small to train on: take at least 2 vectors", options.batch);
  if (options.knots < 2 || !(options.reach > 0)) fail("splines need at least 2 knots and a positive reach");
  for (const double rate : {options.step_size, options.matrix_step_size}) {
    if (!(rate > 0 && std::isfinite(rate))) fail("the step size must be a positive number, not {}", rate);
  }
  if (!(options.tau > 0 && std::isfinite(options.tau))) {
    fail("tau, the width of the smoothed sign, must be positive, not {}", options.tau);
  }
  if (options.orthonormal && bits > dim) {
    fail("{} rows of {} numbers cannot be orthonormal: take constraint none, or a rate of at most 1", bits, dim);
  }
}

Draw draw_from_prior(PriorPtr prior, std::uint64_t seed, bool normed) {
  return [prior = std::move(prior), seed, normed](std::uint64_t first, MatrixView<float> x, std::span<double> weights) {
    for (std::size_t i = 0; i < x.rows; ++i) {
      sample_row(*prior, seed, first + i, x.row(i));
      weights[i] = 1;
      const double rms = normed ? root_mean_square(x.row(i)) : 0;
      if (rms == 0) continue;
      simd::scale(x.row(i), static_cast<float>(1 / rms));
      weights[i] = rms * rms;
    }
  };
}

Draw draw_from_rows(MatrixView<const float> rows, std::span<const double> weights, std::uint64_t seed) {
  if (rows.rows == 0 || weights.size() != rows.rows) {
    fail("training needs vectors and a weight for each: {} and {}", rows.rows, weights.size());
  }
  const auto order = std::make_shared<ShuffledOrder>(rows.rows, seed);
  return [rows, weights, order](std::uint64_t first, MatrixView<float> x, std::span<double> out) {
    for (std::size_t i = 0; i < x.rows; ++i) {
      const std::size_t row = order->row(first + i);
      std::ranges::copy(rows.row(row), x.row(i).begin());
      out[i] = weights[row];
    }
  };
}

struct UnrolledTrainer::Work {
  Work(const UnrolledSetting& setting, const UnrolledOptions& options, std::size_t layers, Team& team)
      : pass(setting, layers, options.batch, team),
        x(options.batch, setting.encoder.dim()),
        weights(options.batch),
        outside(options.batch, setting.encoder.dim()),
        codes(options.batch, code_bytes(setting.encoder.bits())) {
    if (options.matrix == UnrolledMatrix::frozen) return;
    matrix = Matrix<float>(setting.encoder.bits(), setting.encoder.dim());
    if (options.matrix == UnrolledMatrix::own) return;
    u = Matrix<float>(options.batch, setting.encoder.bits());
    signs = Matrix<float>(options.batch, setting.encoder.bits());
    if (options.orthonormal) retraction.emplace(setting.encoder.bits(), setting.encoder.dim());
  }
  UnrolledGradient pass;
  Matrix<float> x;
  std::vector<double> weights;
  Matrix<float> outside;  ///< x in the coordinates of the encoder
  Matrix<std::uint8_t> codes;
  Matrix<float> u, signs;  ///< joint
  Matrix<float> matrix;    ///< derivative
  std::optional<Retraction> retraction;
};

UnrolledTrainer::UnrolledTrainer(const UnrolledSetting& setting, const UnrolledOptions& options, std::size_t layers,
                                 Draw draw, const HeldOut& held_out, Team& team)
    : setting_(setting), options_(options), draw_(std::move(draw)), held_out_(&held_out), team_(&team) {
  check_unrolled_options(options, setting.encoder.bits(), setting.encoder.dim());
  if (held_out.x.rows() < 2 || held_out.weights.size() != held_out.x.rows()) {
    fail("training needs held-out vectors and a weight for each: {} and {}", held_out.x.rows(),
         held_out.weights.size());
  }
  work_ = std::make_unique<Work>(setting, options, layers, team);
}

UnrolledTrainer::~UnrolledTrainer() = default;

/// Fills the codes of x, and u where the encoder is trained.
void UnrolledTrainer::encode(const UnrolledDecoder& decoder, MatrixView<const float> x) {
  Work& work = *work_;
  team_->run(x.rows, kGrain, [&](std::size_t begin, std::size_t end) {
    const std::size_t count = end - begin;
    const MatrixView<float> outside = work.outside.view().row_range(begin, count);
    const MatrixView<const float> rows = x.row_range(begin, count);
    if (setting_.basis.is_identity()) {
      for (std::size_t i = 0; i < count; ++i) std::ranges::copy(rows.row(i), outside.row(i).begin());
    } else {
      setting_.basis.inverse(rows, outside);
    }
    const MatrixView<std::uint8_t> codes = work.codes.view().row_range(begin, count);
    if (options_.matrix != UnrolledMatrix::joint) return setting_.encoder.encode(outside, codes);
    simd::matrix_product(false, true, outside, decoder.matrix, 0, work.u.view().row_range(begin, count));
    for (std::size_t i = begin; i < end; ++i) simd::pack_signs(work.u.row(i), work.codes.row(i));
  });
}

Matrix<double> UnrolledTrainer::errors(const UnrolledDecoder& decoder, const HeldOut& vectors) {
  Matrix<double> out(vectors.x.rows(), decoder.layers.size());
  for (std::size_t begin = 0; begin < out.rows(); begin += options_.batch) {
    const std::size_t count = std::min(options_.batch, out.rows() - begin);
    const MatrixView<const float> x = vectors.x.view().row_range(begin, count);
    encode(decoder, x);
    const Matrix<double> part = work_->pass.errors(decoder, work_->codes.view().row_range(0, count), x,
                                                   std::span(vectors.weights).subspan(begin, count));
    for (std::size_t i = 0; i < count; ++i) std::ranges::copy(part.row(i), out.row(begin + i).begin());
  }
  return out;
}

std::vector<double> UnrolledTrainer::risks(const UnrolledDecoder& decoder, const HeldOut& vectors) {
  const Matrix<double> all = errors(decoder, vectors);
  std::vector<double> out;
  for (std::size_t t = 0; t < all.cols(); ++t) out.push_back(total(all, t) / energy(vectors));
  return out;
}

double UnrolledTrainer::standard_error(const UnrolledDecoder& decoder, const HeldOut& vectors) {
  const Matrix<double> all = errors(decoder, vectors);
  const std::size_t last = all.cols() - 1;
  const double nothing = energy(vectors);
  const double risk = total(all, last) / nothing;
  double squares = 0;
  for (std::size_t i = 0; i < all.rows(); ++i) {
    const auto x = vectors.x.row(i);
    const double off = all(i, last) - risk * vectors.weights[i] * static_cast<double>(simd::dot(x, x));
    squares += off * off;
  }
  return std::sqrt(squares) / nothing;
}

void UnrolledTrainer::watch(UnrolledState& state) {
  const double risk = risks(state.decoder, *held_out_).back();
  if (!(risk < kDiverged)) {
    fail("training diverged at step {}: the risk is {:.3g}; take a smaller step size than {}", state.step, risk,
         options_.step_size);
  }
  state.history.emplace_back(state.step, risk);
  if (state.step > 0 && !(risk < state.best_risk)) return;
  state.best = state.decoder.clone();
  state.best_risk = risk;
  state.best_step = state.step;
}

UnrolledState UnrolledTrainer::start(const UnrolledDecoder& from) {
  UnrolledState state;
  state.decoder = from.clone();
  if (options_.splines) add_splines(options_, state.decoder);
  const std::size_t count = unrolled_parameters(state.decoder).size();
  state.scalars = Optimizer(OptimizerKind::adam, 1, count);
  if (options_.matrix != UnrolledMatrix::frozen) {
    state.decoder.matrix = rows_of(setting_.encoder);
    state.matrix = Optimizer(OptimizerKind::adam, state.decoder.matrix.rows(), state.decoder.matrix.cols());
  }
  first_ = state.decoder.clone();
  watch(state);
  state.start_risk = state.best_risk;
  return state;
}

void UnrolledTrainer::move_matrix(UnrolledState& state, std::size_t rows, double rate) {
  Work& work = *work_;
  if (options_.matrix == UnrolledMatrix::joint) {
    const auto per_width = static_cast<float>(1 / options_.tau);
    for (std::size_t i = 0; i < rows; ++i) {
      simd::times_sign_slope(work.u.row(i), static_cast<float>(options_.tau), per_width, work.signs.row(i));
    }
  }
  team_->run(work.matrix.rows(), kGrain, [&](std::size_t begin, std::size_t end) {
    if (options_.matrix == UnrolledMatrix::joint) {
      const MatrixView<const float> slope{work.signs.data() + begin, rows, end - begin, work.signs.cols()};
      simd::matrix_product(true, false, slope, work.outside.view().row_range(0, rows), 1,
                           work.matrix.view().row_range(begin, end - begin));
    }
    for (std::size_t i = begin; i < end; ++i) {
      state.matrix.move_on_sphere(i, state.step, rate, work.matrix.row(i), state.decoder.matrix.row(i));
    }
  });
  if (work.retraction) (*work.retraction)(state.decoder.matrix, *team_);
}

void UnrolledTrainer::step(UnrolledState& state) {
  Work& work = *work_;
  draw_(static_cast<std::uint64_t>(state.step) * options_.batch, work.x, work.weights);
  encode(state.decoder, work.x);
  std::vector<double> parameters = unrolled_parameters(state.decoder);
  std::vector<double> slope(parameters.size());
  const bool has_matrix = options_.matrix != UnrolledMatrix::frozen;
  state.loss =
      work.pass.gradient(state.decoder, work.codes, work.x, work.weights, slope, has_matrix ? &work.matrix : nullptr,
                         options_.matrix == UnrolledMatrix::joint ? &work.signs : nullptr);
  if (!(state.loss < kDiverged)) {
    fail(
        "training diverged at step {}: the loss is {:.3g} times that of knowing nothing; take a smaller step size than "
        "{}",
        state.step, state.loss, options_.step_size);
  }
  const double rate = decayed(Decay::cosine, options_.step_size, 0, state.step, options_.steps);
  std::vector<float> moved(parameters.size(), 0.0F);
  std::vector<float> direction(slope.begin(), slope.end());
  state.scalars.move(0, state.step, rate, direction, moved);
  for (std::size_t k = 0; k < moved.size(); ++k) parameters[k] += static_cast<double>(moved[k]);
  set_unrolled_parameters(parameters, state.decoder);
  if (has_matrix) {
    move_matrix(state, work.x.rows(), decayed(Decay::cosine, options_.matrix_step_size, 0, state.step, options_.steps));
  }
  ++state.step;
  if (state.step % std::max<std::size_t>(1, options_.steps / kLooks) == 0 || state.step == options_.steps) watch(state);
}

bool UnrolledTrainer::overfitted(const UnrolledState& state) const {
  const std::size_t between = std::max<std::size_t>(1, options_.steps / kLooks);
  // Noise is not a reason to stop: the last steps, which are small, still gain.
  return state.step >= state.best_step + kPatience * between && state.history.back().second > kWorse * state.best_risk;
}

UnrolledDecoder UnrolledTrainer::finish(const UnrolledState& state, const HeldOut& fresh) {
  const std::size_t last = state.best.layers.size() - 1;
  const bool better = clearly_less(errors(state.best, *held_out_), errors(first_, *held_out_), last);
  UnrolledDecoder out = better ? state.best.clone() : first_.clone();
  if (!better) {
    forget_untrained(out);
    if (options_.matrix == UnrolledMatrix::own) out.matrix = {};
  }
  const std::vector<double> measured = risks(out, fresh);
  for (std::size_t t = 0; t < measured.size(); ++t) out.layers[t].risk = measured[t];
  return out;
}

}  // namespace signfold
