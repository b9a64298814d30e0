// Masked and whitened images: what sparsity of real data gives to each decoder.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <mutex>

#include "signfold/base/interrupt.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"
#include "signfold/encoder/encoder.h"
#include "signfold/experiment/figures.h"
#include "signfold/experiment/masked_images.h"
#include "signfold/source/mask.h"
#include "signfold/training/trainer.h"

namespace signfold::experiment {
namespace {

constexpr const char* kFile = "cifar10/train_dog.bin";
constexpr double kKeep = 0.3;        // of the panel against the rate
constexpr double kMostMasked = 0.7;  // kept; with weaker masks, training learns the 4500 images by heart
constexpr int kLayers = 6;
constexpr std::uint64_t kTestMasks = 1000;  // added to the seed

std::string path_of(const Context& context) { return fmt::format("{}/{}", context.data, kFile); }

std::string missing(const Context& context) {
  if (std::filesystem::exists(path_of(context))) return {};
  return fmt::format(
      "{} is not there: the records with label 5 (dog) of data_batch_1.bin to data_batch_5.bin, one after the other; "
      "get them from CIFAR-10's binary version, https://www.cs.toronto.edu/~kriz/cifar.html, or name the directory "
      "above "
      "cifar10/ with --data",
      path_of(context));
}

Point rotation(double keep, double rate) {
  return {{{"kind", "rotation"}, {"keep", keep}, {"rate", rate}, {"encoder", "hadamard"}, {"layers", kLayers}}, 0.5};
}

Point trained(double keep, double rate, std::size_t steps) {
  return {{{"kind", "trained"}, {"keep", keep}, {"rate", rate}, {"start", "random"}, {"steps", steps}},
          1 + 0.016 * rate * static_cast<double>(steps)};
}

std::vector<Point> points(Effort effort) {
  const bool full = effort == Effort::full;
  const std::size_t steps = full ? 2000 : 600;
  std::vector<Point> out;
  for (const double keep :
       full ? std::vector{0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.85, 1.0} : std::vector{0.1, 0.3, 0.6, 1.0}) {
    out.push_back(rotation(keep, 1));
    const bool between = keep == 0.2 || keep == 0.4 || keep == 0.85;  // training takes most of the time
    if (full ? !between : keep == kKeep) out.push_back(trained(keep, 1, steps));
  }
  for (const double rate : full ? std::vector{0.25, 0.5, 0.75, 1.25, 1.5, 2.0} : std::vector{0.5, 1.5}) {
    out.push_back(rotation(kKeep, rate));
    if (full && rate < 1) out.push_back(trained(kKeep, rate, steps));
  }
  return out;
}

Matrix<float> masked(const Matrix<float>& x, double keep, std::uint64_t seed) {
  Matrix<float> out = x.clone();
  mask_rows(keep, seed, 0, out);
  return out;
}

/// The fast rotation with the layers for the law learned on masked training images, by layer.
PointResult measure_rotation(const Settings& settings, const WhitenedImages& images, const Context& context) {
  const double keep = settings.at("keep");
  const Matrix<float> train = masked(images.train, keep, context.seed);
  const Matrix<float> test = masked(images.test, keep, context.seed + kTestMasks);
  FitOptions options;
  options.rate = settings.at("rate");
  options.encoder = settings.at("encoder");
  options.decoder = fmt::format("rigamp:{}", settings.at("layers").get<int>());
  options.prior = "iid";
  options.center = Centering::never;
  options.scale = ScaleKind::f32;
  options.seed = context.seed;
  options.threads = context.threads;
  const Model model = fit(*matrix_source(train, "masked training images"), options);
  const Evaluation evaluation = evaluate(model, *matrix_source(test, "masked test images"), {context.threads, {}});
  PointResult result;
  for (std::size_t layer = 0; layer <= settings.at("layers").get<std::size_t>(); ++layer) {
    const LayerRisk& risk = evaluation.layers[std::min(layer, evaluation.layers.size() - 1)];
    result.measurements.push_back({"risk", {{"layer", layer}}, risk.measured, risk.stderr_});
    result.measurements.push_back({"predicted", {{"layer", layer}}, risk.predicted, 0});
  }
  return result;
}

/// Straight-through descent of encoder and gain from independent rows, a fresh mask at every visit.
PointResult measure_trained(const Settings& settings, const WhitenedImages& images, const Context& context) {
  const double keep = settings.at("keep");
  const EncoderShape shape = shape_for_rate(kMaskedDim, settings.at("rate"));
  Team team(context.threads);
  const auto batches = masked_batches(images.train, keep, context.seed);
  const Matrix<float> test = masked(images.test, keep, context.seed + kTestMasks);
  TrainerOptions options = default_training(TrainedDecoder::tied, OptimizerKind::adam, shape.bits, shape.dim);
  options.rows = RowConstraint::none;
  options.step_size = 0.001;
  options.steps = settings.at("steps");
  options.seed = context.seed;
  Matrix<float> start(shape.bits, shape.dim);
  RandomStream stream(context.seed, Purpose::start);
  for (float& v : start.values()) v = static_cast<float>(stream.normal());
  Trainer trainer(options, shape.bits, *batches, team);
  TrainerState state = start_training(options, start, *batches, team);
  PointResult result;
  while (state.step < options.steps) {
    throw_if_interrupted();
    if (state.step % std::max<std::size_t>(1, options.steps / 50) == 0) {
      result.measurements.push_back({"path", {{"step", state.step}}, trainer.risk(state, test), 0});
    }
    trainer.step(state);
  }
  const EncoderShapeReport report = describe_encoder(state.net.encoder);
  result.measurements.push_back({"risk", Settings::object(), trainer.risk(state, test), 0});
  result.measurements.push_back({"diagonal weight", Settings::object(), report.diagonal_weight, 0});
  return result;
}

/// Whitening takes seconds and is the same for every point: the images of one file are kept.
std::shared_ptr<const WhitenedImages> images_of(const std::string& path) {
  static std::mutex mutex;
  static std::string known;
  static std::shared_ptr<const WhitenedImages> images;
  const std::lock_guard lock(mutex);
  if (known != path) images = std::make_shared<const WhitenedImages>(whitened_images(path));
  known = path;
  return images;
}

PointResult measure(const Settings& settings, const Context& context) {
  const auto images = images_of(path_of(context));
  return settings.at("kind") == "trained" ? measure_trained(settings, *images, context)
                                          : measure_rotation(settings, *images, context);
}

/// Linear risks from theory; those of layers from the law that was learned, stored beside the measurement.
void predict(Table& table, const Laws& laws) {
  for (Row& row : table.rows) {
    if (row.quantity != "risk") continue;
    const double rate = row.settings.at("rate");
    if (row.settings.at("kind") == "trained" || row.settings.at("layer") == 0) {
      row.prediction = laws.linear(rate);
    } else {
      row.prediction = select(table, "predicted", row.settings).front().value;
    }
  }
}

std::vector<Row> layer_rows(const Table& table, int layer) {
  return select(table, "risk", {{"kind", "rotation"}, {"layer", layer}});
}

/// Each row of `lower` against the row of `upper` with the same mask and rate.
std::vector<Comparison> pairs(const std::vector<Row>& lower, const std::vector<Row>& upper, double most_kept) {
  std::vector<Comparison> out;
  for (const Row& row : lower) {
    const double keep = row.settings.at("keep");
    if (keep > most_kept) continue;
    const auto same = std::ranges::find_if(upper, [&](const Row& other) {
      return other.settings.at("keep") == keep && other.settings.at("rate") == row.settings.at("rate");
    });
    out.push_back({fmt::format("keep = {}, r = {}", keep, row.settings.at("rate").get<double>()), row.value,
                   row.standard_error, same->value});
  }
  return out;
}

/// The measured risk less what finite dimension adds to that of the best known rows, as in the figure gaussian-value.
std::vector<Comparison> without_excess(const std::vector<Row>& rows, const Laws& laws,
                                       const std::vector<std::string>& keys) {
  std::vector<Comparison> out = comparisons(rows, keys);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const EncoderShape shape = shape_for_rate(kMaskedDim, rows[i].settings.at("rate"));
    const double keep = rows[i].settings.at("keep");
    out[i].value -= laws.flat(shape.bits, shape.dim, keep) - laws.flat(shape.bits, shape.dim, 1);
  }
  return out;
}

std::vector<Verdict> verdicts(const Table& table, const Laws& laws) {
  constexpr const char* kPaper = "the paper, its experiments on masked CIFAR-10 images";
  const std::vector<std::string> keys = {"keep", "rate", "layer"};
  std::vector<Row> layers;
  for (int layer = 1; layer <= kLayers; ++layer) {
    const auto rows = layer_rows(table, layer);
    layers.insert(layers.end(), rows.begin(), rows.end());
  }
  std::vector<Row> trained = select(table, "risk", {{"kind", "trained"}});
  std::erase_if(trained, [](const Row& row) { return row.settings.at("keep").get<double>() > kMostMasked; });
  return {compare("A linear decoder trained with its encoder has the Gaussian value 1 − 2r/π, whatever the mask (at "
                  "most 0.7 kept; the excess of finite dimension, known for flat rows, taken off)",
                  kPaper, without_excess(trained, laws, keys), {.relative = 0.03}),
          compare("So has the linear decoder of a rotation", kPaper, comparisons(layer_rows(table, 0), keys),
                  {.relative = 0.02}),
          below("A denoiser is below it wherever at most 0.7 of the coordinates are kept", kPaper,
                pairs(layer_rows(table, 1), layer_rows(table, 0), 0.7)),
          below("The multi-layer decoder is below the denoiser (at most 0.5 kept)", kPaper,
                pairs(layer_rows(table, kLayers), layer_rows(table, 1), 0.5), 0),
          compare("State evolution with the learned law predicts every layer, though images are not independent "
                  "coordinates",
                  "docs/math.md section 8", comparisons(layers, keys), {.relative = 0.1})};
}

/// Against one setting, the other held fixed.
Panel against(const Table& table, const Laws& laws, const std::string& key, const Settings& fixed, Panel panel) {
  panel.log_y = true;
  panel.x_low = 0;
  const auto of = [&](const char* kind, int layer) {
    Settings filter = fixed;
    filter["kind"] = kind;
    if (layer >= 0) filter["layer"] = layer;
    std::vector<Row> rows = select(table, "risk", filter);
    std::ranges::sort(rows, {}, [&](const Row& row) { return row.settings.at(key).get<double>(); });
    return rows;
  };
  const auto predicted = [&](const char* name, const char* hue, const std::vector<Row>& rows) {
    Curve curve{name, Mark::line, hue, {}};
    for (const Row& row : rows) curve.points.push_back({row.settings.at(key), *row.prediction});
    return curve;
  };
  const double from = key == "rate" ? 0.1 : of("rotation", 0).front().settings.at(key).get<double>();
  const double to = of("rotation", 0).back().settings.at(key);
  panel.curves = {curve_of("Gaussian value", Mark::line, colour::kRotation, from, to, 40,
                           [&](double x) { return laws.linear(key == "rate" ? x : fixed.at("rate").get<double>()); }),
                  predicted("denoiser", colour::kDenoiser, of("rotation", 1)),
                  predicted(fmt::format("layer {}", kLayers).c_str(), colour::kLayers, of("rotation", kLayers)),
                  curve_of("", Mark::points, colour::kRotation, of("rotation", 0), key),
                  curve_of("", Mark::points, colour::kDenoiser, of("rotation", 1), key),
                  curve_of("", Mark::points, colour::kLayers, of("rotation", kLayers), key),
                  curve_of("trained, linear", Mark::hollow, colour::kTrained, of("trained", -1), key)};
  return panel;
}

Panel paths(const Table& table, const Laws& laws) {
  Panel panel{"Training encoder and linear decoder, r = 1", "step", "risk on held-out images"};
  const Settings shown = {{"kind", "trained"}, {"rate", 1.0}};
  const auto rows = select(table, "path", shown);
  panel.curves.push_back(curve_of("Gaussian value", Mark::line, colour::kRotation, 0, rows.front().settings.at("steps"),
                                  2, [&](double) { return laws.linear(1); }));
  std::size_t k = 0;
  for (const auto& keep : values_of(rows, "keep")) {
    Settings filter = shown;
    filter["keep"] = keep;
    panel.curves.push_back(curve_of(fmt::format("keep = {}", keep.get<double>()), Mark::trace,
                                    colour::kFamily[k++ % std::size(colour::kFamily)], select(table, "path", filter),
                                    "step"));
  }
  return panel;
}

Findings findings(const Table& table, const Laws& laws) {
  Findings out;
  out.verdicts = verdicts(table, laws);
  Panel by_keep{"Masked, whitened dogs, r = 1", "share of coordinates kept", "risk (1 = knowing nothing)"};
  by_keep.y_low = 0.03;
  by_keep.y_high = 0.5;
  by_keep.x_high = 1.03;
  Panel by_rate{fmt::format("Masked, whitened dogs, {} kept", kKeep), "rate r (bits per dimension)",
                "risk (1 = knowing nothing)"};
  by_rate.y_high = 1;
  out.panels = {against(table, laws, "keep", {{"rate", 1.0}}, by_keep),
                against(table, laws, "rate", {{"keep", kKeep}}, by_rate), paths(table, laws)};
  const auto at = [&](int layer) {
    return select(table, "risk", {{"kind", "rotation"}, {"keep", kKeep}, {"rate", 1.0}, {"layer", layer}}).front();
  };
  out.paragraphs.emplace_back(fmt::format(
      "5000 dogs of CIFAR-10, 2 × 2 pixels averaged so that the remaining 768 coordinates can be whitened from 4500 "
      "images; 500 others are measured. Masks are fresh at every visit in training and fixed for the images that are "
      "measured. With {} kept, r = 1: {:.4f} ± {:.4f} linear, {:.4f} with the denoiser, {:.4f} after {} layers; the "
      "Gaussian value is {:.4f}.",
      kKeep, at(0).value, at(0).standard_error, at(1).value, at(kLayers).value, kLayers, laws.linear(1)));
  const auto sparsest = select(table, "risk", {{"kind", "rotation"}, {"keep", 0.05}, {"layer", kLayers}});
  if (!sparsest.empty()) {
    const Row& row = sparsest.front();
    out.paragraphs.emplace_back(fmt::format(
        "With 0.05 kept, 38 of 768 coordinates are left on average, and state evolution, a law of large numbers, says "
        "less: {:.4f} ± {:.4f} after {} layers where it predicts {:.4f}. Independent sparse Gaussian vectors of that "
        "dimension and sparsity are about 8 % above their prediction (signfold simulate --prior sparse-gaussian:0.05 "
        "--dim 768 --rate 1 --decoder rigamp:{}); the rest is what images are not.",
        row.value, row.standard_error, kLayers, *row.prediction, kLayers));
  }
  const auto whole = select(table, "risk", {{"kind", "trained"}, {"keep", 1.0}, {"rate", 1.0}});
  if (!whole.empty()) {
    out.paragraphs.emplace_back(fmt::format(
        "Without masks, every visit to an image is the same, and training learns the 4500 images by heart: {:.4f} on "
        "the held-out ones, above the Gaussian value.",
        whole.front().value));
  }
  return out;
}

}  // namespace

Figure cifar_figure() {
  return {.name = "cifar",
          .title = "Masked and whitened CIFAR-10 images (dog)",
          .paper =
              "On whitened images whose coordinates are masked at random, a trained linear decoder again has the "
              "Gaussian value; denoiser and multi-layer decoder are below it.",
          .points = points,
          .measure = measure,
          .predict = predict,
          .findings = findings,
          .missing = missing};
}

}  // namespace signfold::experiment
