#include "signfold/codec/choose_basis.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/codec/codec.h"
#include "signfold/transform/basis.h"

namespace signfold {
namespace {

constexpr std::size_t kMostHeldOut = 1000;
constexpr std::size_t kHeldOutShare = 5;          // at most one in five
constexpr std::size_t kLeastRows = 10;            // two held out: fewer have no standard error
constexpr std::size_t kMostPrincipalAxes = 4096;  // an eigen-decomposition costs d³: minutes above this
constexpr std::size_t kMostColours = 4;
constexpr double kEnough = 2;  // standard errors

/// "HxW", or "HxWxP" where P planes before them are colours; empty for vectors that are no images.
std::string image_sides(std::span<const std::size_t> item_shape) {
  std::vector<std::size_t> axes;
  std::ranges::copy_if(item_shape, std::back_inserter(axes), [](std::size_t n) { return n != 1; });
  if (axes.size() < 2) return {};
  const std::size_t height = axes[axes.size() - 2];
  const std::size_t width = axes.back();
  // A short last axis is that of colours, place by place: the separable bases know planes only.
  if (std::min(height, width) <= kMostColours) return {};
  const std::string sides = fmt::format("{}x{}", height, width);
  const std::size_t planes = axes.size() > 2 ? axes[axes.size() - 3] : 1;
  return planes > 1 && planes <= kMostColours ? fmt::format("{}x{}", sides, planes) : sides;
}

bool exists(const std::string& name, std::size_t dim) {
  try {
    make_basis(name, dim);
    return true;
  } catch (const Error&) {  // sides that are too large
    return false;
  }
}

/// Every row but the held-out ones, and those.
struct Split {
  std::vector<std::size_t> learned;
  std::vector<std::size_t> held_out;
};

Split split(std::size_t rows) {
  const std::size_t count = std::min(kMostHeldOut, rows / kHeldOutShare);
  Split parts;
  for (std::size_t i = 0; i < rows; ++i) {
    // The middle of every one of `count` equal runs of rows.
    const std::size_t next = (2 * parts.held_out.size() + 1) * rows / (2 * count);
    (i == next && parts.held_out.size() < count ? parts.held_out : parts.learned).push_back(i);
  }
  return parts;
}

Matrix<float> rows_of(MatrixView<const float> x, std::span<const std::size_t> which) {
  Matrix<float> out(which.size(), x.cols);
  for (std::size_t i = 0; i < which.size(); ++i) std::ranges::copy(x.row(which[i]), out.row(i).begin());
  return out;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    const double difference = static_cast<double>(a[j]) - b[j];
    sum += difference * difference;
  }
  return sum;
}

/// ‖x − x̂‖² of every row.
std::vector<double> squared_errors(const Model& model, MatrixView<const float> x, int threads) {
  Matrix<std::uint8_t> codes(x.rows, code_bytes(model.bits()));
  std::vector<float> scales(model.scale == ScaleKind::none ? 0 : x.rows);
  Matrix<float> decoded(x.rows, x.cols);
  encode_rows(model, x, codes, scales, {threads, {}});
  decode_rows(model, codes, scales, -1, decoded, {threads, {}});
  std::vector<double> errors(x.rows);
  for (std::size_t i = 0; i < x.rows; ++i) errors[i] = squared_distance(x.row(i), decoded.row(i));
  return errors;
}

/// ‖x − mean‖² of every row.
std::vector<double> energies(const Model& model, MatrixView<const float> x) {
  std::vector<float> mean(model.reference_mean().begin(), model.reference_mean().end());
  mean.resize(x.cols);
  std::vector<double> out(x.rows);
  for (std::size_t i = 0; i < x.rows; ++i) out[i] = squared_distance(x.row(i), mean);
  return out;
}

double sum(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// Standard error of Σ(a − b)/Σq over independent triples, by the delta method.
double paired_error(std::span<const double> a, std::span<const double> b, std::span<const double> q) {
  const auto count = static_cast<double>(q.size());
  const double total = sum(q);
  const double ratio = (sum(a) - sum(b)) / total;
  double residual = 0;
  for (std::size_t i = 0; i < q.size(); ++i) residual += std::pow(a[i] - b[i] - ratio * q[i], 2);
  return std::sqrt(residual * count / (count - 1)) / total;
}

}  // namespace

std::vector<std::string> candidate_bases(std::span<const std::size_t> item_shape, std::size_t dim) {
  std::vector<std::string> names = {"identity"};
  const std::string sides = image_sides(item_shape);
  for (const char* kind : {"dct2:", "wavelet2:"}) {
    if (!sides.empty() && exists(kind + sides, dim)) names.push_back(kind + sides);
  }
  if (dim > 1 && dim <= kMostPrincipalAxes) names.emplace_back("pca");
  return names;
}

BasisChoice choose_basis(MatrixView<const float> rows, std::span<const std::string> candidates, int threads,
                         const FitInBasis& fit) {
  if (rows.rows < kLeastRows) {
    fail("comparing bases needs at least {} vectors; there are {}: name the basis", kLeastRows, rows.rows);
  }
  const Split parts = split(rows.rows);
  const Matrix<float> held_out = rows_of(rows, parts.held_out);
  std::vector<std::vector<double>> errors;
  std::vector<double> energy;
  for (const std::string& basis : candidates) {
    throw_if_interrupted();
    Matrix<float> learned = rows_of(rows, parts.learned);
    const Model model = fit(basis, learned);
    errors.push_back(squared_errors(model, held_out, threads));
    energy = energies(model, held_out);
  }
  const double total = sum(energy);
  if (!(total > 0)) fail("comparing bases: every held-out vector equals the mean of the others: name the basis");
  const auto least = std::ranges::min_element(errors, {}, [](const auto& e) { return sum(e); });
  BasisChoice choice;
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    choice.compared.push_back({candidates[k], sum(errors[k]) / total, paired_error(errors[k], *least, energy)});
    const BasisRisk& risk = choice.compared.back();
    const bool good = risk.risk <= sum(*least) / total + kEnough * risk.excess_error;
    if (choice.basis.empty() && good) choice.basis = risk.basis;
  }
  return choice;
}

std::string to_string(const BasisChoice& choice) {
  std::string text;
  for (const BasisRisk& risk : choice.compared) {
    text += fmt::format("{}{} {:.4f}", text.empty() ? "" : ", ", risk.basis, risk.risk);
  }
  return text;
}

}  // namespace signfold
