#include "signfold/codec/codec.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/base/parallel.h"
#include "signfold/codec/blocks.h"
#include "signfold/codec/inputs.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/rows.h"
#include "signfold/source/npy_writer.h"

namespace signfold {
namespace {

/// Beyond these, sums of products in float32 could overflow or lose digits to denormal numbers.
constexpr double kSmallRms = 1e-12;
constexpr double kLargeRms = 1e12;
/// A decoded coordinate must stay far from the end of float32 even after un-whitening.
constexpr float kLargestScale = 1e30F;

/// What a decoder multiplies by.
float decoder_scale(const Model& model, float stored) { return static_cast<float>(stored * model.unit); }
bool can_decode_with(float scale) { return scale >= 0 && scale < kLargestScale; }

float stored_scale(const Model& model, double rms, std::size_t row) {
  auto scale = static_cast<float>(rms / model.unit);
  if (model.scale == ScaleKind::f16) scale = from_half(to_half(scale));
  if (model.scale == ScaleKind::f16 && !std::isfinite(scale)) {
    fail("row {}: its norm is {:.6g} times the training data's, too large for float16; fit the model with scale f32",
         row, rms / model.unit);
  }
  if (!can_decode_with(decoder_scale(model, scale))) fail("row {}: its norm is too large to decode", row);
  return scale;
}

bool extreme(double rms) { return rms > 0 && (rms < kSmallRms || rms > kLargeRms); }

double root_mean_square(std::span<const float> t) { return std::sqrt(simd::energy(t) / static_cast<double>(t.size())); }

/// Stores the scales of transformed rows, those from `begin` on of a call. Returns whether a row is so large or small
/// that it has to be rescaled before it is encoded.
bool measure(const Model& model, MatrixView<const float> t, std::size_t begin, std::span<float> scales) {
  bool found = false;
  for (std::size_t i = 0; i < t.rows; ++i) {
    const double rms = root_mean_square(t.row(i));
    if (!std::isfinite(rms)) fail("row {} has a value that is not finite, before or after the transform", begin + i);
    if (model.staged && model.scale == ScaleKind::none && rms > kLargeRms * model.unit) {
      fail("row {}: its norm is {:.6g} times the training data's, too large for a staged code", begin + i,
           rms / model.unit);
    }
    if (model.scale != ScaleKind::none) scales[i] = stored_scale(model, rms, begin + i);
    found = found || extreme(rms);
  }
  return found;
}

/// By a power of two: signs do not care, and no digit changes.
void rescale_extremes(MatrixView<float> t) {
  for (std::size_t i = 0; i < t.rows; ++i) {
    const double rms = root_mean_square(t.row(i));
    if (!extreme(rms)) continue;
    for (float& v : t.row(i)) v = std::ldexp(v, -std::ilogb(rms));
  }
}

Matrix<float> copy_of(MatrixView<const float> x) {
  Matrix<float> copy(x.rows, x.cols);
  for (std::size_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i).data(), x.cols, copy.row(i).data());
  return copy;
}

/// Rows that are encoded before their norms are taken: few enough to be in a cache then, of the second level at least,
/// but for a matrix, which is multiplied with many at a time.
std::size_t rows_at_once(const Model& model, std::size_t rows) {
  constexpr std::size_t kInCache = 32768;  // numbers
  if (dense_matrix(*model.encoder).data != nullptr) return rows;
  return std::max<std::size_t>(1, kInCache / model.dim());
}

/// Of a parallel task: an interrupt is looked for between tasks, and a search for bits takes long.
std::size_t rows_per_search(std::size_t rounds) { return std::clamp<std::size_t>(4096 / rounds, 1, 64); }

/// row /= scale, also where 1/scale is beyond float32; 0 for a scale of 0.
void divide(std::span<float> row, float scale) {
  if (scale > 0 && scale < kSmallRms) {
    const int exponent = std::ilogb(scale);
    for (float& v : row) v = std::ldexp(v, -exponent);
    scale = std::ldexp(scale, -exponent);
  }
  simd::scale(row, scale > 0 ? 1 / scale : 0.0F);
}

/// Rows over their scales, stored and read back; a row of scale 0 is all zeros.
void encode_stages(const Model& model, MatrixView<const float> t, std::size_t begin, std::size_t rounds,
                   MatrixView<std::uint8_t> codes, std::span<float> scales) {
  measure(model, t, begin, scales);
  const std::vector<float> factors = decoder_scales(model, scales, t.rows);
  Matrix<float> in_units = copy_of(t);
  for (std::size_t i = 0; i < t.rows; ++i) divide(in_units.row(i), factors[i]);
  model.staged->encode(in_units, codes);
  model.staged->search(in_units, rounds, codes);
}

/// Rows from `begin` on of a call. They are copied only where something has to be done to them.
void encode_block(const Model& model, MatrixView<const float> x, std::size_t begin, std::size_t rounds,
                  MatrixView<std::uint8_t> codes, std::span<float> scales) {
  Matrix<float> copy;
  if (!model.transform.identity()) {
    copy = copy_of(x);
    forward(model.transform, copy);
  }
  const MatrixView<const float> t = copy.empty() ? x : copy.view();
  if (model.staged) return encode_stages(model, t, begin, rounds, codes, scales);
  bool extremes = false;
  const std::size_t some = rows_at_once(model, t.rows);
  for (std::size_t i = 0; i < t.rows; i += some) {
    const std::size_t count = std::min(some, t.rows - i);
    model.encoder->encode(t.row_range(i, count), codes.row_range(i, count));
    const std::span<float> own = scales.empty() ? scales : scales.subspan(i, count);
    extremes = measure(model, t.row_range(i, count), begin + i, own) || extremes;
  }
  if (!extremes) return;
  if (copy.empty()) copy = copy_of(x);
  rescale_extremes(copy);
  model.encoder->encode(copy, codes);
}

/// `bits`: those that the codes must have.
void check_shapes(const Model& model, std::size_t bits, std::size_t rows, std::size_t code_rows, std::size_t code_cols,
                  std::size_t scales) {
  const bool scaled = model.scale != ScaleKind::none;
  if (code_rows != rows || code_cols != code_bytes(bits) || (scales != rows && (scaled || scales != 0))) {
    fail("{} vectors with {} codes of {} bytes and {} scales: the model wants codes of {} bytes and scale {}", rows,
         code_rows, code_cols, scales, code_bytes(bits), to_string(model.scale));
  }
}

void decode_stages(const Model& model, MatrixView<const std::uint8_t> codes, std::span<const float> factors, int stages,
                   MatrixView<float> x) {
  model.staged->decode(codes, static_cast<std::size_t>(stages), x);
  for (std::size_t i = 0; i < x.rows; ++i) {
    if (factors[i] > 0) {
      simd::scale(x.row(i), factors[i]);
    } else {
      std::ranges::fill(x.row(i), 0.0F);  // not −0
    }
  }
}

/// No fit gives a model that leaves float32, but a file may hold any numbers. `begin`: of a call's rows.
void require_finite(MatrixView<const float> x, std::size_t begin) {
  for (std::size_t i = 0; i < x.rows; ++i) {
    if (!std::isfinite(simd::energy(x.row(i)))) {
      fail("row {} decodes to a value that is not finite: its norm, or a number of the model, is too large", begin + i);
    }
  }
}

void check_columns(const Model& model, std::size_t cols) {
  if (cols != model.dim()) fail("vectors of {} coordinates: the model wants {}", cols, model.dim());
}

/// The number of vectors of a range; makes the first of them the next one that the reader gives.
std::uint64_t rows_to_decode(CodeReader& reader, RowRange range) {
  const std::uint64_t count = reader.header().count;
  const std::uint64_t wanted = range.count == UINT64_MAX ? count - std::min(count, range.first) : range.count;
  if (range.first > count || wanted > count - range.first) {
    fail("{} has {} vectors, counted from 0: there are no {} from {} on", reader.path(), count, wanted, range.first);
  }
  if (wanted != count) reader.seek(range.first);
  return wanted;
}

}  // namespace

void check_codes(const Model& model, const CodeReader& reader) {
  const CodeHeader& header = reader.header();
  const std::uint64_t wanted = fingerprint(model);
  const std::vector<std::size_t> theirs = stages_of(header);
  const std::vector<std::size_t> ours = model.stage_bits();
  const bool prefix = theirs.size() <= ours.size() && std::equal(theirs.begin(), theirs.end(), ours.begin());
  if (header.fingerprint != wanted || header.dim != model.dim() || !prefix || header.scale != model.scale ||
      header.staged != (model.staged != nullptr)) {
    fail("{} was written by another model (fingerprint {:016x}, this model {:016x})", reader.path(), header.fingerprint,
         wanted);
  }
}

std::size_t chunk_rows(std::size_t dim) { return std::clamp<std::size_t>((std::size_t{1} << 23) / dim, 1, 8192); }

std::size_t rows_per_task(const Model& model) {
  const std::size_t most = model.staged ? 256 : 64;  // stages are products with matrices, which want many rows
  return std::clamp<std::size_t>((std::size_t{1} << 18) / model.dim(), 1, most);
}

std::size_t prefix_bits(const Model& model, int stages) {
  return model.staged && stages >= 1 && stages < model.depth() ? model.staged->bits(static_cast<std::size_t>(stages))
                                                               : model.bits();
}

std::vector<float> decoder_scales(const Model& model, std::span<const float> stored, std::size_t rows) {
  std::vector<float> scales(rows, static_cast<float>(model.unit));
  if (model.scale == ScaleKind::none) return scales;
  for (std::size_t i = 0; i < rows; ++i) {
    scales[i] = decoder_scale(model, stored[i]);
    if (!can_decode_with(scales[i])) fail("row {}: {} is not a scale to decode with", i, stored[i]);
  }
  return scales;
}

void check_dimension(const Model& model, const Source& source) {
  if (source.dim() != model.dim()) {
    fail("{} has {} coordinates per vector, the model wants {}", source.description(), source.dim(), model.dim());
  }
}

void encode_rows(const Model& model, MatrixView<const float> x, MatrixView<std::uint8_t> codes, std::span<float> scales,
                 const RunOptions& options) {
  check_columns(model, x.cols);
  check_shapes(model, model.bits(), x.rows, codes.rows, codes.cols, scales.size());
  const std::size_t rounds = options.search.value_or(model.search_rounds);
  check_search(model, rounds);
  const BlasThreads single(1);
  const std::size_t task = rounds > 0 ? rows_per_search(rounds) : rows_per_task(model);
  parallel_for(x.rows, task, options.threads, [&](std::size_t begin, std::size_t end) {
    const std::span<float> own = model.scale == ScaleKind::none ? scales : scales.subspan(begin, end - begin);
    encode_block(model, x.row_range(begin, end - begin), begin, rounds, codes.row_range(begin, end - begin), own);
  });
  if (options.progress) options.progress(x.rows, x.rows);
}

void decode_rows(const Model& model, MatrixView<const std::uint8_t> codes, std::span<const float> scales, int layers,
                 MatrixView<float> x, const RunOptions& options) {
  if (!model.can_decode()) fail("the model has no decoder");
  check_columns(model, x.cols);
  if (model.staged && layers < 0) layers = model.depth();
  if (model.staged && (layers < 1 || layers > model.depth())) {
    fail("the model has stages 1 to {}, not {}", model.depth(), layers);
  }
  const bool whole = codes.cols == code_bytes(model.bits());
  check_shapes(model, whole ? model.bits() : prefix_bits(model, layers), x.rows, codes.rows, codes.cols, scales.size());
  const std::vector<float> factors = decoder_scales(model, scales, x.rows);
  const BlasThreads single(1);
  parallel_for(x.rows, rows_per_task(model), options.threads, [&](std::size_t begin, std::size_t end) {
    const MatrixView<float> rows = x.row_range(begin, end - begin);
    const MatrixView<const std::uint8_t> own = codes.row_range(begin, end - begin);
    if (model.staged) {
      decode_stages(model, own, std::span(factors).subspan(begin, end - begin), layers, rows);
    } else {
      model.network->decode(own, std::span(factors).subspan(begin, end - begin), layers, rows);
    }
    inverse(model.transform, rows);
    require_finite(rows, begin);
  });
  if (options.progress) options.progress(x.rows, x.rows);
}

std::uint64_t encode_file(const Model& model, Source& source, const std::string& path, const RunOptions& options) {
  check_dimension(model, source);
  AtomicFile file(path);
  return encode_file(model, source, file, options);
}

std::uint64_t encode_file(const Model& model, Source& source, Output& out, const RunOptions& options) {
  check_dimension(model, source);
  CodeHeader header;
  header.fingerprint = fingerprint(model);
  header.count = source.rows();
  header.dim = model.dim();
  header.bits = model.bits();
  header.staged = model.staged != nullptr;
  if (header.staged) header.stages = model.stage_bits();
  header.scale = model.scale;
  CodeWriter writer(out, header);

  Matrix<float> x(std::min<std::uint64_t>(chunk_rows(model.dim()), source.rows()), model.dim());
  Matrix<std::uint8_t> codes(x.rows(), code_bytes(model.bits()));
  std::vector<float> scales(model.scale == ScaleKind::none ? 0 : x.rows());
  std::uint64_t done = 0;
  source.rewind();
  for (std::size_t rows = source.read(x); rows > 0; rows = source.read(x)) {
    const MatrixView<std::uint8_t> block = codes.view().row_range(0, rows);
    const std::span<float> block_scales = std::span(scales).first(scales.empty() ? 0 : rows);
    try {
      encode_rows(model, x.view().row_range(0, rows), block, block_scales, {options.threads, {}, options.search});
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::invalid) throw;
      fail("{}, vectors from {} on: {}", source.description(), done, e.what());
    }
    writer.write(block, block_scales);
    done += rows;
    if (options.progress) options.progress(done, source.rows());
    throw_if_interrupted();
  }
  writer.commit();
  return done;
}

std::uint64_t decode_file(const Model& model, const std::string& codes, const std::string& path, int layers,
                          const RunOptions& options) {
  check_not_read("path", path, {codes});
  CodeReader reader(codes);
  check_codes(model, reader);
  AtomicFile file(path);
  return decode_file(model, reader, file, layers, {}, options);
}

std::uint64_t decode_file(const Model& model, CodeReader& codes, Output& out, int layers, RowRange range,
                          const RunOptions& options) {
  check_codes(model, codes);
  if (model.staged && layers == 0) fail("a staged code is decoded from 1 stage on");
  if (model.staged && layers > 0) codes.keep_stages(static_cast<std::size_t>(layers));
  if (model.staged) layers = static_cast<int>(stages_of(codes.header()).size());
  const std::uint64_t total = rows_to_decode(codes, range);
  NpyWriter writer(out, total, model.dim());
  Matrix<float> x(std::min<std::uint64_t>(chunk_rows(model.dim()), std::max<std::uint64_t>(1, total)), model.dim());
  std::uint64_t done = 0;
  for (CodeBlock block = codes.read_block(); block.rows > 0; block = codes.read_block()) {
    const std::size_t wanted = std::min<std::uint64_t>(block.rows, total - done);
    for (std::size_t begin = 0; begin < wanted; begin += x.rows()) {
      const std::size_t rows = std::min(x.rows(), wanted - begin);
      const MatrixView<float> decoded = x.view().row_range(0, rows);
      const std::span<const float> scales =
          block.scales.empty() ? std::span<const float>{} : std::span(block.scales).subspan(begin, rows);
      try {
        decode_rows(model, block.codes.view().row_range(begin, rows), scales, layers, decoded, {options.threads, {}});
      } catch (const Error& e) {
        if (e.kind() != ErrorKind::invalid) throw;
        fail("{}, vectors from {} on: {}", codes.path(), range.first + done, e.what());
      }
      writer.write(decoded);
      done += rows;
      if (options.progress) options.progress(done, total);
      throw_if_interrupted();
    }
    if (done == total) break;
  }
  writer.commit();
  return done;
}

}  // namespace signfold
