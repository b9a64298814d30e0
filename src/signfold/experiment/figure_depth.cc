// The multi-layer decoder: what depth gains, against state evolution, the Bayes limit of the bits and Shannon's limit.
#include <fmt/format.h>

#include <array>

#include "signfold/experiment/figures.h"
#include "signfold/experiment/simulate.h"

namespace signfold::experiment {
namespace {

constexpr int kLayers = 8;
constexpr double kSmall = 0.01;  // where a risk falls to 0, a finite dimension is far from the limit: in relation
constexpr double kRecovered = 1e-6;
constexpr std::array<std::size_t, 3> kDims = {200, 1000, 4096};

/// A family with the p and the rate that its panels hold fixed.
struct Family {
  const char* prior;
  const char* title;
  double p;
  double rate;
};
constexpr std::array kFamilies = {Family{"sparse-gaussian", "Sparse Gaussian", 0.1, 1},
                                  Family{"sparse-laplace", "Sparse Laplace", 0.3, 1},
                                  Family{"sparse-rademacher", "Sparse Rademacher", 0.5, 2}};

Point point(const Family& family, std::size_t dim, const char* norm, std::size_t numbers) {
  const std::size_t encoders = 4;
  const std::size_t vectors = numbers / dim / encoders;
  return {{{"prior", family.prior},
           {"p", family.p},
           {"rate", family.rate},
           {"dim", dim},
           {"encoder", "hadamard"},
           {"layers", kLayers},
           {"norm", norm},
           {"encoders", encoders},
           {"vectors", vectors}},
          0.1 + 1.2e-7 * static_cast<double>(numbers)};
}

std::vector<Point> points(Effort effort) {
  const bool full = effort == Effort::full;
  const std::size_t numbers = full ? 20'000'000 : 1'600'000;
  std::vector<Point> out;
  for (const Family& family : kFamilies) {
    for (const std::size_t dim : kDims) {
      for (const char* norm : {"stored", "lost"}) out.push_back(point(family, dim, norm, numbers));
    }
    for (const double rate : full ? std::vector{0.125, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0}
                                  : std::vector{0.25, 0.5, 1.0, 1.5, 2.0}) {
      if (rate != family.rate) {
        out.push_back(point({family.prior, family.title, family.p, rate}, kDims.back(), "stored", numbers));
      }
    }
    for (const double p :
         full ? std::vector{0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0} : std::vector{0.1, 0.3, 0.5, 0.8}) {
      if (p != family.p) {
        out.push_back(point({family.prior, family.title, p, family.rate}, kDims.back(), "stored", numbers));
      }
    }
  }
  return out;
}

PriorPtr prior(const Family& family, double p) { return prior_of({{"prior", family.prior}, {"p", p}}); }

Panel by_layer(const Table& table, const Laws& laws, const Family& family) {
  Panel panel{fmt::format("{}, p = {}, r = {}", family.title, family.p, family.rate),
              "layer (0 = linear decoder)",
              "risk (1 = knowing nothing)",
              {}};
  panel.whole_x = true;
  panel.log_y = true;
  panel.x_low = -0.3;
  panel.x_high = kLayers + 0.3;
  const PriorPtr law = prior(family, family.p);
  Curve theory{"state evolution", Mark::line, colour::kLayers, {{0, laws.linear(family.rate)}}};
  const std::vector<double> risks = laws.layers(law, family.rate, kLayers);
  for (std::size_t t = 0; t < risks.size(); ++t) theory.points.push_back({static_cast<double>(t + 1), risks[t]});
  panel.curves.push_back(theory);
  panel.curves.push_back(curve_of("Bayes, these bits", Mark::dashed, colour::kBayes, 0, kLayers, 2,
                                  [&](double) { return laws.bayes(law, family.rate); }));
  for (std::size_t k = 0; k < kDims.size(); ++k) {
    constexpr const char* kHues[] = {"#E69F00", "#D55E00", "#0072B2"};
    for (const char* norm : {"lost", "stored"}) {
      const bool stored = std::string(norm) == "stored";
      Curve curve = curve_of(
          fmt::format("d = {}{}", kDims[k], stored ? "" : ", norm lost"), stored ? Mark::points : Mark::hollow,
          kHues[k],
          select(table, "risk",
                 {{"prior", family.prior}, {"p", family.p}, {"rate", family.rate}, {"dim", kDims[k]}, {"norm", norm}}),
          "layer");
      for (PlotPoint& point : curve.points) point.x += 0.15 * (static_cast<double>(k) - 1);  // side by side
      panel.curves.push_back(curve);
    }
  }
  panel.y_low = 0.8 * laws.bayes(law, family.rate);
  panel.y_high = 1.3 * laws.linear(family.rate);
  return panel;
}

/// Lines of theory against x, points of the largest dimension.
Panel against(const Table& table, const Laws& laws, const Family& family, const std::string& key, double from,
              double to, Panel panel) {
  panel.log_y = true;
  panel.y_low = 2e-3;  // Shannon's limit is computed to 1e-3
  panel.y_high = 1;
  const auto law = [&, key](double x) { return prior(family, key == "p" ? x : family.p); };
  const auto rate = [&, key](double x) { return key == "rate" ? x : family.rate; };
  constexpr int kCount = 41;
  panel.x_low = 0;
  panel.x_high = to;
  panel.curves = {curve_of("linear decoder", Mark::line, colour::kRotation, from, to, kCount,
                           [&](double x) { return laws.linear(rate(x)); }),
                  curve_of("layer 1 (denoiser)", Mark::line, colour::kDenoiser, from, to, kCount,
                           [&](double x) { return laws.layers(law(x), rate(x), 1).back(); }),
                  curve_of("layer 3", Mark::line, "#56B4E9", from, to, kCount,
                           [&](double x) { return laws.layers(law(x), rate(x), 3).back(); }),
                  curve_of(fmt::format("layer {}", kLayers), Mark::line, colour::kLayers, from, to, kCount,
                           [&](double x) { return laws.layers(law(x), rate(x), kLayers).back(); }),
                  curve_of("Bayes, these bits", Mark::dashed, colour::kBayes, from, to, kCount,
                           [&](double x) { return laws.bayes(law(x), rate(x)); }),
                  curve_of("Shannon, any bits", Mark::dotted, colour::kShannon, from, to, 16,
                           [&](double x) { return laws.shannon(law(x), rate(x)); })};
  Settings filter = {{"prior", family.prior}, {"dim", kDims.back()}, {"norm", "stored"}};
  filter[key == "p" ? "rate" : "p"] = key == "p" ? family.rate : family.p;
  const std::pair<int, const char*> shown[] = {
      {0, colour::kRotation}, {1, colour::kDenoiser}, {3, "#56B4E9"}, {kLayers, colour::kLayers}};
  for (const auto& [layer, hue] : shown) {
    filter["layer"] = layer;
    panel.curves.push_back(curve_of("", Mark::points, hue, select(table, "risk", filter), key));
  }
  return panel;
}

std::vector<Verdict> verdicts(const Table& table, const Laws& laws) {
  constexpr const char* kPaper = "the paper, its section on multi-layer decoders (RI-GAMP)";
  const std::vector<std::string> keys = {"prior", "p", "rate", "layer"};
  std::vector<Row> at_fixed;
  std::vector<Comparison> shallow;
  std::vector<Comparison> deep;
  for (const Family& family : kFamilies) {
    const Settings filter = {
        {"prior", family.prior}, {"p", family.p}, {"rate", family.rate}, {"dim", kDims.back()}, {"norm", "stored"}};
    const auto rows = select(table, "risk", filter);
    at_fixed.insert(at_fixed.end(), rows.begin(), rows.end());
    const Row& first = rows.at(1);
    const Row& last = rows.back();
    shallow.push_back({family.prior, last.value, std::hypot(last.standard_error, first.standard_error), first.value});
    deep.push_back({family.prior, last.value, last.standard_error, laws.bayes(prior(family, family.p), family.rate)});
  }
  std::vector<Row> others;
  std::vector<Comparison> recovered;
  for (const Row& row : select(table, "risk", {{"dim", kDims.back()}, {"norm", "stored"}})) {
    const int layer = row.settings.at("layer");
    if (layer <= 3 && *row.prediction > kSmall) others.push_back(row);
    if (layer == kLayers && *row.prediction < kRecovered) {
      recovered.push_back(
          {fmt::format("p = {}, r = {}", row.settings.at("p").get<double>(), row.settings.at("rate").get<double>()),
           row.value, 0, kSmall});
    }
  }
  std::vector<Comparison> norms;
  const Row lost =
      select(
          table, "risk",
          {{"prior", "sparse-gaussian"}, {"p", 0.1}, {"rate", 1.0}, {"dim", kDims[0]}, {"norm", "lost"}, {"layer", 1}})
          .front();
  norms.push_back({fmt::format("d = {}", kDims[0]), lost.value - *lost.prediction, lost.standard_error,
                   (prior(kFamilies[0], 0.1)->moments().fourth - 1) / (4 * static_cast<double>(kDims[0]))});
  return {compare(fmt::format("State evolution gives the risk of every layer (d = {}, three laws, layers 0 to {})",
                              kDims.back(), kLayers),
                  kPaper, comparisons(at_fixed, keys), {.relative = 0.03}),
          compare("And at other rates and sparsities (layers 0 to 3, risks above 1 %)", kPaper,
                  comparisons(others, keys), {.relative = 0.04}),
          below(fmt::format(
                    "Perfect recovery: where state evolution says risk 0 (sparse Rademacher, r = 2), layer {} has a "
                    "risk below 1 %",
                    kLayers),
                kPaper, recovered, 0),
          below(fmt::format("Depth gains: layer {} is below the denoiser", kLayers), kPaper, shallow),
          compare(fmt::format("Layer {} is at the Bayes limit of the bits", kLayers), kPaper, deep, {.relative = 0.05}),
          compare("A norm that is not stored costs about (E x⁴ − 1)/(4d): sparse Gaussian, p = 0.1, layer 1",
                  "docs/rigamp.md section 6", norms, {.relative = 0.25})};
}

Findings findings(const Table& table, const Laws& laws) {
  Findings out;
  out.verdicts = verdicts(table, laws);
  for (const Family& family : kFamilies) out.panels.push_back(by_layer(table, laws, family));
  for (const Family& family : kFamilies) {
    const bool many = !select(table, "risk", {{"prior", family.prior}, {"rate", 3.0}}).empty();
    out.panels.push_back(against(table, laws, family, "rate", 0.1, many ? 3.1 : 2.1,
                                 {fmt::format("{}, p = {}", family.title, family.p),
                                  "rate r (bits per dimension)",
                                  "risk (1 = knowing nothing)",
                                  {}}));
  }
  for (const Family& family : kFamilies) {
    out.panels.push_back(against(table, laws, family, "p", 0.02, 1,
                                 {fmt::format("{}, r = {}", family.title, family.rate),
                                  "share of nonzero coordinates p",
                                  "risk (1 = knowing nothing)",
                                  {}}));
  }
  const auto rows =
      select(table, "risk",
             {{"prior", "sparse-gaussian"}, {"p", 0.1}, {"rate", 1.0}, {"dim", kDims.back()}, {"norm", "stored"}});
  out.paragraphs.emplace_back(fmt::format(
      "Points: the fast rotation and the fixed network of as many layers, on vectors it has never seen; lines: state "
      "evolution, computed before. Sparse Gaussian, p = 0.1, r = 1, d = {}: {:.4f} linear, {:.4f} after one layer, "
      "{:.4f} after {}; the Bayes limit of these bits is {:.4f}. What is left above Shannon's limit is the price of "
      "plain signs.",
      kDims.back(), rows.front().value, rows.at(1).value, rows.back().value, kLayers,
      laws.bayes(prior(kFamilies[0], 0.1), 1)));
  out.paragraphs.emplace_back(
      "Small dimensions deviate for two reasons. A sign forgets the norm of the vector: squares show decoders that "
      "have to guess it, dots those that are told (16 or 32 bits a vector). And what is left of the law of large "
      "numbers at d = 200 adds up from layer to layer, so that fewer layers are better there.");
  return out;
}

}  // namespace

Figure depth_figure() {
  return {.name = "depth",
          .title = "The multi-layer decoder",
          .paper =
              "A decoder of several layers, RI-GAMP unrolled, improves on the denoiser layer by layer and reaches the "
              "Bayes-optimal risk of these bits; its risk in high dimension follows state evolution.",
          .points = points,
          .measure = measure_layers,
          .predict = predict_layers,
          .findings = findings};
}

}  // namespace signfold::experiment
