#include <algorithm>
#include <chrono>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/base/parallel.h"
#include "signfold/codec/blocks.h"
#include "signfold/codec/codec.h"

namespace signfold {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    const double difference = static_cast<double>(a[j]) - b[j];
    sum += difference * difference;
  }
  return sum;
}

/// Sums for a ratio Σe/Σq and its standard error.
class RatioSums {
 public:
  void add(double e, double q) {
    ++count_;
    e_ += e;
    q_ += q;
    ee_ += e * e;
    eq_ += e * q;
    qq_ += q * q;
  }
  double energy() const { return q_; }
  double ratio() const { return e_ / q_; }
  /// Delta method: Var(Σe/Σq) ≈ n/(n−1)·Σ(e − R q)²/(Σq)².
  double standard_error() const {
    if (count_ < 2) return 0;
    const double r = ratio();
    const double residual = std::max(0.0, ee_ - 2 * r * eq_ + r * r * qq_);
    return std::sqrt(residual * count_ / (count_ - 1)) / q_;
  }

 private:
  double count_ = 0, e_ = 0, q_ = 0, ee_ = 0, eq_ = 0, qq_ = 0;
};

/// Squared errors of rows of x, from `begin` on, against decoded ones: errors(layer, row).
void note_errors(MatrixView<const float> x, MatrixView<const float> decoded, std::size_t begin, std::size_t layer,
                 Matrix<double>& errors) {
  for (std::size_t i = 0; i < decoded.rows; ++i) {
    errors(layer, begin + i) = squared_distance(x.row(begin + i), decoded.row(i));
  }
}

/// The same after every stage.
void measure_stages(const Model& model, MatrixView<const float> x, MatrixView<const std::uint8_t> codes,
                    std::span<const float> scales, int threads, Matrix<double>& errors) {
  Matrix<float> decoded(x.rows, x.cols);
  for (int stages = 1; stages <= model.depth(); ++stages) {
    decode_rows(model, codes, scales, stages, decoded, {threads, {}});
    note_errors(x, decoded, 0, static_cast<std::size_t>(stages) - 1, errors);
  }
}

/// Squared errors of every row after every layer.
void measure_layers(const Model& model, MatrixView<const float> x, MatrixView<const std::uint8_t> codes,
                    std::span<const float> scales, int threads, Matrix<double>& errors) {
  const std::vector<float> factors = decoder_scales(model, scales, x.rows);
  const BlasThreads single(1);
  parallel_for(x.rows, rows_per_task(model), threads, [&](std::size_t begin, std::size_t end) {
    Matrix<float> restored(end - begin, x.cols);
    model.network->decode_layers(codes.row_range(begin, end - begin),
                                 std::span<const float>(factors).subspan(begin, end - begin),
                                 [&](int layer, std::size_t first, MatrixView<const float> estimate) {
                                   const MatrixView<float> rows = restored.view().row_range(0, estimate.rows);
                                   for (std::size_t i = 0; i < rows.rows; ++i)
                                     std::ranges::copy(estimate.row(i), rows.row(i).begin());
                                   inverse(model.transform, rows);
                                   note_errors(x, rows, begin + first, static_cast<std::size_t>(layer), errors);
                                 });
  });
}

}  // namespace

Evaluation evaluate(const Model& model, Source& source, const RunOptions& options) {
  if (!model.can_decode()) fail("the model has no decoder");
  check_dimension(model, source);
  const std::size_t chunk = std::min<std::uint64_t>(chunk_rows(model.dim()), std::max<std::uint64_t>(1, source.rows()));
  const int first = model.staged ? 1 : 0;  // what `layers` counts from
  const std::size_t layers = static_cast<std::size_t>(model.depth()) + (model.staged ? 0 : 1);
  Matrix<float> x(chunk, model.dim());
  Matrix<float> decoded(chunk, model.dim());
  Matrix<std::uint8_t> codes(chunk, code_bytes(model.bits()));
  std::vector<float> scales(chunk);
  Matrix<double> errors(layers, chunk);
  std::vector<float> mean(model.reference_mean().begin(), model.reference_mean().end());
  mean.resize(model.dim());
  std::vector<RatioSums> sums(layers);

  Evaluation out;
  for (std::size_t rows = source.read(x); rows > 0; rows = source.read(x)) {
    const MatrixView<const float> block = x.view().row_range(0, rows);
    const MatrixView<std::uint8_t> block_codes = codes.view().row_range(0, rows);
    const std::span<float> block_scales = std::span(scales).first(model.scale == ScaleKind::none ? 0 : rows);
    const auto start = std::chrono::steady_clock::now();
    encode_rows(model, block, block_codes, block_scales, {options.threads, {}, options.search});
    out.encode_seconds += seconds_since(start);
    const auto middle = std::chrono::steady_clock::now();
    decode_rows(model, block_codes, block_scales, -1, decoded.view().row_range(0, rows), {options.threads, {}});
    out.decode_seconds += seconds_since(middle);
    if (model.staged) {
      measure_stages(model, block, block_codes, block_scales, options.threads, errors);
    } else {
      measure_layers(model, block, block_codes, block_scales, options.threads, errors);
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const double energy = squared_distance(block.row(i), mean);
      for (std::size_t t = 0; t < layers; ++t) sums[t].add(errors(t, i), energy);
    }
    out.vectors += rows;
    if (options.progress) options.progress(out.vectors, source.rows());
    throw_if_interrupted();
  }
  if (!(sums[0].energy() > 0)) {
    fail("{}: every vector equals the training mean, so there is no energy to compare errors with",
         source.description());
  }
  std::vector<LayerRisk>& risks = model.staged ? out.prefixes : out.layers;
  for (std::size_t t = 0; t < layers; ++t) {
    risks.push_back({sums[t].ratio(), sums[t].standard_error(), model.predicted_risk(static_cast<int>(t) + first)});
  }
  return out;
}

}  // namespace signfold
