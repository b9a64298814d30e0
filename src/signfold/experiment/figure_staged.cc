// Codes in stages: risk against rate, beside one stage at the same rate and Shannon's limit.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"
#include "signfold/codec/rotated.h"
#include "signfold/experiment/figures.h"
#include "signfold/experiment/simulate.h"

namespace signfold::experiment {
namespace {

constexpr std::size_t kDim = 1024;
constexpr double kSmall =
    0.05;  // smaller risks are above their limit of many coordinates by a larger part of themselves

struct Family {
  double p;
  const char* title;
  int rotations;  ///< how many there are: the largest rate
};
constexpr std::array kFamilies = {Family{1.0, "Gaussian", 4}, Family{0.3, "Sparse Gaussian, p = 0.3", 2},
                                  Family{0.1, "Sparse Gaussian, p = 0.1", 1}};
constexpr std::array kParts = {1, 4, 8};  // stages of one rotation

std::vector<Point> points(Effort effort) {
  const std::size_t vectors = effort == Effort::full ? 4000 : 400;
  std::vector<Point> out;
  for (const Family& family : kFamilies) {
    for (const int parts : kParts) {
      const int stages = parts * family.rotations;
      out.push_back({{{"prior", "sparse-gaussian"},
                      {"p", family.p},
                      {"parts", parts},
                      {"stages", stages},
                      {"most", family.rotations},
                      {"dim", kDim},
                      {"vectors", vectors}},
                     2e-5 * static_cast<double>(vectors) * stages * stages});
    }
  }
  return out;
}

PointResult measure(const Settings& settings, const Context& context) {
  const PriorPtr prior = prior_of(settings);
  FitOptions options;
  options.rate = settings.at("most");
  options.encoder = fmt::format("rotated:{}", settings.at("stages").get<int>());
  options.scale = ScaleKind::f32;
  options.seed = context.seed;
  const Model model = model_for_prior(prior, kDim, options);
  const auto source = synthetic_source(prior, settings.at("vectors"), kDim, context.seed, Norms::equal);
  const Evaluation evaluation = evaluate(model, *source, {context.threads, {}});
  PointResult result;
  for (std::size_t s = 0; s < evaluation.prefixes.size(); ++s) {
    const double rate = static_cast<double>(model.staged->bits(s + 1)) / kDim;
    result.measurements.push_back(
        {"risk", {{"stage", s + 1}, {"rate", rate}}, evaluation.prefixes[s].measured, evaluation.prefixes[s].stderr_});
  }
  return result;
}

void predict(Table& table, const Laws& laws) {
  for (Row& row : table.rows) {
    if (row.quantity != "risk") continue;
    const std::vector<double> risks =
        laws.staged(prior_of(row.settings), row.settings.at("most"), row.settings.at("stages"));
    row.prediction = risks.at(row.settings.at("stage").get<std::size_t>() - 1);
  }
}

PriorPtr prior(const Family& family) { return prior_of({{"prior", "sparse-gaussian"}, {"p", family.p}}); }

Panel panel_of(const Table& table, const Laws& laws, const Family& family) {
  Panel panel{family.title, "rate r (bits per dimension)", "risk (1 = knowing nothing)", {}};
  panel.log_y = true;
  panel.x_low = 0;
  panel.x_high = family.rotations + 0.1;
  panel.y_low = 2e-3;  // Shannon's limit is computed to 1e-3
  panel.y_high = 1;
  const PriorPtr law = prior(family);
  const double most = family.rotations;
  panel.curves = {curve_of("one stage, linear", Mark::line, colour::kRotation, 0.1, most, 41,
                           [&](double r) { return laws.linear(r); }),
                  curve_of("one stage, Bayes", Mark::dashed, colour::kBayes, 0.1, most, 41,
                           [&](double r) { return laws.bayes(law, r); }),
                  curve_of("Shannon, any bits", Mark::dotted, colour::kShannon, 0.1, most, 16,
                           [&](double r) { return laws.shannon(law, r); })};
  constexpr const char* kHues[] = {colour::kLayers, colour::kDenoiser, colour::kTrained};
  for (std::size_t k = 0; k < kParts.size(); ++k) {
    const auto rows = select(table, "risk", {{"p", family.p}, {"parts", kParts[k]}});
    Curve theory{"", Mark::line, kHues[k], {}};
    for (const Row& row : rows) theory.points.push_back({row.settings.at("rate").get<double>(), *row.prediction});
    panel.curves.push_back(theory);
    panel.curves.push_back(
        curve_of(kParts[k] == 1 ? "a stage per rotation" : fmt::format("{} stages per rotation", kParts[k]),
                 Mark::points, kHues[k], rows, "rate"));
  }
  return panel;
}

/// The last stages at a rate, of as many stages per rotation.
Row last_at(const Table& table, double p, int parts, double rate) {
  for (const Row& row : select(table, "risk", {{"p", p}, {"parts", parts}})) {
    if (std::abs(row.settings.at("rate").get<double>() - rate) < 1e-9) return row;
  }
  fail("figure staged: no stage ends at rate {} with p = {}", rate, p);
}

std::vector<Verdict> verdicts(const Table& table, const Laws& laws) {
  constexpr const char* kSource = "docs/math.md section 13";
  std::vector<Row> predicted;
  for (const Row& row : select(table, "risk")) {
    if (*row.prediction > kSmall) predicted.push_back(row);
  }
  std::vector<Comparison> gains;
  for (const Family& family : kFamilies) {
    const double rate = family.rotations;
    const Row row = last_at(table, family.p, kParts.back(), rate);
    gains.push_back({family.title, row.value, row.standard_error, 0.5 * laws.bayes(prior(family), rate)});
  }
  std::vector<Comparison> whole;
  for (const int parts : kParts) {
    const Row row = last_at(table, 1.0, parts, 1);
    whole.push_back({fmt::format("{} stages", parts), row.value, row.standard_error, laws.linear(1)});
  }
  return {compare(fmt::format("State evolution with thresholds gives the risk of every stage (d = {}, risks above 5 %)",
                              kDim),
                  kSource, comparisons(predicted, {"p", "parts", "stage"}), {.relative = 0.08}),
          below("Stages end below half the Bayes limit of as many bits of one stage", kSource, gains),
          compare("One rotation in stages tells a Gaussian source what it tells at once", kSource, whole,
                  {.relative = 0.01})};
}

Findings findings(const Table& table, const Laws& laws) {
  Findings out;
  out.verdicts = verdicts(table, laws);
  for (const Family& family : kFamilies) out.panels.push_back(panel_of(table, laws, family));
  const Row two = last_at(table, 0.3, kParts.back(), 2);
  const Row four = last_at(table, 1.0, 1, 4);
  out.paragraphs.emplace_back(
      fmt::format("Points: fast rotations, nothing trained; lines through them: state evolution. A later sign compares "
                  "a coordinate of "
                  "the rotated vector with what the earlier ones have told of it, so that it never asks what is known. "
                  "At two bits per "
                  "coordinate of sparse Gaussian vectors, p = 0.3, the risk is {:.4f}, where the Bayes limit of one "
                  "stage is {:.4f}; at "
                  "four bits of Gaussian vectors {:.4f}, where it is {:.4f}.",
                  two.value, laws.bayes(prior(kFamilies[1]), 2), four.value, laws.bayes(prior(kFamilies[0]), 4)));
  out.paragraphs.emplace_back(
      "Small risks of sparse vectors are above the lines: these are for many coordinates. The price is at the encoder, "
      "which has to run the decoder of every stage but the last. Codes whose projections "
      "are trained in stages, for data without a law, are in figure mnist and in the README.");
  return out;
}

}  // namespace

Figure staged_figure() {
  return {
      .name = "staged",
      .title = "Codes in stages",
      .paper =
          "Nothing: the paper's encoder has one layer, and its error falls like 1/r. Keeping the bits in stages, each "
          "of which knows the ones before, is an extension.",
      .points = points,
      .measure = measure,
      .predict = predict,
      .findings = findings};
}

}  // namespace signfold::experiment
