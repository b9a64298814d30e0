#include "signfold/codec/fit_unrolled.h"

#include <algorithm>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/decoder/decoder.h"

namespace signfold {
namespace {

constexpr std::size_t kFewestRows = 20;
constexpr std::size_t kShare = 10;                               // one row of so many is held out
constexpr std::size_t kFreshDraws = 4000;                        // of a prior, to measure the result
constexpr std::uint64_t kHeldOutStart = std::uint64_t{1} << 40;  // vectors of a prior that training does not reach

/// Copies of the rows with these numbers.
HeldOut take(MatrixView<const float> rows, std::span<const double> weights, const std::vector<std::size_t>& which) {
  HeldOut out{Matrix<float>(which.size(), rows.cols), std::vector<double>(which.size())};
  for (std::size_t i = 0; i < which.size(); ++i) {
    std::ranges::copy(rows.row(which[i]), out.x.row(i).begin());
    out.weights[i] = weights[which[i]];
  }
  return out;
}

struct Split {
  HeldOut training, watched, fresh;
};

Split split(MatrixView<const float> rows, std::span<const double> weights) {
  if (rows.rows < kFewestRows) {
    fail("{} vectors are too few to train layers on; {} are the least", rows.rows, kFewestRows);
  }
  const std::size_t stride = std::max(kShare, rows.rows / kHeldOutRows);
  std::vector<std::size_t> training;
  std::vector<std::size_t> watched;
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    if (i % stride != 0) {
      training.push_back(i);
    } else {
      (i / stride % 2 == 1 ? fresh : watched).push_back(i);
    }
  }
  return {take(rows, weights, training), take(rows, weights, watched), take(rows, weights, fresh)};
}

HeldOut drawn(const Draw& draw, std::uint64_t first, std::size_t count, std::size_t dim) {
  HeldOut out{Matrix<float>(count, dim), std::vector<double>(count)};
  draw(kHeldOutStart + first, out.x, out.weights);
  return out;
}

UnrolledFit run(const UnrolledSetting& setting, NetworkParameters start, const Draw& draw, const HeldOut& watched,
                const HeldOut& fresh, const UnrolledFitOptions& options) {
  if (options.training.matrix == UnrolledMatrix::joint) fail("this encoder stays as it is: train() trains both");
  Team team(options.threads);
  UnrolledTrainer trainer(setting, options.training, start.unrolled.layers.size(), draw, watched, team);
  UnrolledState state = trainer.start(start.unrolled);
  while (state.step < options.training.steps && !trainer.overfitted(state)) {
    throw_if_interrupted();
    trainer.step(state);
    if (options.progress) options.progress(state.step, options.training.steps);
  }
  UnrolledFit fit;
  fit.untrained = trainer.risks(start.unrolled, fresh).back();
  start.unrolled = trainer.finish(state, fresh);
  fit.trained = start.unrolled.layers.back().risk;
  fit.trained_stderr = trainer.standard_error(start.unrolled, fresh);
  fit.parameters = std::move(start);
  fit.history = std::move(state.history);
  return fit;
}

}  // namespace

NetworkParameters untrained_network(const Encoder& encoder, const VectorPrior& prior, int layers) {
  NetworkParameters parameters = compile_decoder({DecoderChoice::Kind::network, layers}, encoder, prior);
  parameters.unrolled = unroll(parameters.schedule);
  parameters.schedule = {};
  parameters.schedule.rate = encoder.shape().rate();
  return parameters;
}

UnrolledFit fit_unrolled(const Encoder& encoder, const Basis& basis, const VectorPrior& prior,
                         MatrixView<const float> rows, std::span<const double> weights,
                         const UnrolledFitOptions& options) {
  NetworkParameters start = untrained_network(encoder, prior, options.layers);
  const double clip = start.clip;
  const Split parts = split(rows, weights);
  return run({encoder, basis, prior, clip}, std::move(start),
             draw_from_rows(parts.training.x, parts.training.weights, options.seed), parts.watched, parts.fresh,
             options);
}

UnrolledFit fit_unrolled(const Encoder& encoder, const PriorPtr& prior, bool normed,
                         const UnrolledFitOptions& options) {
  const VectorPrior law = iid_prior(prior);
  NetworkParameters start = untrained_network(encoder, law, options.layers);
  const double clip = start.clip;
  const Draw draw = draw_from_prior(prior, options.seed, normed);
  const HeldOut watched = drawn(draw, 0, kHeldOutRows / 2, encoder.dim());
  const HeldOut fresh = drawn(draw, kHeldOutRows, kFreshDraws, encoder.dim());
  return run({encoder, *make_basis("identity", encoder.dim()), law, clip}, std::move(start), draw, watched, fresh,
             options);
}

}  // namespace signfold
