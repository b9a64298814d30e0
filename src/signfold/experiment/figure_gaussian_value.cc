// Gradient descent with a linear decoder on sparse Gaussian vectors: the risk of a Gaussian source, whatever p.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "signfold/base/linalg.h"
#include "signfold/encoder/encoder.h"
#include "signfold/experiment/figures.h"
#include "signfold/training/population_descent.h"
#include "signfold/training/population_risk.h"

namespace signfold::experiment {
namespace {

Point point(double p, double rate, std::size_t dim, std::size_t steps) {
  const double size = static_cast<double>(dim) / 100;
  return {{{"prior", "sparse-gaussian"}, {"p", p}, {"rate", rate}, {"dim", dim}, {"steps", steps}, {"masks", 50}},
          0.5 + 1.5 * rate * rate * size * size * static_cast<double>(steps) / 150};
}

std::vector<Point> points(Effort effort) {
  const bool full = effort == Effort::full;
  const std::size_t dim = full ? 200 : 100;
  const std::size_t steps = full ? 200 : 150;
  std::vector<Point> out;
  for (const double p : full ? std::vector{0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0} : std::vector{0.1, 0.4, 1.0}) {
    out.push_back(point(p, 1, dim, steps));
  }
  for (const double rate : full ? std::vector{0.25, 0.5, 0.75, 1.25, 1.5, 2.0} : std::vector{0.5, 1.5}) {
    out.push_back(point(0.4, rate, dim, steps));
  }
  if (full) out.push_back(point(0.4, 1, dim, steps));
  for (const std::size_t other : full ? std::vector<std::size_t>{50, 100, 400} : std::vector<std::size_t>{50}) {
    out.push_back(point(0.1, 1, other, steps));
  }
  return out;
}

/// B Bᵀ, or for n > d BᵀB/r: the identity when B is as orthonormal as it can be.
Matrix<double> gram(const Matrix<double>& rows) {
  const bool wide = rows.rows() <= rows.cols();
  const std::size_t size = std::min(rows.rows(), rows.cols());
  const double scale = wide ? 1 : static_cast<double>(rows.cols()) / static_cast<double>(rows.rows());
  Matrix<double> out(size, size);
  gemm(!wide, wide, scale, rows, rows, 0, out.view());
  return out;
}

/// Root mean square of the entries off the diagonal.
double off_diagonal(const Matrix<double>& a) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) sum += i == j ? 0 : a(i, j) * a(i, j);
  }
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(1, a.rows() * (a.rows() - 1))));
}

Picture picture_of(const char* name, const Matrix<double>& a) {
  Picture picture{name, a.cols(), {}};
  for (const double v : a.values()) picture.values.push_back(std::round(1000 * static_cast<float>(std::abs(v))) / 1000);
  return picture;
}

void note(const PopulationState& state, PointResult& result) {
  constexpr std::size_t kEvery = 5;  // after the first steps, which change most
  if (state.step > 4 * kEvery && state.step % kEvery != 0) return;
  const Settings where = {{"step", state.step}};
  if (state.step > 0) result.measurements.push_back({"descent", where, state.risk, 0});
  result.measurements.push_back({"orthogonality", where, off_diagonal(gram(state.rows)), 0});
}

PointResult measure(const Settings& settings, const Context& context) {
  constexpr std::size_t kMeasuringMasks = 2000;
  const double p = settings.at("p");
  const EncoderShape shape = shape_for_rate(settings.at("dim"), settings.at("rate"));
  DescentOptions options;
  options.steps = settings.at("steps");
  options.masks = p == 1 ? 1 : settings.at("masks").get<std::size_t>();
  options.seed = context.seed;
  options.threads = context.threads;
  PopulationState state = start_descent(shape.bits, shape.dim, options);
  PointResult result;
  const bool pictured = settings.at("rate") == 1 && shape.dim <= 200 && p <= 0.1;
  if (pictured) result.pictures.push_back(picture_of("start", gram(state.rows)));
  note(state, result);
  descend(state, p, options, [&](const PopulationState& now) { note(now, result); });
  if (pictured) result.pictures.push_back(picture_of("end", gram(state.rows)));
  const RiskEstimate risk = measure_risk(state.rows, p, kMeasuringMasks, context.seed, context.threads);
  result.measurements.push_back({"risk", Settings::object(), risk.mean, risk.standard_error});
  return result;
}

/// What finite dimension adds to the risk of flat orthonormal rows; 0 for n > d, where there is no formula.
double excess_of_flat(const Laws& laws, const Settings& settings) {
  const EncoderShape shape = shape_for_rate(settings.at("dim"), settings.at("rate"));
  if (shape.bits > shape.dim) return 0;
  return laws.flat(shape.bits, shape.dim, settings.at("p")) - laws.flat(shape.bits, shape.dim, 1);
}

void predict(Table& table, const Laws& laws) {
  for (Row& row : table.rows) {
    if (row.quantity == "risk") row.prediction = laws.linear(row.settings.at("rate"));
    if (row.quantity == "orthogonality") row.prediction = 0;
  }
}

/// The measured risk less what finite dimension adds to that of the best known rows.
std::vector<Comparison> without_excess(const std::vector<Row>& rows, const Laws& laws,
                                       const std::vector<std::string>& keys) {
  std::vector<Comparison> out = comparisons(rows, keys);
  for (std::size_t i = 0; i < rows.size(); ++i) out[i].value -= excess_of_flat(laws, rows[i].settings);
  return out;
}

constexpr const char* kTheorem = "the paper, its theorem on gradient descent with a linear decoder";

std::vector<Verdict> verdicts(const Table& table, const Laws& laws, std::size_t dim) {
  const auto by_p = select(table, "risk", {{"rate", 1.0}, {"dim", dim}});
  const auto by_rate = select(table, "risk", {{"p", 0.4}, {"dim", dim}});
  std::vector<Verdict> out;
  out.push_back(compare(fmt::format("At r = 1 the risk is 1 − 2/π for every sparsity p (d = {}; the excess of finite "
                                    "dimension, known for flat rows, taken off)",
                                    dim),
                        kTheorem, without_excess(by_p, laws, {"p"}), {.relative = 0.02}));
  out.push_back(compare(fmt::format("At other rates it is that of a Gaussian source: 1 − 2r/π, and 1 − r/(r + π/2 − 1) "
                                    "for r > 1 (p = 0.4, d = {})",
                                    dim),
                        kTheorem, without_excess(by_rate, laws, {"rate"}), {.relative = 0.03}));
  std::vector<Comparison> start;
  for (const Row& row : select(table, "orthogonality", {{"rate", 1.0}, {"dim", dim}, {"step", 0}})) {
    const auto steps = select(table, "orthogonality", {{"rate", 1.0}, {"dim", dim}, {"p", row.settings.at("p")}});
    start.push_back({fmt::format("p = {}", row.settings.at("p").get<double>()), steps.back().value, 0, row.value / 20});
  }
  out.push_back(
      below("The rows become orthonormal: entries of BBᵀ off the diagonal fall below a twentieth of where independent "
            "rows start",
            kTheorem, start, 0));
  std::vector<Comparison> dims;
  for (const Row& row : select(table, "risk", {{"p", 0.1}, {"rate", 1.0}})) {
    dims.push_back({fmt::format("d = {}", row.settings.at("dim").get<int>()), row.value - laws.linear(1),
                    row.standard_error, excess_of_flat(laws, row.settings)});
  }
  out.push_back(
      compare("What is left above 1 − 2/π at p = 0.1 is finite dimension: it is that of flat orthonormal rows, about "
              "(1 − p)/(2πpd)",
              "docs/math.md section 3", dims, {.relative = 0.35}));
  return out;
}

Panel against_p(const Table& table, const Laws& laws, std::size_t dim) {
  Panel panel{"Trained linear decoder, r = 1", "share of nonzero coordinates p", "risk (1 = knowing nothing)", {}};
  panel.y_low = 0.3;
  panel.y_high = 0.45;
  panel.x_low = 0;
  panel.x_high = 1.02;
  panel.curves.push_back(curve_of("Gaussian value 1 − 2/π", Mark::line, colour::kRotation, 0, 1, 2,
                                  [&](double) { return laws.linear(1); }));
  panel.curves.push_back(curve_of(fmt::format("flat rows at d = {}", dim), Mark::dotted, colour::kRotation, 0.04, 1, 60,
                                  [&](double p) { return laws.flat(dim, dim, p); }));
  panel.curves.push_back(curve_of(fmt::format("gradient descent, d = {}", dim), Mark::points, colour::kTrained,
                                  select(table, "risk", {{"rate", 1.0}, {"dim", dim}}), "p"));
  return panel;
}

Panel against_rate(const Table& table, const Laws& laws, std::size_t dim) {
  Panel panel{"Trained linear decoder, p = 0.4", "rate r (bits per dimension)", "risk (1 = knowing nothing)", {}};
  panel.x_low = 0;
  panel.y_low = 0;
  panel.y_high = 1;
  panel.curves.push_back(curve_of("Gaussian value", Mark::line, colour::kRotation, 0.01, 2.2, 80, laws.linear));
  panel.curves.push_back(curve_of(fmt::format("gradient descent, d = {}", dim), Mark::points, colour::kTrained,
                                  select(table, "risk", {{"p", 0.4}, {"dim", dim}}), "rate"));
  return panel;
}

/// A family of traces against the step, one for each p.
Panel traces(const Table& table, std::size_t dim, const char* quantity, Panel panel) {
  const auto rows = select(table, quantity, {{"rate", 1.0}, {"dim", dim}});
  std::size_t k = 0;
  for (const auto& p : values_of(rows, "p")) {
    if (k == std::size(colour::kFamily)) break;
    panel.curves.push_back(curve_of(fmt::format("p = {}", p.get<double>()), Mark::trace, colour::kFamily[k++],
                                    select(table, quantity, {{"rate", 1.0}, {"dim", dim}, {"p", p}}), "step"));
  }
  return panel;
}

Findings findings(const Table& table, const Laws& laws) {
  const auto trained = select(table, "risk", {{"p", 1.0}});
  const std::size_t dim = trained.front().settings.at("dim");
  Findings out;
  out.verdicts = verdicts(table, laws, dim);
  out.panels = {against_p(table, laws, dim), against_rate(table, laws, dim)};
  Panel descent{"Gradient descent, r = 1", "step", "risk on the masks of the step", {}};
  descent.curves.push_back(curve_of("Gaussian value", Mark::line, colour::kRotation, 0,
                                    trained.front().settings.at("steps"), 2, [&](double) { return laws.linear(1); }));
  descent.y_low = 0.3;
  out.panels.push_back(traces(table, dim, "descent", descent));
  Panel distance{"Distance of BBᵀ from the identity", "step", "root mean square off the diagonal"};
  const double steps = trained.front().settings.at("steps");
  distance.curves = {curve_of("orthonormal rows", Mark::line, colour::kRotation, 0, steps, 2, [](double) { return 0; }),
                     curve_of("independent rows, 1/√d", Mark::dotted, colour::kRotation, 0, steps, 2,
                              [&](double) { return 1 / std::sqrt(static_cast<double>(dim)); })};
  out.panels.push_back(traces(table, dim, "orthogonality", distance));
  for (const PictureRow& row : table.pictures) {
    if (row.settings.at("dim") != dim || row.settings.at("p") != 0.1) continue;
    Panel panel{row.picture.name == "start" ? "|BBᵀ| at the start" : "|BBᵀ| after training, p = 0.1", "row", "row", {}};
    panel.picture = row.picture;
    out.panels.push_back(panel);
  }
  const auto sparse = select(table, "risk", {{"p", 0.1}, {"rate", 1.0}, {"dim", dim}}).front();
  out.paragraphs.emplace_back(fmt::format(
      "Riemannian gradient descent on the expected risk, with the best linear decoder for every step, from independent "
      "random rows. At p = 0.1 and d = {} it ends at {:.4f} ± {:.4f}, {:.1f} % above 1 − 2/π = {:.4f}. Flat "
      "orthonormal rows, all entries ±1/√d, are {:.1f} % above it at this d: the sign forgets how many coordinates of "
      "a vector are nonzero, and with p·d = {:.0f} of them on average that number varies. The excess falls like 1/d.",
      dim, sparse.value, sparse.standard_error, 100 * (sparse.value / laws.linear(1) - 1), laws.linear(1),
      100 * excess_of_flat(laws, sparse.settings) / laws.linear(1), 0.1 * static_cast<double>(dim)));
  return out;
}

}  // namespace

Figure gaussian_value_figure() {
  return {.name = "gaussian-value",
          .title = "Sparse Gaussian vectors, linear decoder: the Gaussian value",
          .paper =
              "Gradient descent on sparse Gaussian vectors with a linear decoder converges to orthonormal rows and to "
              "the risk of a Gaussian source without any sparsity: the linear decoder cannot see it.",
          .points = points,
          .measure = measure,
          .predict = predict,
          .findings = findings};
}

}  // namespace signfold::experiment
