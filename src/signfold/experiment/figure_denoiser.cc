// A denoiser after the linear decoder: what a pointwise function gains on sparse vectors.
#include <fmt/format.h>

#include "signfold/codec/fit_unrolled.h"
#include "signfold/experiment/figures.h"
#include "signfold/experiment/simulate.h"

namespace signfold::experiment {
namespace {

constexpr double kSparse = 0.2;  // p of the panels against the rate

Point point(const char* prior, double p, double rate, std::size_t dim, std::size_t vectors) {
  return {{{"prior", prior},
           {"p", p},
           {"rate", rate},
           {"dim", dim},
           {"encoder", "hadamard"},
           {"layers", 1},
           {"norm", "stored"},
           {"encoders", 4},
           {"vectors", vectors}},
          0.3 * static_cast<double>(dim * vectors) / 4e5};
}

/// Vectors of a law that training is not told.
Point trained_point(const char* prior, double p, double rate, bool full) {
  return {{{"prior", prior},
           {"p", p},
           {"rate", rate},
           {"dim", 256},
           {"kind", "trained"},
           {"steps", full ? 600 : 400},
           {"vectors", full ? 20000 : 8000}},
          1 + 2 * rate};
}

std::vector<Point> points(Effort effort) {
  const bool full = effort == Effort::full;
  const std::size_t dim = full ? 4096 : 2048;
  const std::size_t vectors = full ? 500 : 100;
  std::vector<Point> out;
  for (const char* prior : {"sparse-gaussian", "sparse-laplace"}) {
    for (const double p : full ? std::vector{0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}
                               : std::vector{0.05, 0.1, 0.2, 0.4, 0.7, 1.0}) {
      out.push_back(point(prior, p, 1, dim, vectors));
    }
    for (const double rate :
         full ? std::vector{0.125, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0} : std::vector{0.25, 0.5, 1.5, 2.0}) {
      out.push_back(point(prior, kSparse, rate, dim, vectors));
    }
    for (const double p : full ? std::vector{0.05, 0.1, 0.2, 0.4, 0.7} : std::vector{0.1, 0.4}) {
      out.push_back(trained_point(prior, p, 1, full));
    }
    for (const double rate : full ? std::vector{0.25, 0.5, 1.5, 2.0} : std::vector{0.5}) {
      out.push_back(trained_point(prior, kSparse, rate, full));
    }
  }
  return out;
}

PriorPtr prior(const char* family, double p) { return prior_of({{"prior", family}, {"p", p}}); }

/// A denoiser that has seen vectors and their codes and knows no law: one layer whose posterior mean starts as that of
/// a Gaussian, a straight line, and becomes what a spline can make of it.
PointResult measure_trained(const Settings& settings, const Context& context) {
  const PriorPtr law = prior(settings.at("prior").get<std::string>().c_str(), settings.at("p"));
  const std::size_t dim = settings.at("dim");
  Matrix<float> rows(settings.at("vectors"), dim);
  std::vector<double> weights(rows.rows());
  draw_from_prior(law, context.seed, true)(0, rows, weights);
  UnrolledFitOptions options;
  options.layers = 1;
  options.training.splines = true;
  options.training.knots = 80;
  options.training.reach = 10;
  options.training.step_size = 0.03;
  options.training.steps = settings.at("steps");
  options.seed = context.seed;
  options.threads = context.threads;
  const EncoderPtr encoder = make_encoder("hadamard", shape_for_rate(dim, settings.at("rate")), context.seed);
  const UnrolledFit fit =
      fit_unrolled(*encoder, *make_basis("identity", dim), iid_prior(parse_prior("gaussian")), rows, weights, options);
  return {{{"trained risk", Settings::object(), fit.trained, fit.trained_stderr},
           {"untrained risk", Settings::object(), fit.untrained, 0}},
          {}};
}

PointResult measure(const Settings& settings, const Context& context) {
  return settings.contains("kind") ? measure_trained(settings, context) : measure_layers(settings, context);
}

void predict(Table& table, const Laws& laws) {
  predict_layers(table, laws);
  for (Row& row : table.rows) {
    const double rate = row.settings.at("rate");
    if (row.quantity == "trained risk") row.prediction = laws.layers(prior_of(row.settings), rate, 1).back();
    if (row.quantity == "untrained risk") row.prediction = laws.linear(rate);
  }
}

std::vector<Verdict> verdicts(const Table& table, const Laws& laws) {
  const auto linear = select(table, "risk", {{"layer", 0}});
  const auto denoised = select(table, "risk", {{"layer", 1}});
  std::vector<Comparison> gain;
  for (const Row& row : denoised) {
    const double p = row.settings.at("p");
    if (p > 0.7) continue;  // a dense Gaussian has nothing to gain
    gain.push_back({fmt::format("{}, p = {}, r = {}", row.settings.at("prior").get<std::string>(), p,
                                row.settings.at("rate").get<double>()),
                    row.value, row.standard_error, laws.linear(row.settings.at("rate"))});
  }
  constexpr const char* kPaper = "the paper, its section on denoising the output of a linear decoder";
  const std::vector<std::string> keys = {"prior", "p", "rate"};
  return {compare("The linear decoder of a rotation has the Gaussian value, whatever the prior", kPaper,
                  comparisons(linear, keys), {.relative = 0.01}),
          compare("The denoiser f*(Bᵀz) has the risk of the posterior mean of a scalar Gaussian channel", kPaper,
                  comparisons(denoised, keys), {.relative = 0.02}),
          compare("A trained denoiser that is not told the law comes to the same risk (d = 256)", kPaper,
                  comparisons(select(table, "trained risk"), keys), {.relative = 0.05}),
          below("The denoiser is below the Gaussian value for all sparse vectors, p ≤ 0.7", kPaper, gain)};
}

Panel against_p(const Table& table, const Laws& laws, const char* family, const char* title) {
  const Settings at_one = {{"prior", family}, {"rate", 1.0}, {"layer", 0}};
  const Settings denoised = {{"prior", family}, {"rate", 1.0}, {"layer", 1}};
  Panel panel{
      fmt::format("{}, r = 1", title),
      "share of nonzero coordinates p",
      "risk (1 = knowing nothing)",
  };
  panel.x_low = 0;
  panel.x_high = 1.02;
  panel.y_low = 0;
  panel.y_high = 0.42;
  panel.curves = {curve_of("linear, Gaussian value", Mark::line, colour::kRotation, 0.02, 1, 2,
                           [&](double) { return laws.linear(1); }),
                  curve_of("denoiser f*(Bᵀz)", Mark::line, colour::kDenoiser, 0.02, 1, 50,
                           [&](double p) { return laws.layers(prior(family, p), 1, 1).back(); }),
                  curve_of("", Mark::points, colour::kRotation, select(table, "risk", at_one), "p"),
                  curve_of("", Mark::points, colour::kDenoiser, select(table, "risk", denoised), "p"),
                  curve_of("trained denoiser", Mark::hollow, colour::kTrained,
                           select(table, "trained risk", {{"prior", family}, {"rate", 1.0}}), "p"),
                  curve_of("Bayes, these bits", Mark::dashed, colour::kBayes, 0.02, 1, 50,
                           [&](double p) { return laws.bayes(prior(family, p), 1); }),
                  curve_of("Shannon, any bits", Mark::dotted, colour::kShannon, 0.02, 1, 14,
                           [&](double p) { return laws.shannon(prior(family, p), 1); })};
  return panel;
}

Panel against_rate(const Table& table, const Laws& laws, const char* family, const char* title) {
  const double high = select(table, "risk", {{"rate", 3.0}}).empty() ? 2.1 : 3.1;
  const PriorPtr law = prior(family, kSparse);
  Panel panel{
      fmt::format("{}, p = {}", title, kSparse),
      "rate r (bits per dimension)",
      "risk (1 = knowing nothing)",
  };
  panel.x_low = 0;
  panel.x_high = high;
  panel.log_y = true;
  panel.y_low = 2e-3;  // Shannon's limit is computed to 1e-3
  panel.y_high = 1;
  const auto rows = [&](int layer) {
    return select(table, "risk", {{"prior", family}, {"p", kSparse}, {"layer", layer}});
  };
  panel.curves = {curve_of("linear, Gaussian value", Mark::line, colour::kRotation, 0.05, high, 60, laws.linear),
                  curve_of("denoiser f*(Bᵀz)", Mark::line, colour::kDenoiser, 0.05, high, 40,
                           [&](double rate) { return laws.layers(law, rate, 1).back(); }),
                  curve_of("", Mark::points, colour::kRotation, rows(0), "rate"),
                  curve_of("", Mark::points, colour::kDenoiser, rows(1), "rate"),
                  curve_of("trained denoiser", Mark::hollow, colour::kTrained,
                           select(table, "trained risk", {{"prior", family}, {"p", kSparse}}), "rate"),
                  curve_of("Bayes, these bits", Mark::dashed, colour::kBayes, 0.05, high, 20,
                           [&](double rate) { return laws.bayes(law, rate); }),
                  curve_of("Shannon, any bits", Mark::dotted, colour::kShannon, 0.05, high, 10,
                           [&](double rate) { return laws.shannon(law, rate); })};
  return panel;
}

Findings findings(const Table& table, const Laws& laws) {
  Findings out;
  out.verdicts = verdicts(table, laws);
  for (const auto& [family, title] :
       {std::pair{"sparse-gaussian", "Sparse Gaussian"}, std::pair{"sparse-laplace", "Sparse Laplace"}}) {
    out.panels.push_back(against_p(table, laws, family, title));
    out.panels.push_back(against_rate(table, laws, family, title));
  }
  const Row row =
      select(table, "risk", {{"prior", "sparse-gaussian"}, {"p", 0.1}, {"rate", 1.0}, {"layer", 1}}).front();
  out.paragraphs.emplace_back(fmt::format(
      "The fast rotation at d = {}, norms stored. A coordinate of Bᵀz is the true coordinate in Gaussian noise; a "
      "linear decoder can only scale it, a pointwise function can set small values to zero. Sparse Gaussian, p = 0.1, "
      "r = 1: {:.4f} ± {:.4f} with the denoiser, {:.4f} without.",
      row.settings.at("dim").get<int>(), row.value, row.standard_error, laws.linear(1)));
  return out;
}

}  // namespace

Figure denoiser_figure() {
  return {.name = "denoiser",
          .title = "A pointwise denoiser after the linear decoder",
          .paper =
              "A denoising function applied to the output of the linear decoder already beats the Gaussian value "
              "provably when the source is sparse.",
          .points = points,
          .measure = measure,
          .predict = predict,
          .findings = findings};
}

}  // namespace signfold::experiment
