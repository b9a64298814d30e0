#include "signfold/training/unrolled_gradient.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/decoder/pointwise.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"
#include "signfold/training/blocks.h"

namespace signfold {
namespace {

constexpr std::size_t kGrain = 32;  // rows that a thread takes at a time; sums do not depend on anything else
constexpr std::size_t kScalars = 8;
constexpr double kLostRow = 3;  // guard G8, as in decoding

std::size_t parameters_of(const UnrolledLayer& layer) {
  return kScalars + layer.score_spline.weights.size() + layer.mean_spline.weights.size();
}

std::size_t count_parameters(const UnrolledDecoder& decoder) {
  std::size_t count = 0;
  for (const UnrolledLayer& layer : decoder.layers) count += parameters_of(layer);
  return count;
}

double dot(MatrixView<const float> a, MatrixView<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rows; ++i) sum += static_cast<double>(simd::dot(a.row(i), b.row(i)));
  return sum;
}

/// c ← factor·a + keep·c.
void blend(double factor, MatrixView<const float> a, double keep, MatrixView<float> c) {
  const auto f = static_cast<float>(factor);
  const auto k = static_cast<float>(keep);
  for (std::size_t i = 0; i < c.rows; ++i) {
    for (std::size_t j = 0; j < c.cols; ++j) c(i, j) = f * a(i, j) + (k == 0 ? 0 : k * c(i, j));
  }
}

float correction_at(const simd::Cubic& table, float x, float& slope) {
  if (table.coefficients.empty()) return 0;
  const TableSample s = sample(table, x);
  slope += s.slope;
  return s.value;
}

/// gradient[k] += factor·β_k(x).
void add_basis(const Spline& spline, float x, float factor, std::span<double> gradient) {
  const SplineBasis basis = spline_basis(spline, x);
  for (std::ptrdiff_t k = 0; k < 4; ++k) {
    const std::ptrdiff_t index = basis.first + k;
    if (index < 0 || index >= std::ssize(gradient)) continue;
    gradient[static_cast<std::size_t>(index)] += static_cast<double>(factor) * static_cast<double>(basis.value[k]);
  }
}

double mean_square(std::span<const float> s) {
  return static_cast<double>(simd::dot(s, s)) / static_cast<double>(s.size());
}

}  // namespace

std::vector<double> unrolled_parameters(const UnrolledDecoder& decoder) {
  std::vector<double> out;
  out.reserve(count_parameters(decoder));
  for (const UnrolledLayer& layer : decoder.layers) {
    out.insert(out.end(), {layer.product, layer.onsager, layer.output_memory, std::log(layer.width), layer.adjoint,
                           layer.estimate, layer.input_memory, std::log(layer.precision)});
    out.insert(out.end(), layer.score_spline.weights.begin(), layer.score_spline.weights.end());
    out.insert(out.end(), layer.mean_spline.weights.begin(), layer.mean_spline.weights.end());
  }
  return out;
}

void set_unrolled_parameters(std::span<const double> parameters, UnrolledDecoder& decoder) {
  if (parameters.size() != count_parameters(decoder)) {
    fail("{} numbers for a trained decoder of {}", parameters.size(), count_parameters(decoder));
  }
  auto next = parameters.begin();
  for (UnrolledLayer& layer : decoder.layers) {
    for (double* v : {&layer.product, &layer.onsager, &layer.output_memory}) *v = *next++;
    layer.width = std::exp(*next++);
    for (double* v : {&layer.adjoint, &layer.estimate, &layer.input_memory}) *v = *next++;
    layer.precision = std::exp(*next++);
    for (double& v : layer.score_spline.weights) v = *next++;
    for (double& v : layer.mean_spline.weights) v = *next++;
  }
}

UnrolledGradient::UnrolledGradient(const UnrolledSetting& setting, std::size_t layers, std::size_t batch, Team& team)
    : setting_(setting),
      team_(&team),
      tables_(setting.prior, setting.encoder.dim()),
      hazard_(score_table(1, 1, setting.clip)),
      z_(batch, setting.encoder.bits()),
      traces_(layers),
      means_(layers),
      score_corrections_(layers),
      mean_corrections_(layers),
      surprise_(batch) {
  if (layers == 0 || batch == 0) fail("an unrolled decoder needs layers and a batch, not {} and {}", layers, batch);
  const std::size_t n = setting.encoder.bits();
  const std::size_t d = setting.encoder.dim();
  for (Trace& trace : traces_) {
    for (Matrix<float>* m : {&trace.product, &trace.ghat, &trace.score, &trace.score_slope})
      *m = Matrix<float>(batch, n);
    for (Matrix<float>* m : {&trace.adjoint, &trace.y, &trace.estimate, &trace.slope, &trace.by_precision}) {
      *m = Matrix<float>(batch, d);
    }
    trace.lost.resize(batch);
  }
}

void UnrolledGradient::check(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes,
                             MatrixView<const float> x, std::span<const double> weights) const {
  const Encoder& encoder = setting_.encoder;
  if (codes.rows == 0 || codes.rows > z_.rows() || codes.cols != code_bytes(encoder.bits()) || x.rows != codes.rows ||
      x.cols != encoder.dim() || weights.size() != x.rows) {
    fail(
        "an unrolled decoder: {} codes of {} bytes, {} vectors of {} numbers and {} weights do not fit {} bits, {} "
        "coordinates and batches of {}",
        codes.rows, codes.cols, x.rows, x.cols, weights.size(), encoder.bits(), encoder.dim(), z_.rows());
  }
  if (decoder.layers.size() != traces_.size()) {
    fail("an unrolled decoder of {} layers in a workspace for {}", decoder.layers.size(), traces_.size());
  }
}

/// B x̂ from x̂ in the coordinates of the basis; `outside` receives x̂ in those of the encoder, unless they agree.
void UnrolledGradient::apply(const UnrolledDecoder& decoder, MatrixView<const float> estimate,
                             MatrixView<float> outside, MatrixView<float> product) const {
  MatrixView<const float> in = estimate;
  if (!setting_.basis.is_identity()) {
    setting_.basis.inverse(estimate, outside);
    in = outside;
  }
  if (decoder.matrix.empty()) return setting_.encoder.apply(in, product);
  simd::matrix_product(false, true, in, decoder.matrix, 0, product);
}

/// Bᵀs in the coordinates of the basis; `outside` receives it in those of the encoder, unless they agree.
void UnrolledGradient::adjoint(const UnrolledDecoder& decoder, MatrixView<const float> s, MatrixView<float> outside,
                               MatrixView<float> v) const {
  const bool same = setting_.basis.is_identity();
  const MatrixView<float> out = same ? v : outside;
  if (decoder.matrix.empty()) {
    setting_.encoder.adjoint(s, out);
  } else {
    simd::matrix_product(false, false, s, decoder.matrix, 0, out);
  }
  if (!same) setting_.basis.forward(outside, v);
}

void UnrolledGradient::score_step(const UnrolledLayer& layer, std::size_t t, std::size_t begin, std::size_t count) {
  Trace& trace = traces_[t];
  const auto per_width = static_cast<float>(1 / layer.width);
  const auto height = static_cast<float>(layer.height);
  for (std::size_t i = begin; i < begin + count; ++i) {
    for (std::size_t j = 0; j < z_.cols(); ++j) {
      const float z = z_(i, j);
      const float v = z * trace.ghat(i, j);
      const TableSample h = sample(hazard_, v * per_width);
      float unused = 0;
      trace.score(i, j) = z * (height * h.value + correction_at(score_corrections_[t], v, unused));
      trace.score_slope(i, j) = height * per_width * h.slope;
    }
  }
}

void UnrolledGradient::mean_step(std::size_t t, std::size_t begin, std::size_t count) {
  Trace& trace = traces_[t];
  for (std::size_t j = 0; j < trace.y.cols(); ++j) {
    const PosteriorTables::Pair& pair = means_[t][tables_.group_of(j)];
    const float offset = tables_.offset(j);
    const float sigma = tables_.scale(j);
    const float inverse = sigma > 0 ? 1 / sigma : 0;
    for (std::size_t i = begin; i < begin + count; ++i) {
      const float w = (trace.y(i, j) - offset) * inverse;
      const TableSample low = sample(*pair.low, w);
      const TableSample high = sample(*pair.high, w);
      float slope = low.slope + pair.mix * (high.slope - low.slope);
      const float value =
          low.value + pair.mix * (high.value - low.value) + correction_at(mean_corrections_[t], w, slope);
      trace.estimate(i, j) = offset + sigma * value;
      trace.slope(i, j) = sigma > 0 ? slope : 0;
      trace.by_precision(i, j) = sigma * (high.value - low.value) / static_cast<float>(PosteriorTables::kStep);
    }
  }
}

/// Guard G8, as decoding has it: such rows keep the estimate of the layer before.
void UnrolledGradient::keep_lost_rows(const UnrolledLayer& layer, std::size_t t, std::size_t begin, std::size_t count) {
  Trace& trace = traces_[t];
  for (std::size_t i = begin; i < begin + count; ++i) {
    const double surprise = mean_square(trace.score.row(i)) / layer.score_energy();
    const bool was = t > 0 && traces_[t - 1].lost[i] != 0;
    const bool lost = was || (t > 1 && surprise > kLostRow && surprise > surprise_[i]);
    surprise_[i] = surprise;
    trace.lost[i] = lost ? 1 : 0;
    if (!lost) continue;
    std::ranges::copy(traces_[t - 1].estimate.row(i), trace.estimate.row(i).begin());
    std::ranges::fill(trace.slope.row(i), 0.0F);
    std::ranges::fill(trace.by_precision.row(i), 0.0F);
  }
}

void UnrolledGradient::forward_block(const UnrolledDecoder& decoder, std::size_t begin, std::size_t count) {
  const auto rows = [&](Matrix<float>& m) { return m.view().row_range(begin, count); };
  Matrix<float> scratch(count, setting_.encoder.dim());
  for (std::size_t t = 0; t < traces_.size(); ++t) {
    const UnrolledLayer& layer = decoder.layers[t];
    Trace& now = traces_[t];
    if (t == 0) {
      for (Matrix<float>* m : {&now.product, &now.ghat}) blend(0, rows(*m), 0, rows(*m));
    } else {
      Trace& before = traces_[t - 1];
      const MatrixView<float> outside = now.outside.empty() ? scratch.view() : rows(now.outside);
      apply(decoder, rows(before.estimate), outside, rows(now.product));
      if (!now.outside.empty() && setting_.basis.is_identity()) blend(1, rows(before.estimate), 0, outside);
      blend(layer.product, rows(now.product), 0, rows(now.ghat));
      blend(layer.onsager, rows(before.score), 1, rows(now.ghat));
      blend(layer.output_memory, rows(before.ghat), 1, rows(now.ghat));
    }
    score_step(layer, t, begin, count);
    adjoint(decoder, rows(now.score), scratch, rows(now.adjoint));
    blend(layer.adjoint, rows(now.adjoint), 0, rows(now.y));
    if (t > 0) {
      blend(layer.estimate, rows(traces_[t - 1].estimate), 1, rows(now.y));
      blend(layer.input_memory, rows(traces_[t - 1].y), 1, rows(now.y));
    }
    mean_step(t, begin, count);
    keep_lost_rows(layer, t, begin, count);
  }
}

void UnrolledGradient::forward(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes) {
  for (std::size_t t = 0; t < traces_.size(); ++t) {
    const UnrolledLayer& layer = decoder.layers[t];
    means_[t] = tables_.at(std::log(layer.precision));
    score_corrections_[t] = spline_table(layer.score_spline);
    mean_corrections_[t] = spline_table(layer.mean_spline);
    Trace& trace = traces_[t];
    if (!decoder.matrix.empty() && trace.outside.empty()) {
      for (Matrix<float>* m : {&trace.adjoint_slope, &trace.outside}) *m = Matrix<float>(z_.rows(), trace.y.cols());
      trace.product_slope = Matrix<float>(z_.rows(), z_.cols());
    }
  }
  team_->run(codes.rows, kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) simd::unpack_signs(codes.row(i), 1.0F, z_.row(i));
    forward_block(decoder, begin, end - begin);
  });
}

/// Derivatives of the loss in x̂, s, ĝ and y of the layer in hand, for a block of rows.
struct UnrolledGradient::Rows {
  Rows(std::size_t count, std::size_t bits, std::size_t dim)
      : estimate(count, dim),
        y(count, dim),
        step(count, dim),
        outside(count, dim),
        score(count, bits),
        ghat(count, bits),
        product(count, bits) {}
  Matrix<float> estimate, y, step, outside;
  Matrix<float> score, ghat, product;
};

void UnrolledGradient::backward_block(const UnrolledDecoder& decoder, MatrixView<const float> x,
                                      std::span<const double> weights, double energy, std::size_t begin,
                                      std::size_t count, std::span<double> gradient, Matrix<float>* signs) {
  const auto rows = [&](const Matrix<float>& m) { return m.view().row_range(begin, count); };
  const std::size_t n = z_.cols();
  const std::size_t d = x.cols;
  Rows by(count, n, d);
  for (std::size_t i = 0; i < count; ++i) {
    const auto factor = static_cast<float>(2 * weights[begin + i] / energy);
    for (std::size_t j = 0; j < d; ++j) {
      by.estimate(i, j) = factor * (traces_.back().estimate(begin + i, j) - x(begin + i, j));
    }
  }
  std::size_t first = gradient.size();
  for (std::size_t t = traces_.size(); t-- > 0;) {
    const UnrolledLayer& layer = decoder.layers[t];
    Trace& now = traces_[t];
    first -= parameters_of(layer);
    const std::span<double> own = gradient.subspan(first, parameters_of(layer));
    const std::span<double> score_weights = own.subspan(kScalars, layer.score_spline.weights.size());
    const std::span<double> mean_weights = own.subspan(kScalars + layer.score_spline.weights.size());

    // x̂ = η(y).
    own[7] += dot(by.estimate, rows(now.by_precision));
    for (std::size_t i = 0; i < count; ++i) {
      if (now.lost[begin + i] != 0) continue;
      for (std::size_t j = 0; j < d; ++j) {
        const float sigma = tables_.scale(j);
        if (!mean_weights.empty() && sigma > 0) {
          const float w = (now.y(begin + i, j) - tables_.offset(j)) / sigma;
          add_basis(layer.mean_spline, w, sigma * by.estimate(i, j), mean_weights);
        }
        by.y(i, j) += by.estimate(i, j) * now.slope(begin + i, j);
      }
    }

    // y = adjoint·Bᵀs + estimate·x̂ + input_memory·y. Of a lost row, x̂ is the one before.
    own[4] += dot(by.y, rows(now.adjoint));
    blend(layer.adjoint, by.y, 0, by.step);
    apply(decoder, by.step, by.outside, by.product);
    blend(1, by.product, 1, by.score);
    if (!decoder.matrix.empty()) {
      const MatrixView<float> kept = now.adjoint_slope.view().row_range(begin, count);
      blend(1, setting_.basis.is_identity() ? by.step : by.outside, 0, kept);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (now.lost[begin + i] == 0) std::ranges::fill(by.estimate.row(i), 0.0F);
    }
    if (t > 0) {
      own[5] += dot(by.y, rows(traces_[t - 1].estimate));
      own[6] += dot(by.y, rows(traces_[t - 1].y));
      blend(layer.estimate, by.y, 1, by.estimate);
      blend(0, by.y, layer.input_memory, by.y);
    }

    // s = z·(H(zĝ) + δ(zĝ)).
    double by_width = 0;
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const float z = z_(begin + i, j);
        const float v = z * now.ghat(begin + i, j);
        const float ds = by.score(i, j);
        const float steep = now.score_slope(begin + i, j);
        float slope = steep;
        correction_at(score_corrections_[t], v, slope);
        if (!score_weights.empty()) add_basis(layer.score_spline, v, z * ds, score_weights);
        by_width -= static_cast<double>(ds * z * v * steep);
        if (signs != nullptr) (*signs)(begin + i, j) += ds * (z * now.score(begin + i, j) + v * slope);
        by.ghat(i, j) += ds * slope;
      }
    }
    own[3] += by_width;
    if (t == 0) continue;

    // ĝ = product·Bx̂ + onsager·s + output_memory·ĝ.
    Trace& before = traces_[t - 1];
    own[0] += dot(by.ghat, rows(now.product));
    own[1] += dot(by.ghat, rows(before.score));
    own[2] += dot(by.ghat, rows(before.ghat));
    blend(layer.product, by.ghat, 0, by.product);
    adjoint(decoder, by.product, by.outside, by.step);
    blend(1, by.step, 1, by.estimate);
    if (!decoder.matrix.empty()) blend(1, by.product, 0, now.product_slope.view().row_range(begin, count));
    blend(layer.onsager, by.ghat, 0, by.score);
    blend(0, by.ghat, layer.output_memory, by.ghat);
  }
}

/// Σ over layers of sᵀ ∂(Bᵀs) and ∂(Bx̂)ᵀ x̂.
void UnrolledGradient::collect_matrix(std::size_t rows, Matrix<float>& matrix) {
  team_->run(matrix.rows(), kGrain, [&](std::size_t begin, std::size_t end) {
    const MatrixView<float> part = matrix.view().row_range(begin, end - begin);
    for (std::size_t t = 0; t < traces_.size(); ++t) {
      const Trace& trace = traces_[t];
      const auto view = [&](const Matrix<float>& m) { return m.view().row_range(0, rows); };
      simd::matrix_product(true, false, columns(view(trace.score), begin, end - begin), view(trace.adjoint_slope),
                           t == 0 ? 0.0F : 1.0F, part);
      if (t == 0) continue;
      simd::matrix_product(true, false, columns(view(trace.product_slope), begin, end - begin), view(trace.outside), 1,
                           part);
    }
  });
}

double UnrolledGradient::gradient(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes,
                                  MatrixView<const float> x, std::span<const double> weights,
                                  std::span<double> gradient, Matrix<float>* matrix, Matrix<float>* signs) {
  check(decoder, codes, x, weights);
  if (gradient.size() != count_parameters(decoder))
    fail("a gradient of {} numbers, not {}", gradient.size(), count_parameters(decoder));
  forward(decoder, codes);
  double energy = 0;
  double error = 0;
  for (std::size_t i = 0; i < x.rows; ++i) {
    energy += weights[i] * static_cast<double>(simd::dot(x.row(i), x.row(i)));
    double sum = 0;
    for (std::size_t j = 0; j < x.cols; ++j) {
      const double e = static_cast<double>(traces_.back().estimate(i, j)) - static_cast<double>(x(i, j));
      sum += e * e;
    }
    error += weights[i] * sum;
  }
  if (!(energy > 0)) fail("an unrolled decoder: the vectors of a batch are all 0");
  if (signs != nullptr) std::ranges::fill(signs->values(), 0.0F);
  const std::size_t blocks = (x.rows + kGrain - 1) / kGrain;
  Matrix<double> parts(blocks, gradient.size());
  team_->run(x.rows, kGrain, [&](std::size_t begin, std::size_t end) {
    backward_block(decoder, x, weights, energy, begin, end - begin, parts.row(begin / kGrain), signs);
  });
  std::ranges::fill(gradient, 0.0);
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += parts(b, k);
  }
  if (matrix != nullptr) {
    if (decoder.matrix.empty()) fail("an unrolled decoder without a matrix of its own has no derivative in it");
    collect_matrix(x.rows, *matrix);
  }
  return error / energy;
}

Matrix<double> UnrolledGradient::errors(const UnrolledDecoder& decoder, MatrixView<const std::uint8_t> codes,
                                        MatrixView<const float> x, std::span<const double> weights) {
  check(decoder, codes, x, weights);
  forward(decoder, codes);
  Matrix<double> out(x.rows, traces_.size());
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t t = 0; t < traces_.size(); ++t) {
      double sum = 0;
      for (std::size_t j = 0; j < x.cols; ++j) {
        const double e = static_cast<double>(traces_[t].estimate(i, j)) - static_cast<double>(x(i, j));
        sum += e * e;
      }
      out(i, t) = weights[i] * sum;
    }
  }
  return out;
}

}  // namespace signfold
