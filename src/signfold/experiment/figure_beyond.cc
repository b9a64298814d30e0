// Beyond the paper: the mixed encoder with a denoiser of two inputs, the fast rotation against Haar, the stored norm.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "signfold/base/parallel.h"
#include "signfold/encoder/encoder.h"
#include "signfold/experiment/figures.h"
#include "signfold/experiment/simulate.h"
#include "signfold/source/source.h"
#include "signfold/theory/mixed_denoiser.h"

namespace signfold::experiment {
namespace {

constexpr const char* kRademacher = "sparse-rademacher";
constexpr int kLayers = 5;
constexpr double kEncoders = 4;

/// The laws on which the fast rotation meets Haar.
struct Law {
  const char* prior;
  double p, rate;
};
constexpr std::array kLaws = {Law{"sparse-gaussian", 0.1, 1}, Law{kRademacher, 0.5, 2}};

Point mixed(double p, std::size_t dim, std::size_t vectors) {
  return {{{"part", "mixed"},
           {"prior", kRademacher},
           {"p", p},
           {"rate", 1.0},
           {"dim", dim},
           {"encoders", kEncoders},
           {"vectors", vectors}},
          0.1 + 2e-6 * static_cast<double>(dim * vectors)};
}

Point layers(const char* part, const Law& law, std::size_t dim, const char* encoder, const char* norm,
             std::size_t vectors) {
  const bool dense = std::string(encoder) == "haar";
  const double size = static_cast<double>(dim) / 1000;
  return {{{"part", part},
           {"prior", law.prior},
           {"p", law.p},
           {"rate", law.rate},
           {"dim", dim},
           {"encoder", encoder},
           {"layers", kLayers},
           {"norm", norm},
           {"encoders", kEncoders},
           {"vectors", vectors}},
          0.1 + 3e-7 * static_cast<double>(dim * vectors) + (dense ? 2 * law.rate * size * size * size : 0)};
}

std::vector<Point> points(Effort effort) {
  const bool full = effort == Effort::full;
  const std::size_t more = full ? 8 : 1;
  std::vector<Point> out;
  for (const double p :
       full ? std::vector{0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.64, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95}
            : std::vector{0.3, 0.4, 0.5, 0.64, 0.8, 0.9}) {
    out.push_back(mixed(p, 2000, 60 * more));
  }
  for (const Law& law : kLaws) {
    for (const std::size_t dim : full ? std::vector<std::size_t>{784, 2000} : std::vector<std::size_t>{784}) {
      for (const char* encoder : {"hadamard", "haar"}) {
        out.push_back(layers("rotation", law, dim, encoder, "stored", 150 * more));
      }
    }
  }
  for (const std::size_t dim : {100, 200, 400, 800, 1600, 3200}) {
    for (const char* norm : {"stored", "lost"}) {
      out.push_back(layers("norm", kLaws[0], dim, "hadamard", norm, (full ? 4'000'000 : 500'000) / dim));
    }
  }
  return out;
}

/// Mean and standard error of per-vector risks.
Measurement mean_of(const std::string& quantity, const std::vector<double>& risks) {
  double mean = 0;
  double squares = 0;
  const auto count = static_cast<double>(risks.size());
  for (const double risk : risks) mean += risk / count;
  for (const double risk : risks) squares += (risk - mean) * (risk - mean);
  return {quantity, Settings::object(), mean, std::sqrt(squares / (count * (count - 1)))};
}

/// An encoder with two decoders of every coordinate.
struct Candidate {
  double m = 0;
  double angle = 0;  ///< by which neighbouring rows are rotated
  double gain = 0;   ///< of the linear decoder
  const TwoInputDenoiser* denoiser = nullptr;
};

/// Rotates neighbours (u_0, u_1), (u_2, u_3), … of every row.
void rotate_pairs(MatrixView<float> u, double angle) {
  const auto c = static_cast<float>(std::cos(angle));
  const auto s = static_cast<float>(std::sin(angle));
  for (std::size_t i = 0; i < u.rows; ++i) {
    for (std::size_t j = 0; j + 1 < u.cols; j += 2) {
      const float first = u(i, j);
      u(i, j) = c * first + s * u(i, j + 1);
      u(i, j + 1) = c * u(i, j + 1) - s * first;
    }
  }
}

/// Risks of every vector, linear and with the denoiser if there is one.
struct Risks {
  std::vector<double> linear, denoised;
};

void measure_encoder(const Candidate& candidate, const Encoder& encoder, const Matrix<float>& x, int threads,
                     Risks& risks) {
  const std::size_t first = risks.linear.size();
  risks.linear.resize(first + x.rows());
  risks.denoised.resize(first + x.rows());
  parallel_for(x.rows(), 8, threads, [&](std::size_t begin, std::size_t end) {
    const MatrixView<const float> rows = x.view().row_range(begin, end - begin);
    Matrix<float> z(rows.rows, encoder.bits());
    encoder.apply(rows, z);
    rotate_pairs(z, candidate.angle);
    for (float& v : z.values()) v = v >= 0 ? 1.0F : -1.0F;
    Matrix<float> back = z.clone();
    rotate_pairs(back, -candidate.angle);
    Matrix<float> y(rows.rows, encoder.dim());
    encoder.adjoint(back, y);
    for (std::size_t i = 0; i < rows.rows; ++i) {
      double linear = 0;
      double denoised = 0;
      for (std::size_t j = 0; j < rows.cols; ++j) {
        linear += std::pow(rows(i, j) - candidate.gain * y(i, j), 2);
        if (candidate.denoiser == nullptr) continue;
        denoised += std::pow(rows(i, j) - candidate.denoiser->posterior_mean(y(i, j), z(i, j) > 0), 2);
      }
      risks.linear[first + begin + i] = linear / static_cast<double>(rows.cols);
      risks.denoised[first + begin + i] = denoised / static_cast<double>(rows.cols);
    }
  });
}

Risks measure_candidate(const Candidate& candidate, const Settings& settings, const Context& context) {
  const std::size_t dim = settings.at("dim");
  Risks risks;
  for (std::uint64_t k = 0; k < settings.at("encoders").get<std::uint64_t>(); ++k) {
    const std::uint64_t seed = context.seed + 1000 * k;
    const EncoderPtr encoder = make_encoder(fmt::format("mixed:{}", candidate.m), {.dim = dim, .bits = dim}, seed);
    const auto source = synthetic_source(prior_of(settings), settings.at("vectors"), dim, seed, Norms::equal);
    measure_encoder(candidate, *encoder, read_all(*source), context.threads, risks);
  }
  return risks;
}

PointResult measure_mixed(const Settings& settings, const Context& context) {
  const PriorPtr prior = prior_of(settings);
  const MixedOptimum mix = optimal_mix(*prior, 1);
  const PairOptimum pairs = optimal_pair_mix(*prior, 1);
  const TwoInputDenoiser denoiser(*prior, mix.m);
  const Risks one = measure_candidate({mix.m, 0, mix.psi, &denoiser}, settings, context);
  const Risks two = measure_candidate({pairs.mix.m, pairs.angle, pairs.mix.psi}, settings, context);
  return {{mean_of("linear", one.linear), mean_of("two inputs", one.denoised), mean_of("pairs", two.linear)}, {}};
}

PointResult measure(const Settings& settings, const Context& context) {
  return settings.at("part") == "mixed" ? measure_mixed(settings, context) : measure_layers(settings, context);
}

void predict(Table& table, const Laws& laws) {
  predict_layers(table, laws);
  for (Row& row : table.rows) {
    if (row.settings.at("part") != "mixed") continue;
    const PriorPtr prior = prior_of(row.settings);
    const MixedOptimum best = laws.best_mix(*prior, 1);
    if (row.quantity == "linear") row.prediction = best.risk;
    if (row.quantity == "two inputs") row.prediction = laws.two_inputs(*prior, best.m);
    if (row.quantity == "pairs") row.prediction = laws.best_pairs(*prior, 1).mix.risk;
  }
}

PriorPtr rademacher(double p) { return prior_of({{"prior", kRademacher}, {"p", p}}); }

std::vector<Verdict> verdicts(const Table& table, const Laws& laws) {
  std::vector<Comparison> both;
  std::vector<Comparison> bayes;
  std::vector<Comparison> gain;
  for (const Row& row : select(table, "linear")) {
    const double p = row.settings.at("p");
    if (p < 0.5) continue;
    both.push_back({fmt::format("p = {}", p), row.value, row.standard_error,
                    std::min(laws.linear(1), laws.mixed(*rademacher(p), 1, 1))});
  }
  for (const Row& row : select(table, "two inputs")) {
    const double p = row.settings.at("p");
    if (p < 0.5) continue;
    bayes.push_back({fmt::format("p = {}", p), row.value, row.standard_error, laws.bayes(rademacher(p), 1)});
    const Row linear = select(table, "linear", {{"p", p}}).front();
    gain.push_back({fmt::format("p = {}", p), row.value, 0, linear.value});
  }
  std::vector<Comparison> rotations;
  for (const Row& fast : select(table, "risk", {{"part", "rotation"}, {"encoder", "hadamard"}})) {
    Settings same = fast.settings;
    same["encoder"] = "haar";
    const Row haar = select(table, "risk", same).front();
    rotations.push_back({fmt::format("{}, layer {}", fast.settings.at("prior").get<std::string>(),
                                     fast.settings.at("layer").get<int>()),
                         fast.value, std::hypot(fast.standard_error, haar.standard_error), haar.value});
  }
  std::vector<Row> stored;
  for (const Row& row : select(table, "risk", {{"part", "norm"}, {"norm", "stored"}, {"layer", 3}})) {
    if (row.settings.at("dim").get<int>() >= 400) stored.push_back(row);
  }
  constexpr const char* kMixed = "docs/math.md section 4";
  constexpr const char* kTwo = "docs/math.md section 5";
  return {compare("Mixed encoder, linear decoder: risk 1 − ψ(m*)²", kMixed, comparisons(select(table, "linear"), {"p"}),
                  {.relative = 0.01}),
          compare("With E[x | (Bᵀz)_j, z_j] it has the predicted risk", kTwo,
                  comparisons(select(table, "two inputs"), {"p"}), {.relative = 0.015}),
          below("From p = 1/2 on the mixed encoder is below both encoders of the paper, each with its linear decoder",
                kMixed, both),
          below("From p = 1/2 on, with the denoiser of two inputs, below any decoder of a rotation (its Bayes limit)",
                kTwo, bayes),
          below("The denoiser gains on the linear decoder on the same vectors", kTwo, gain, 0),
          compare("The mix of rotated pairs, linear decoder, has the predicted risk", kMixed,
                  comparisons(select(table, "pairs"), {"p"}), {.relative = 0.01}),
          compare("The fast rotation does what a Haar rotation does, at every layer", "docs/math.md, the fast rotation",
                  rotations, {.relative = 0.03}),
          compare("With the norm stored, state evolution holds from d = 400 on (sparse Gaussian, p = 0.1, layer 3)",
                  "docs/rigamp.md section 6", comparisons(stored, {"dim"}), {.relative = 0.05})};
}

Panel against_p(const Table& table, const Laws& laws) {
  Panel panel{"Sparse Rademacher vectors, r = 1", "share of nonzero coordinates p", "risk (1 = knowing nothing)"};
  panel.x_low = 0.2;
  panel.x_high = 1;
  panel.y_low = 0;
  panel.y_high = 0.45;
  constexpr double kFrom = 0.2;
  constexpr int kCount = 81;
  panel.curves = {
      curve_of("rotation, linear", Mark::line, colour::kRotation, kFrom, 1, 2, [&](double) { return laws.linear(1); }),
      curve_of("identity, linear", Mark::dashed, colour::kIdentity, kFrom, 1, kCount,
               [&](double p) { return laws.mixed(*rademacher(p), 1, 1); }),
      curve_of("rotation, Bayes limit", Mark::dashed, colour::kBayes, kFrom, 1, kCount,
               [&](double p) { return laws.bayes(rademacher(p), 1); }),
      curve_of("Shannon, any bits", Mark::dotted, colour::kShannon, kFrom, 1, 21,
               [&](double p) { return laws.shannon(rademacher(p), 1); }),
      curve_of("best mix, linear", Mark::line, colour::kMixed, kFrom, 1, kCount,
               [&](double p) { return laws.best_mix(*rademacher(p), 1).risk; }),
      curve_of("best mix, two inputs", Mark::line, colour::kLayers, kFrom, 0.99, kCount,
               [&](double p) { return laws.two_inputs(*rademacher(p), laws.best_mix(*rademacher(p), 1).m); }),
      curve_of("rotated pairs, linear", Mark::line, colour::kDenoiser, kFrom, 1, kCount,
               [&](double p) { return laws.best_pairs(*rademacher(p), 1).mix.risk; }),
      curve_of("", Mark::points, colour::kMixed, select(table, "linear"), "p"),
      curve_of("", Mark::points, colour::kLayers, select(table, "two inputs"), "p"),
      curve_of("", Mark::points, colour::kDenoiser, select(table, "pairs"), "p")};
  return panel;
}

Panel gain(const Table& table, const Laws& laws) {
  Panel panel{"The same, over the better of the paper's encoders",
              "share of nonzero coordinates p",
              "risk / min(rotation, identity)",
              {}};
  panel.x_low = 0.2;
  panel.x_high = 1;
  const auto best = [&](double p) { return std::min(laws.linear(1), laws.mixed(*rademacher(p), 1, 1)); };
  const auto relative = [&](Curve curve) {
    for (PlotPoint& point : curve.points) {
      const double scale = best(point.x);
      point.y /= scale;
      point.error /= scale;
    }
    return curve;
  };
  panel.curves = {
      curve_of("better of the paper's", Mark::line, colour::kRotation, 0.2, 1, 2, [](double) { return 1; }),
      relative(curve_of("rotation, Bayes limit", Mark::dashed, colour::kBayes, 0.2, 0.99, 80,
                        [&](double p) { return laws.bayes(rademacher(p), 1); })),
      relative(curve_of("best mix, linear", Mark::line, colour::kMixed, 0.2, 0.99, 80,
                        [&](double p) { return laws.best_mix(*rademacher(p), 1).risk; })),
      relative(curve_of("best mix, two inputs", Mark::line, colour::kLayers, 0.2, 0.99, 80,
                        [&](double p) { return laws.two_inputs(*rademacher(p), laws.best_mix(*rademacher(p), 1).m); })),
      relative(curve_of("rotated pairs, linear", Mark::line, colour::kDenoiser, 0.2, 0.99, 80,
                        [&](double p) { return laws.best_pairs(*rademacher(p), 1).mix.risk; })),
      relative(curve_of("", Mark::points, colour::kDenoiser, select(table, "pairs"), "p")),
      relative(curve_of("", Mark::points, colour::kMixed, select(table, "linear"), "p")),
      relative(curve_of("", Mark::points, colour::kLayers, select(table, "two inputs"), "p"))};
  panel.y_low = 0.6;
  panel.y_high = 1.1;
  return panel;
}

Panel rotations(const Table& table, const Laws& laws) {
  Panel panel{"Fast and Haar rotation, sparse laws, d = 784", "layer (0 = linear decoder)",
              "risk (1 = knowing nothing)"};
  panel.whole_x = true;
  panel.log_y = true;
  panel.y_low = 0.05;
  panel.y_high = 0.5;
  panel.x_low = -0.3;
  panel.x_high = kLayers + 0.3;
  const char* hues[] = {colour::kLayers, colour::kMixed};
  for (std::size_t k = 0; k < kLaws.size(); ++k) {
    const Law& law = kLaws[k];
    const PriorPtr prior = prior_of({{"prior", law.prior}, {"p", law.p}});
    Curve theory{fmt::format("state evolution, r = {}", law.rate), Mark::line, hues[k], {{0, laws.linear(law.rate)}}};
    const auto risks = laws.layers(prior, law.rate, kLayers);
    for (std::size_t t = 0; t < risks.size(); ++t) theory.points.push_back({static_cast<double>(t + 1), risks[t]});
    panel.curves.push_back(theory);
    for (const char* encoder : {"hadamard", "haar"}) {
      const bool fast = std::string(encoder) == "hadamard";
      panel.curves.push_back(curve_of(
          fmt::format("{} {}: {}", k == 0 ? "Gaussian" : "Rademacher", law.p, fast ? "fast" : "Haar"),
          fast ? Mark::points : Mark::hollow, hues[k],
          select(table, "risk", {{"part", "rotation"}, {"prior", law.prior}, {"dim", 784}, {"encoder", encoder}}),
          "layer"));
      for (PlotPoint& point : panel.curves.back().points) point.x += fast ? -0.08 : 0.08;  // side by side
    }
  }
  return panel;
}

Panel norms(const Table& table, const Laws& laws) {
  Panel panel{"Sparse Gaussian, p = 0.1, r = 1: the stored norm", "dimension d", "risk (1 = knowing nothing)"};
  panel.log_x = true;
  panel.log_y = true;
  panel.y_low = 0.05;
  panel.y_high = 0.25;
  panel.x_low = 80;
  panel.x_high = 4000;
  const PriorPtr prior = prior_of({{"prior", "sparse-gaussian"}, {"p", 0.1}});
  const std::pair<int, const char*> shown[] = {{1, colour::kDenoiser}, {3, colour::kLayers}};
  for (const auto& [layer, hue] : shown) {
    const double limit = laws.layers(prior, 1, layer).back();
    panel.curves.push_back(curve_of(fmt::format("state evolution, layer {}", layer), Mark::line, hue, 80, 4000, 2,
                                    [&](double) { return limit; }));
    for (const char* norm : {"stored", "lost"}) {
      const bool stored = std::string(norm) == "stored";
      panel.curves.push_back(
          curve_of(fmt::format("layer {}, norm {}", layer, norm), stored ? Mark::points : Mark::hollow, hue,
                   select(table, "risk", {{"part", "norm"}, {"norm", norm}, {"layer", layer}}), "dim"));
    }
  }
  return panel;
}

Findings findings(const Table& table, const Laws& laws) {
  Findings out;
  out.verdicts = verdicts(table, laws);
  out.panels = {against_p(table, laws), gain(table, laws), rotations(table, laws), norms(table, laws)};
  const auto value = [&](const char* quantity, double p) { return select(table, quantity, {{"p", p}}).front().value; };
  out.paragraphs.emplace_back(fmt::format(
      "The mixed encoder B = mI + √(1−m²)K, with K orthogonal and skew, lets every bit watch one coordinate a little. "
      "A decoder of two inputs looks at what all bits say of a coordinate, (Bᵀz)_j, and at the coordinate's own bit "
      "z_j. Measured at d = 2000, linear and with two inputs: {:.4f} and {:.4f} at p = 0.5, where any decoder of a "
      "rotation has at least {:.4f}; {:.4f} and {:.4f} at p = 0.64; {:.4f} and {:.4f} at p = 0.8.",
      value("linear", 0.5), value("two inputs", 0.5), laws.bayes(rademacher(0.5), 1), value("linear", 0.64),
      value("two inputs", 0.64), value("linear", 0.8), value("two inputs", 0.8)));
  out.paragraphs.emplace_back(
      fmt::format("Rotating pairs of rows of a mixed encoder by an angle, so that a bit watches two coordinates, does "
                  "better still with a linear decoder from p = 0.35 on: {:.4f} at p = 0.64, {:.4f} at p = 0.8.",
                  value("pairs", 0.64), value("pairs", 0.8)));
  out.paragraphs.emplace_back(
      "The fast rotation, three rounds of random signs and Hadamard transforms, costs O(d log d) and cannot be told "
      "from a matrix drawn from the Haar measure. Storing the norm of each vector removes most of what finite "
      "dimension costs.");
  return out;
}

}  // namespace

Figure beyond_figure() {
  return {
      .name = "beyond",
      .title = "Beyond the paper: mixed encoder, fast rotation, stored norm",
      .paper =
          "Compares two encoders, rotation and identity, each with a linear decoder; rotations are dense matrices, and "
          "the norm is not stored.",
      .points = points,
      .measure = measure,
      .predict = predict,
      .findings = findings};
}

}  // namespace signfold::experiment
