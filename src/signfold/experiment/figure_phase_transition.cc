// Straight-through training on sparse Rademacher vectors: from rotation to identity, with a mix of both between.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "signfold/codec/train.h"
#include "signfold/encoder/dense.h"
#include "signfold/experiment/figures.h"
#include "signfold/experiment/simulate.h"

namespace signfold::experiment {
namespace {

const double kTransition = 2 / std::numbers::pi;  // of the paper: where identity and rotation are equal

/// Trained as well as we can: the row of the figure against p.
Point trained(double p, std::size_t dim, std::size_t steps) {
  const double size = static_cast<double>(dim) / 100;
  return {{{"prior", "sparse-rademacher"},
           {"p", p},
           {"rate", 1.0},
           {"dim", dim},
           {"steps", steps},
           {"optimizer", "adam"},
           {"start", "haar"},
           {"rows", "orthonormal"}},
          1.6 * size * size * static_cast<double>(steps) / 2000};
}

/// Plain stochastic gradient descent from independent rows, as in the paper: its path is the point.
Point path(double p, std::size_t dim, std::size_t steps) {
  const double size = static_cast<double>(dim) / 100;
  return {{{"prior", "sparse-rademacher"},
           {"p", p},
           {"rate", 1.0},
           {"dim", dim},
           {"steps", steps},
           {"optimizer", "sgd"},
           {"start", "random"},
           {"rows", "none"}},
          2.5 * size * size * static_cast<double>(steps) / 4000};
}

std::vector<Point> points(Effort effort) {
  std::vector<Point> out;
  if (effort == Effort::quick) {
    for (const double p : {0.3, 0.5, 0.7, 0.8, 0.9}) out.push_back(trained(p, 100, 2200));
    for (const double p : {0.3, 0.9}) out.push_back(path(p, 100, 2200));
    return out;
  }
  for (const double p : {0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95}) {
    out.push_back(trained(p, 200, 6000));
  }
  for (const double p : {0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}) out.push_back(trained(p, 100, 6000));
  for (const double p : {0.3, 0.6, 0.7, 0.8, 0.9}) out.push_back(path(p, 100, 8000));
  return out;
}

/// |B| with its rows in the order of the column where each is largest: a permutation shows as a diagonal.
Picture picture_of(MatrixView<const float> b) {
  const auto largest = [&](std::size_t i) {
    const auto row = b.row(i);
    return std::ranges::max_element(row, {}, [](float v) { return std::abs(v); }) - row.begin();
  };
  std::vector<std::size_t> order(b.rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, largest);
  Picture picture{"encoder", b.cols, {}};
  for (const std::size_t i : order) {
    for (const float v : b.row(i)) picture.values.push_back(std::round(1000 * std::abs(v)) / 1000);
  }
  return picture;
}

PointResult measure(const Settings& settings, const Context& context) {
  TrainRequest request;
  request.prior = prior_of(settings);
  request.dim = settings.at("dim");
  request.rate = settings.at("rate");
  request.steps = settings.at("steps").get<std::size_t>();
  request.optimizer = parse_optimizer(settings.at("optimizer"));
  request.start = settings.at("start");
  request.rows = parse_row_constraint(settings.at("rows"));
  const bool plain = request.optimizer == OptimizerKind::sgd;
  if (plain) {
    request.decay = Decay::constant;
    request.tau = 1;
  }
  request.seed = context.seed;
  request.threads = context.threads;
  const Trained done = train(request);
  const Settings none = Settings::object();
  PointResult result;
  result.measurements = {{"risk", none, done.report.risk, done.report.stderr_},
                         {"diagonal weight", none, done.report.shape.diagonal_weight, 0},
                         {"orthogonality", none, done.report.shape.orthogonality, 0}};
  for (const auto& [step, risk] : done.report.history) {
    result.measurements.push_back({"path", {{"step", step}}, risk, 0});
  }
  if (!plain) result.pictures.push_back(picture_of(dense_matrix(*done.model.encoder)));
  return result;
}

void predict(Table& table, const Laws& laws) {
  for (Row& row : table.rows) {
    if (row.settings.at("optimizer") == "sgd") continue;
    const MixedOptimum best = laws.best_mix(*prior_of(row.settings), row.settings.at("rate"));
    if (row.quantity == "risk") row.prediction = best.risk;
    if (row.quantity == "diagonal weight") row.prediction = best.m;
  }
}

PriorPtr rademacher(double p) { return prior_of({{"prior", "sparse-rademacher"}, {"p", p}}); }

double identity(const Laws& laws, double p) { return laws.mixed(*rademacher(p), 1, 1); }

std::string label(const Row& row) {
  return fmt::format("p = {}, d = {}", row.settings.at("p").get<double>(), row.settings.at("dim").get<int>());
}

/// Compares with the nearest number of an interval.
Comparison within(const Row& row, double low, double high) {
  return {label(row), row.value, row.standard_error, std::clamp(row.value, low, high)};
}

std::vector<Verdict> verdicts(const Table& table, const Laws& laws) {
  constexpr const char* kPaper = "the paper, its phase transition of sparse Rademacher vectors";
  constexpr const char* kMixed = "beyond the paper: docs/math.md section 4";
  std::vector<Comparison> rotation;
  std::vector<Comparison> permutation;
  std::vector<Comparison> better;
  std::vector<Comparison> mixes;
  for (const Row& row : select(table, "risk", {{"optimizer", "adam"}})) {
    const double p = row.settings.at("p");
    Comparison c{label(row), row.value, row.standard_error, laws.linear(1)};
    if (p <= 1.0 / 3) rotation.push_back(c);
    c.claimed = identity(laws, p);
    if (p > kTransition) permutation.push_back(c);
    c.claimed = std::min(c.claimed, laws.linear(1));
    if (p >= 0.5) better.push_back(c);
    mixes.push_back(within(row, laws.best_pairs(*rademacher(p), 1).mix.risk, laws.best_mix(*rademacher(p), 1).risk));
  }
  std::vector<Row> heavy;  // a smaller m is hard to tell from the largest of many small entries
  for (const Row& row : select(table, "diagonal weight", {{"optimizer", "adam"}})) {
    if (row.settings.at("p").get<double>() >= 0.5) heavy.push_back(row);
  }
  return {
      compare("Sparse vectors, p ≤ 1/3: gradient descent finds a rotation, risk 1 − 2/π", kPaper, rotation),
      compare("Dense vectors, p > 2/π: it finds the identity up to a permutation, risk 1 − p", kPaper, permutation,
              {.relative = 0.03}),
      below("From p = 1/2 on it does better than both, rotation and identity", kMixed, better),
      compare("For every p it finds a mix of the two: its risk lies between 1 − ψ(m*)² of the best mix and that of the "
              "best mix of rotated pairs",
              kMixed, mixes),
      compare("The weight of a bit on its own coordinate is m*, from p = 1/2 on, where m* is above 0.8", kMixed,
              comparisons(heavy, {"p", "dim"}), {.relative = 0.05})};
}

/// One set of points per dimension.
std::vector<Curve> trained_curves(const Table& table, const char* quantity) {
  const auto rows = select(table, quantity, {{"optimizer", "adam"}});
  std::vector<Curve> curves;
  for (const auto& dim : values_of(rows, "dim")) {
    const bool small = dim == 100;
    curves.push_back(curve_of(fmt::format("trained, d = {}", dim.get<int>()), small ? Mark::hollow : Mark::points,
                              small ? colour::kBayes : colour::kLayers,
                              select(table, quantity, {{"optimizer", "adam"}, {"dim", dim}}), "p"));
  }
  return curves;
}

Panel against_p(const Table& table, const Laws& laws) {
  Panel panel{"Sparse Rademacher vectors, r = 1", "share of nonzero coordinates p", "risk (1 = knowing nothing)"};
  panel.x_low = 0;
  panel.x_high = 1;
  panel.y_low = 0;
  panel.y_high = 0.5;
  panel.curves = {
      curve_of("rotation, 1 − 2/π", Mark::line, colour::kRotation, 0, 1, 2, [&](double) { return laws.linear(1); }),
      curve_of("identity, 1 − p", Mark::dashed, colour::kIdentity, 0.01, 1, 100,
               [&](double p) { return identity(laws, p); }),
      curve_of("best mix, 1 − ψ(m*)²", Mark::line, colour::kMixed, 0.02, 1, 99,
               [&](double p) { return laws.best_mix(*rademacher(p), 1).risk; }),
      curve_of("mix of rotated pairs", Mark::dotted, colour::kMixed, 0.3, 1, 71,
               [&](double p) { return laws.best_pairs(*rademacher(p), 1).mix.risk; })};
  for (Curve& curve : trained_curves(table, "risk")) panel.curves.push_back(std::move(curve));
  return panel;
}

Panel weights(const Table& table, const Laws& laws) {
  Panel panel{
      "Weight of a bit on one coordinate", "share of nonzero coordinates p", "median over rows of max |B_ij|", {}};
  panel.x_low = 0;
  panel.x_high = 1;
  panel.y_low = 0;
  panel.y_high = 1.05;
  panel.curves = {curve_of("m* of the best mix", Mark::line, colour::kMixed, 0.02, 1, 197,
                           [&](double p) { return laws.best_mix(*rademacher(p), 1).m; })};
  for (Curve& curve : trained_curves(table, "diagonal weight")) panel.curves.push_back(std::move(curve));
  return panel;
}

Panel paths(const Table& table, const Laws& laws) {
  const auto rows = select(table, "path", {{"optimizer", "sgd"}});
  const double steps = rows.front().settings.at("steps");
  Panel panel{"Plain SGD from independent rows", "step", "risk (1 = knowing nothing)"};
  panel.y_low = 0;
  panel.y_high = 0.65;
  panel.curves.push_back(
      curve_of("rotation", Mark::line, colour::kRotation, 0, steps, 2, [&](double) { return laws.linear(1); }));
  std::size_t k = 0;
  for (const auto& p : values_of(rows, "p")) {
    const char* hue = colour::kFamily[k++ % std::size(colour::kFamily)];
    panel.curves.push_back(curve_of(fmt::format("p = {}", p.get<double>()), Mark::trace, hue,
                                    select(table, "path", {{"optimizer", "sgd"}, {"p", p}}), "step"));
    panel.curves.push_back(curve_of(k == 1 ? "rotation or identity" : "", Mark::dotted, hue, 0, steps, 2,
                                    [&](double) { return std::min(laws.linear(1), identity(laws, p)); }));
  }
  return panel;
}

Findings findings(const Table& table, const Laws& laws) {
  Findings out;
  out.verdicts = verdicts(table, laws);
  out.panels = {against_p(table, laws), weights(table, laws), paths(table, laws)};
  const auto risks = select(table, "risk", {{"optimizer", "adam"}});
  for (const double p : {0.3, 0.6, 0.8}) {
    for (const PictureRow& row : table.pictures) {
      if (row.settings.at("p") != p || row.settings.at("dim") != risks.back().settings.at("dim")) continue;
      Panel panel{fmt::format("|B| after training, p = {}", p), "coordinate", "bit (sorted)"};
      panel.picture = row.picture;
      out.panels.push_back(panel);
    }
  }
  std::string trained;
  for (const Row& row : select(table, "risk", {{"optimizer", "adam"}, {"p", 0.7}})) {
    trained += fmt::format("{}{:.4f} ± {:.4f} at d = {}", trained.empty() ? "" : ", ", row.value, row.standard_error,
                           row.settings.at("dim").get<int>());
  }
  const PairOptimum pairs = laws.best_pairs(*rademacher(0.7), 1);
  out.paragraphs.emplace_back(fmt::format(
      "The change from rotation to identity is there, but it is not a jump at p = 2/π. As soon as E x⁴ < 3, here from "
      "p = 1/3 on, it pays that every bit puts a weight m on one coordinate and spreads the rest, and the best m grows "
      "from 0 to 1. At p = 0.7 training reaches {}; the identity has {:.4f}, the rotation {:.4f}, the best mix {:.4f}.",
      trained, identity(laws, 0.7), laws.linear(1), laws.best_mix(*rademacher(0.7), 1).risk));
  out.paragraphs.emplace_back(fmt::format(
      "The best mix is not the best encoder either: bits that watch two coordinates each, rotated by an angle θ, and "
      "spread only the rest, have {:.4f} at p = 0.7 (θ = {:.0f}°, dotted line). Training in low dimension finds such "
      "pairs: they are the grey dots off the diagonal in the pictures of |B|.",
      pairs.mix.risk, pairs.angle * 180 / std::numbers::pi));
  out.paragraphs.emplace_back(
      "Plain SGD from independent rows, which are not kept orthonormal, shows the plateaus and drops of the paper: it "
      "waits at the rotation's risk, then bits snap to coordinates one after the other; where two bits share a "
      "coordinate it stays above the best mix. Dotted there: the better of rotation and identity. All other points: "
      "Adam, rows kept orthonormal, started from a random rotation.");
  return out;
}

}  // namespace

Figure phase_transition_figure() {
  return {.name = "phase-transition",
          .title = "Sparse Rademacher vectors: from rotation to identity",
          .paper =
              "With a linear decoder the encoder found by gradient descent is a random rotation for sparse vectors and "
              "the identity up to a permutation for dense ones; the critical p is where both have the same risk, 2/π "
              "for sparse Rademacher vectors.",
          .points = points,
          .measure = measure,
          .predict = predict,
          .findings = findings};
}

}  // namespace signfold::experiment
