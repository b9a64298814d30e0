#include "signfold/encoder/encoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "signfold/encoder/dense.h"
#include "signfold/encoder/hadamard.h"
#include "signfold/encoder/mixed.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

constexpr std::size_t kMostCoordinates = (std::size_t{1} << 31) - 1;  // BLAS and the random choices count in 32 bits
constexpr std::size_t kMostEntries = std::size_t{1} << 48;
/// Every d bits are a block of their own, which takes memory however small d is.
constexpr std::size_t kMostBitsPerCoordinate = 4096;

template <class In, class Out>
void check_views(const char* what, const In& in, std::size_t in_cols, const Out& out, std::size_t out_cols) {
  if (in.cols == in_cols && out.cols == out_cols && in.rows == out.rows) return;
  fail("{}: {} x {} in and {} x {} out do not fit an encoder that needs k x {} in and k x {} out", what, in.rows,
       in.cols, out.rows, out.cols, in_cols, out_cols);
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// One kind of encoder that is known by its name alone.
struct Kind {
  const char* name;
  const char* argument;  ///< what stands behind the colon, or nullptr
  const char* help;
  EncoderPtr (*make)(EncoderShape shape, double argument, std::uint64_t seed);
};

constexpr std::array kKinds = {
    Kind{"hadamard", nullptr, "the fast rotation: any dimension and rate, O(d log d)",
         [](EncoderShape shape, double, std::uint64_t seed) { return make_hadamard(shape, seed); }},
    Kind{"haar", nullptr, "a uniformly random rotation, stored as a matrix",
         [](EncoderShape shape, double, std::uint64_t seed) { return make_haar(shape, seed); }},
    Kind{"identity", nullptr, "the coordinates themselves",
         [](EncoderShape shape, double, std::uint64_t seed) { return make_identity(shape, seed); }},
    Kind{"mixed", "M", "M times the identity plus sqrt(1-M^2) times a rotation, 0 <= M <= 1",
         [](EncoderShape shape, double m, std::uint64_t seed) { return make_mixed(shape, m, seed); }},
};

std::string spelling(const Kind& kind) {
  return kind.argument == nullptr ? kind.name : fmt::format("{}:{}", kind.name, kind.argument);
}

std::string known_names() {
  std::string names;
  for (const Kind& kind : kKinds) names += (names.empty() ? "" : ", ") + spelling(kind);
  return names;
}

}  // namespace

void check_shape(EncoderShape shape) {
  if (shape.dim == 0 || shape.bits == 0) {
    fail("encoder: {} dimensions and {} bits; both must be at least 1", shape.dim, shape.bits);
  }
  if (shape.dim > kMostCoordinates || shape.bits > kMostCoordinates || shape.bits > kMostEntries / shape.dim) {
    fail("encoder: {} dimensions and {} bits are too many; each must be below 2^31 and their product at most 2^48",
         shape.dim, shape.bits);
  }
}

EncoderShape shape_for_rate(std::size_t dim, double rate) {
  if (!std::isfinite(rate) || rate <= 0)
    fail("encoder: the rate {} must be a positive number of bits per dimension", rate);
  const double bits = std::max(1.0, std::round(rate * static_cast<double>(dim)));
  const bool countable = bits <= static_cast<double>(kMostCoordinates);
  const EncoderShape shape{.dim = dim, .bits = countable ? static_cast<std::size_t>(bits) : kMostCoordinates + 1};
  check_shape(shape);
  return shape;
}

Encoder::Encoder(EncoderShape shape, std::uint64_t seed) : shape_(shape), seed_(seed) { check_shape(shape); }

void Encoder::apply(MatrixView<const float> x, MatrixView<float> u) const {
  check_views("apply", x, dim(), u, bits());
  do_apply(x, u);
}

void Encoder::adjoint(MatrixView<const float> s, MatrixView<float> v) const {
  check_views("adjoint", s, bits(), v, dim());
  do_adjoint(s, v);
}

void Encoder::encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const {
  check_views("encode", x, dim(), codes, code_bytes(bits()));
  do_encode(x, codes);
}

std::vector<double> Encoder::spectrum() const {
  std::vector<double> values(bits(), 0.0);
  std::fill_n(values.begin(), std::min(bits(), dim()), std::max(1.0, shape_.rate()));
  return values;
}

void Encoder::do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const {
  constexpr std::size_t kRows = 32;
  Matrix<float> u(std::min(kRows, x.rows), bits());
  for (std::size_t begin = 0; begin < x.rows; begin += kRows) {
    const std::size_t count = std::min(kRows, x.rows - begin);
    do_apply(x.row_range(begin, count), u.view().row_range(0, count));
    for (std::size_t i = 0; i < count; ++i) simd::pack_signs(u.row(i), codes.row(begin + i));
  }
}

EncoderPtr make_encoder(const std::string& name, EncoderShape shape, std::uint64_t seed) {
  check_shape(shape);
  if (shape.bits > kMostBitsPerCoordinate * shape.dim) {
    fail("encoder: {} bits for {} dimensions are too many; at most {} for each", shape.bits, shape.dim,
         kMostBitsPerCoordinate);
  }
  const std::string_view text = name;
  const std::size_t colon = text.find(':');
  for (const Kind& kind : kKinds) {
    if (text.substr(0, colon) != kind.name) continue;
    if (kind.argument == nullptr && colon == std::string_view::npos) return kind.make(shape, 0, seed);
    if (kind.argument != nullptr && colon != std::string_view::npos) {
      if (const auto value = number(text.substr(colon + 1))) return kind.make(shape, *value, seed);
    }
    fail("encoder '{}': write it as {}", name, spelling(kind));
  }
  fail("unknown encoder '{}'; known are {}", name, known_names());
}

std::string encoder_help() {
  std::string help;
  for (const Kind& kind : kKinds) help += fmt::format("{:<17} {}\n", spelling(kind), kind.help);
  return help;
}

}  // namespace signfold
