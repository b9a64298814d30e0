#include "signfold/codec/train_source.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/base/memory.h"

namespace signfold {
namespace {

constexpr std::size_t kMostHeldOut = 2000;
constexpr std::size_t kLeastInterval = 20;                      // at most every 20th vector of data is held out
constexpr std::uint64_t kHeldOutSeed = std::uint64_t{1} << 32;  // added to the seed: other vectors than any training's

std::unique_ptr<TrainSource> from_prior(const TrainRequest& request, Team& team) {
  constexpr double kMostNumbers = 4e6;
  auto source = std::make_unique<TrainSource>();
  source->name = source->identity = request.prior->name();
  source->dim = request.dim;
  source->item_shape = {request.dim};
  source->batches = prior_batches(request.prior, request.dim, request.seed);
  source->watched = Matrix<float>(kWatched, request.dim);
  prior_batches(request.prior, request.dim, request.seed + 2 * kHeldOutSeed)->fill(0, source->watched, team);
  const auto vectors =
      static_cast<std::uint64_t>(std::clamp(kMostNumbers / static_cast<double>(request.dim), 1000.0, 20000.0));
  source->held_out = synthetic_source(request.prior, vectors, request.dim, request.seed + kHeldOutSeed);
  return source;
}

/// Moves every `interval`-th row of x to the result, the others to the front; returns those moved.
Matrix<float> hold_out(Matrix<float>& x, std::size_t interval) {
  Matrix<float> held((x.rows() + interval - 1) / interval, x.cols());
  Matrix<float> kept(x.rows() - held.rows(), x.cols());
  for (std::size_t i = 0; i < x.rows(); ++i) {
    const std::size_t before = (i + interval - 1) / interval;  // held-out rows before row i
    const bool out = i % interval == 0;
    std::ranges::copy(x.row(i), out ? held.row(i / interval).begin() : kept.row(i - before).begin());
  }
  x = std::move(kept);
  return held;
}

void center(MatrixView<float> x, const std::vector<float>& mean) {
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) x(i, j) -= mean[j];
  }
}

std::vector<float> mean_of(MatrixView<const float> x) {
  std::vector<double> sum(x.cols);
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) sum[j] += static_cast<double>(x(i, j));
  }
  std::vector<float> mean(x.cols);
  std::ranges::transform(sum, mean.begin(),
                         [&](double v) { return static_cast<float>(v / static_cast<double>(x.rows)); });
  return mean;
}

double mean_square(MatrixView<const float> x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (const float v : x.row(i)) sum += static_cast<double>(v) * static_cast<double>(v);
  }
  return sum / static_cast<double>(x.rows * x.cols);
}

void scale_all(MatrixView<float> x, double factor) {
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (float& v : x.row(i)) v = static_cast<float>(v * factor);
  }
}

/// Every how many vectors one is held out, so that about `most` are.
std::size_t interval_for(const TrainSource& source, std::size_t most) {
  const std::size_t rows = source.rows.rows();
  if (rows < 2 * kLeastInterval) fail("{}: {} vectors are too few to train on and to measure with", source.name, rows);
  return std::max(kLeastInterval, rows / most);
}

/// The vectors to measure the risk on; those of a source that the caller keeps go to `rows`.
std::unique_ptr<Source> open_test(const TrainRequest& request, Matrix<float>& rows) {
  if (request.test_vectors == nullptr) return open_source(request.test);
  rows = read_all(*request.test_vectors);
  return matrix_source(rows, request.test_vectors->description());
}

std::unique_ptr<TrainSource> from_data(const TrainRequest& request) {
  const std::unique_ptr<Source> opened = request.vectors != nullptr ? nullptr : open_source(request.data);
  Source* const file = request.vectors != nullptr ? request.vectors : opened.get();
  require_memory(1.1 * sizeof(float) * static_cast<double>(file->rows()) * static_cast<double>(file->dim()),
                 fmt::format("training on {}", file->description()), "train on fewer vectors");
  auto source = std::make_unique<TrainSource>();
  source->name = file->description();
  source->dim = file->dim();
  source->item_shape = file->item_shape();
  source->rows = read_all(*file);
  source->identity = fmt::format("{:016x}", hash64(std::as_bytes(source->rows.values())));
  if (request.test.empty() && request.test_vectors == nullptr) {
    const std::size_t interval = interval_for(*source, kMostHeldOut);
    source->held_out_rows = hold_out(source->rows, interval);
    source->held_out =
        matrix_source(source->held_out_rows, fmt::format("every {}th vector of {}", interval, source->name));
  } else {
    source->held_out = open_test(request, source->held_out_rows);
    if (source->held_out->dim() != source->dim) {
      fail("{} has vectors of {} coordinates, {} of {}", source->held_out->description(), source->held_out->dim(),
           source->name, source->dim);
    }
  }
  const bool chooses = !request.stages.empty() || request.decoder.kind == TrainedDecoder::network ||
                       request.decoder.kind == TrainedDecoder::layers;  // the best step, by vectors of their own
  if (chooses) source->watched = hold_out(source->rows, interval_for(*source, kWatched));
  source->transform.mean = mean_of(source->rows);
  center(source->rows, source->transform.mean);
  source->unit = std::sqrt(mean_square(source->rows));
  if (!(source->unit > 0)) fail("{}: all vectors are equal, there is nothing to learn", source->name);
  scale_all(source->rows, 1 / source->unit);
  if (!chooses) {
    source->watched = read_all(*source->held_out, kWatched);
    source->held_out->rewind();
  }
  center(source->watched, source->transform.mean);
  scale_all(source->watched, 1 / source->unit);
  source->batches = data_batches(source->rows, request.seed);
  return source;
}

}  // namespace

std::unique_ptr<TrainSource> open_train_source(const TrainRequest& request, Team& team) {
  return request.prior ? from_prior(request, team) : from_data(request);
}

}  // namespace signfold
