// Real images, MNIST and Fashion-MNIST: what shape a trained encoder takes, and what depth gains.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"
#include "signfold/codec/stages_for_rate.h"
#include "signfold/codec/train.h"
#include "signfold/decoder/decoder.h"
#include "signfold/encoder/dense.h"
#include "signfold/experiment/figures.h"

namespace signfold::experiment {
namespace {

constexpr std::size_t kSide = 28;
constexpr std::size_t kPixels = kSide * kSide;
constexpr int kLayers = 4;
constexpr const char* kTrainFile = "train-images-idx3-ubyte.gz";
constexpr const char* kTestFile = "t10k-images-idx3-ubyte.gz";

struct DataSet {
  const char* name;
  const char* title;
  const char* package;  ///< where else it may lie
  const char* source;   ///< where to get it
};
constexpr std::array kDataSets = {
    DataSet{"mnist", "MNIST", "",
            "http://yann.lecun.com/exdb/mnist/ or the mirror https://ossci-datasets.s3.amazonaws.com/mnist/"},
    DataSet{"fashion-mnist", "Fashion-MNIST", "/usr/share/datasets/fashion-mnist",
            "the Debian package dataset-fashion-mnist or https://github.com/zalandoresearch/fashion-mnist"}};

Matrix<float> copy_of(MatrixView<const float> a) {
  Matrix<float> out(a.rows, a.cols);
  for (std::size_t i = 0; i < a.rows; ++i) std::ranges::copy(a.row(i), out.row(i).begin());
  return out;
}

/// The directory that holds the data set; empty = nowhere.
std::string directory_of(const DataSet& data, const Context& context) {
  for (const std::string& place : {fmt::format("{}/{}", context.data, data.name), std::string(data.package)}) {
    if (place.empty()) continue;
    const auto has = [&](const char* file) { return std::filesystem::exists(fmt::format("{}/{}", place, file)); };
    if (has(kTrainFile) && has(kTestFile)) return place;
  }
  return {};
}

std::string missing(const Context& context) {
  std::string text;
  for (const DataSet& data : kDataSets) {
    if (!directory_of(data, context).empty()) continue;
    text +=
        fmt::format("{}{}/{} does not hold {} and {}; get them from {}, or name the directory above {}/ with --data",
                    text.empty() ? "" : ". ", context.data, data.name, kTrainFile, kTestFile, data.source, data.name);
  }
  return text;
}

/// All rates at once: the law and the axes are learned once.
Point rotation(const DataSet& data, const char* rates, std::size_t rows) {
  return {{{"data", data.name}, {"kind", "rotation"}, {"rates", rates}, {"layers", kLayers}, {"rows", rows}},
          11 + 1.5e-3 * static_cast<double>(rows)};
}

Point trained(const DataSet& data, double rate, std::size_t steps) {
  return {{{"data", data.name}, {"kind", "trained"}, {"rate", rate}, {"steps", steps}},
          1 + 1.3e-3 * static_cast<double>(steps) * (0.5 + rate * 4)};
}

Point network(const DataSet& data, double rate, std::size_t hidden, std::size_t steps) {
  return {{{"data", data.name}, {"kind", "network"}, {"rate", rate}, {"hidden", hidden}, {"steps", steps}},
          1 + 3e-3 * static_cast<double>(steps) * (rate * 4 + static_cast<double>(hidden) / 512)};
}

/// Prefixes of one code: bits of every stage, as text.
Point staged(const DataSet& data, const char* stages, std::size_t hidden, double epochs, double joint_epochs) {
  double bits = 0;
  for (const std::size_t b : parse_stages(stages)) bits += static_cast<double>(b);
  return {{{"data", data.name},
           {"kind", "staged"},
           {"stages", stages},
           {"hidden", hidden},
           {"epochs", epochs},
           {"joint epochs", joint_epochs}},
          1 + 0.012 * (bits + static_cast<double>(hidden)) * (epochs + 0.4 * joint_epochs)};
}

std::vector<Point> points(Effort effort) {
  const bool full = effort == Effort::full;
  std::vector<Point> out;
  for (const DataSet& data : kDataSets) {
    out.push_back(full ? rotation(data, "0.0625 0.125 0.25 0.5 1", 20000) : rotation(data, "0.125 0.25", 4000));
    for (const double rate : full ? std::vector{0.0625, 0.125, 0.25, 0.5, 1.0} : std::vector{0.125}) {
      out.push_back(trained(data, rate, full ? 4000 : 600));
    }
    for (const double rate : full ? std::vector{0.0625, 0.125, 0.25, 0.5} : std::vector{0.125}) {
      out.push_back(full ? network(data, rate, 1024, 3000) : network(data, rate, 128, 500));
    }
    out.push_back(full ? staged(data, "49,49,98,196,392", 256, 4, 16) : staged(data, "49,49", 64, 1, 1));
  }
  return out;
}

/// Risks of every layer of a model, measured and predicted.
void add_risks(const char* quantity, double rate, const Model& model, const std::string& directory,
               const Context& context, PointResult& result) {
  const Evaluation evaluation = evaluate(model, *open_source(directory + "/" + kTestFile), {context.threads, {}});
  for (std::size_t layer = 0; layer < evaluation.layers.size(); ++layer) {
    const LayerRisk& risk = evaluation.layers[layer];
    const Settings where = {{"rate", rate}, {"layer", layer}};
    result.measurements.push_back({quantity, where, risk.measured, risk.stderr_});
    result.measurements.push_back({std::string(quantity) + " predicted", where, risk.predicted, 0});
  }
}

/// The fast rotation with the layers for the profile learned in principal axes, and with a fitted affine decoder.
PointResult measure_rotation(const Settings& settings, const std::string& directory, const Context& context) {
  const std::string images = directory + "/" + kTrainFile;
  FitOptions options;
  options.encoder = "hadamard";
  options.decoder = fmt::format("rigamp:{}", settings.at("layers").get<int>());
  options.basis = "pca";
  options.max_rows = settings.at("rows");
  options.seed = context.seed;
  options.threads = context.threads;
  Model model = fit(*open_source(images), options);
  const BasisPtr basis = make_matrix_basis("pca", copy_of(model.network->basis().matrix()));
  const VectorPrior law = model.network->parameters().prior;

  PointResult result;
  std::istringstream rates(settings.at("rates").get<std::string>());
  for (double rate = 0; rates >> rate;) {
    model.encoder = make_encoder("hadamard", shape_for_rate(kPixels, rate), context.seed);
    model.network.emplace(model.encoder, basis, compile_decoder(parse_decoder(options.decoder), *model.encoder, law));
    add_risks("risk", rate, model, directory, context, result);
    FitOptions affine = options;
    affine.rate = rate;
    affine.decoder = "affine";
    affine.basis = "identity";
    affine.prior = "gaussian";  // least squares ask for none
    add_risks("affine", rate, fit(*open_source(images), affine), directory, context, result);
  }
  return result;
}

/// Standard deviation of every pixel.
std::vector<double> spreads(Source& source) {
  const Matrix<float> x = read_all(source);
  std::vector<double> out(x.cols());
  for (std::size_t j = 0; j < x.cols(); ++j) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < x.rows(); ++i) {
      sum += x(i, j);
      squares += static_cast<double>(x(i, j)) * x(i, j);
    }
    const auto count = static_cast<double>(x.rows());
    out[j] = std::sqrt(std::max(0.0, squares / count - sum * sum / (count * count)));
  }
  return out;
}

/// b_j σ_j: what pixel j moves a bit's sum by. Pixels that never change have a weight that training leaves alone.
Matrix<double> contributions(MatrixView<const float> b, const std::vector<double>& spread) {
  Matrix<double> out(b.rows, b.cols);
  for (std::size_t i = 0; i < b.rows; ++i) {
    for (std::size_t j = 0; j < b.cols; ++j) out(i, j) = b(i, j) * spread[j];
  }
  return out;
}

/// Median over rows of (Σ c²)²/Σ c⁴: how many pixels a bit watches.
double watched(const Matrix<double>& c) {
  std::vector<double> counts;
  for (std::size_t i = 0; i < c.rows(); ++i) {
    double second = 0;
    double fourth = 0;
    for (const double v : c.row(i)) {
      second += v * v;
      fourth += v * v * v * v;
    }
    counts.push_back(second * second / fourth);
  }
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::ranges::nth_element(counts, middle);
  return *middle;
}

/// The first rows as images, side by side, each over its largest size.
Picture rows_of(const Matrix<double>& c) {
  constexpr std::size_t kAcross = 6;
  constexpr std::size_t kTile = kSide + 2;
  Picture picture{"rows of B", kAcross * kTile, std::vector<float>(kAcross * kTile * kAcross * kTile)};
  for (std::size_t k = 0; k < std::min(c.rows(), kAcross * kAcross); ++k) {
    const auto row = c.row(k);
    const double largest = std::abs(*std::ranges::max_element(row, {}, [](double v) { return std::abs(v); }));
    for (std::size_t i = 0; i < kPixels; ++i) {
      const std::size_t y = k / kAcross * kTile + 1 + i / kSide;
      const std::size_t x = k % kAcross * kTile + 1 + i % kSide;
      picture.values[y * picture.cols + x] = static_cast<float>(std::round(100 * row[i] / largest) / 100);
    }
  }
  return picture;
}

PointResult train_encoder(const Settings& settings, const std::string& directory, const Context& context) {
  const bool deep = settings.at("kind") == "network";
  TrainRequest request;
  request.data = directory + "/" + kTrainFile;
  request.test = directory + "/" + kTestFile;
  request.rate = settings.at("rate");
  request.decoder = TrainedDecoder::untied;
  if (deep) request.decoder = {TrainedDecoder::network, settings.at("hidden").get<std::size_t>()};
  request.steps = settings.at("steps").get<std::size_t>();
  request.seed = context.seed;
  request.threads = context.threads;
  const Trained done = train(request);
  const std::vector<double> spread = spreads(*open_source(request.data));
  const Matrix<double> c = contributions(dense_matrix(*done.model.encoder), spread);
  const EncoderPtr haar = make_haar(done.model.encoder->shape(), context.seed);
  const Settings none = Settings::object();
  PointResult result;
  result.measurements = {{"risk", none, done.report.risk, done.report.stderr_},
                         {"pixels watched", none, watched(c), 0},
                         {"pixels watched by Haar", none, watched(contributions(dense_matrix(*haar), spread)), 0},
                         {"orthogonality", none, done.report.shape.orthogonality, 0}};
  if (!deep) result.pictures.push_back(rows_of(c));
  return result;
}

/// The risk of every prefix of a code in stages.
PointResult train_stages(const Settings& settings, const std::string& directory, const Context& context) {
  TrainRequest request;
  request.data = directory + "/" + kTrainFile;
  request.test = directory + "/" + kTestFile;
  request.stages = parse_stages(settings.at("stages"));
  request.hidden = {settings.at("hidden").get<std::size_t>()};
  request.epochs = settings.at("epochs").get<double>();
  request.joint_epochs = settings.at("joint epochs").get<double>();
  request.seed = context.seed;
  request.threads = context.threads;
  const Trained done = train(request);
  PointResult result;
  for (std::size_t s = 0; s < done.report.prefixes.size(); ++s) {
    const double rate = static_cast<double>(done.model.staged->bits(s + 1)) / kPixels;
    const LayerRisk& risk = done.report.prefixes[s];
    result.measurements.push_back({"risk", {{"stage", s + 1}, {"rate", rate}}, risk.measured, risk.stderr_});
  }
  return result;
}

PointResult measure(const Settings& settings, const Context& context) {
  const auto data = std::ranges::find(kDataSets, settings.at("data").get<std::string>(), &DataSet::name);
  const std::string directory = directory_of(*data, context);
  if (settings.at("kind") == "staged") return train_stages(settings, directory, context);
  return settings.at("kind") == "rotation" ? measure_rotation(settings, directory, context)
                                           : train_encoder(settings, directory, context);
}

/// The model predicts from the law it has learned: the prediction was stored beside the measurement.
void predict(Table& table, const Laws& laws) {
  for (Row& row : table.rows) {
    if (row.settings.at("kind") != "rotation" || row.quantity.ends_with("predicted")) continue;
    const bool linear = row.quantity == "risk" && row.settings.at("layer") == 0;
    row.prediction = select(table, row.quantity + " predicted", row.settings).front().value;
    if (linear) row.prediction = laws.linear(row.settings.at("rate"));
  }
}

/// The last layer of every rate.
std::vector<Row> deepest(const Table& table, const DataSet& data) {
  std::vector<Row> out;
  for (const Row& row : select(table, "risk", {{"data", data.name}, {"kind", "rotation"}})) {
    if (!out.empty() && out.back().settings.at("rate") == row.settings.at("rate")) out.pop_back();
    out.push_back(row);
  }
  return out;
}

Panel risks(const Table& table, const DataSet& data) {
  Panel panel{fmt::format("{}, 28 × 28", data.title), "rate r (bits per pixel)", "risk (error over variance)"};
  panel.log_y = true;
  panel.y_low = 0.015;
  panel.y_high = 1;
  panel.x_low = 0;
  const auto of = [&](const char* quantity, const char* kind) {
    return select(table, quantity, {{"data", data.name}, {"kind", kind}});
  };
  const auto predicted = [](const char* name, const char* hue, const std::vector<Row>& rows) {
    Curve curve{name, Mark::line, hue, {}};
    for (const Row& row : rows) curve.points.push_back({row.settings.at("rate"), *row.prediction});
    return curve;
  };
  const auto linear = select(table, "risk", {{"data", data.name}, {"kind", "rotation"}, {"layer", 0}});
  panel.curves = {predicted("rotation, linear", colour::kRotation, linear),
                  predicted("rotation, affine", colour::kIdentity, of("affine", "rotation")),
                  predicted("rotation, multi-layer", colour::kLayers, deepest(table, data)),
                  curve_of("", Mark::points, colour::kRotation, linear, "rate"),
                  curve_of("", Mark::points, colour::kIdentity, of("affine", "rotation"), "rate"),
                  curve_of("", Mark::points, colour::kLayers, deepest(table, data), "rate"),
                  curve_of("trained, linear", Mark::hollow, colour::kTrained, of("risk", "trained"), "rate"),
                  curve_of("trained, network", Mark::hollow, colour::kBayes, of("risk", "network"), "rate"),
                  curve_of("trained, stages", Mark::points, colour::kDenoiser, of("risk", "staged"), "rate")};
  return panel;
}

Panel by_layer(const Table& table, const DataSet& data) {
  Panel panel{fmt::format("{}: layers of the rotation's decoder", data.title), "layer (0 = linear decoder)",
              "risk (error over variance)"};
  panel.whole_x = true;
  panel.log_y = true;
  panel.y_high = 1;
  const auto rows = select(table, "risk", {{"data", data.name}, {"kind", "rotation"}});
  std::size_t k = 0;
  for (const auto& rate : values_of(rows, "rate")) {
    const char* hue = colour::kFamily[k++ % std::size(colour::kFamily)];
    Curve line{"", Mark::line, hue, {}};
    const auto of_rate = select(table, "risk", {{"data", data.name}, {"kind", "rotation"}, {"rate", rate}});
    for (const Row& row : of_rate) line.points.push_back({row.settings.at("layer"), *row.prediction});
    panel.curves.push_back(line);
    panel.curves.push_back(curve_of(fmt::format("r = {}", rate.get<double>()), Mark::points, hue, of_rate, "layer"));
  }
  return panel;
}

std::vector<Verdict> verdicts(const Table& table) {
  std::vector<Row> layers;
  std::vector<Comparison> depth;
  std::vector<Comparison> pixels;
  std::vector<Comparison> network;
  std::vector<Comparison> stages;
  for (const DataSet& data : kDataSets) {
    for (const Row& row : deepest(table, data)) {
      const Row linear =
          select(table, "risk",
                 {{"data", data.name}, {"kind", "rotation"}, {"rate", row.settings.at("rate")}, {"layer", 0}})
              .front();
      depth.push_back({fmt::format("{}, r = {}", data.title, row.settings.at("rate").get<double>()), row.value,
                       row.standard_error, linear.value});
    }
    for (const Row& row : select(table, "pixels watched", {{"data", data.name}, {"kind", "trained"}})) {
      const Row haar = select(table, "pixels watched by Haar", row.settings).front();
      pixels.push_back(
          {fmt::format("{}, r = {}", data.title, row.settings.at("rate").get<double>()), row.value, 0, haar.value});
    }
    for (const Row& row : select(table, "risk", {{"data", data.name}, {"kind", "network"}})) {
      const auto linear =
          select(table, "risk", {{"data", data.name}, {"kind", "trained"}, {"rate", row.settings.at("rate")}});
      network.push_back({fmt::format("{}, r = {}", data.title, row.settings.at("rate").get<double>()), row.value,
                         row.standard_error, linear.front().value});
    }
    for (const Row& row : select(table, "risk", {{"data", data.name}, {"kind", "staged"}})) {
      const auto linear =
          select(table, "risk", {{"data", data.name}, {"kind", "trained"}, {"rate", row.settings.at("rate")}});
      if (linear.empty()) continue;
      stages.push_back({fmt::format("{}, r = {}", data.title, row.settings.at("rate").get<double>()), row.value,
                        row.standard_error, linear.front().value});
    }
  }
  for (const Row& row : select(table, "risk", {{"kind", "rotation"}})) layers.push_back(row);
  constexpr const char* kPaper = "the paper, its experiments on MNIST";
  return {
      compare("A rotation and its layers have the risk predicted from the law learned on the training images",
              "docs/math.md section 8", comparisons(layers, {"data", "rate", "layer"}), {.relative = 0.06}),
      below("Depth gains: the multi-layer decoder is below the linear one, on the same bits", kPaper, depth),
      below("Trained together with its encoder a decoder with a hidden layer is below the linear one", kPaper, network),
      below("A code in stages is below a linear pair of as many bits, with every prefix", "docs/math.md section 13",
            stages),
      below("Trained encoders are more local than a rotation: a bit watches fewer pixels",
            "the question of this figure", pixels, 0)};
}

Findings findings(const Table& table, const Laws& /*laws*/) {
  Findings out;
  out.verdicts = verdicts(table);
  for (const DataSet& data : kDataSets) out.panels.push_back(risks(table, data));
  for (const DataSet& data : kDataSets) out.panels.push_back(by_layer(table, data));
  for (const DataSet& data : kDataSets) {
    for (const PictureRow& row : table.pictures) {
      if (row.settings.at("data") != data.name || row.settings.at("rate") != 0.125) continue;
      Panel panel{fmt::format("{}, r = 1/8: 36 rows of the trained B", data.title), "pixel", "pixel"};
      panel.picture = row.picture;
      out.panels.push_back(panel);
    }
  }
  std::string text;
  for (const DataSet& data : kDataSets) {
    const auto at = [&](const char* kind) {
      return select(table, "risk", {{"data", data.name}, {"kind", kind}, {"rate", 0.125}});
    };
    text += fmt::format(
        "{}{}, {} bits: {:.4f} for a rotation with a linear decoder, {:.4f} with its multi-layer decoder, {:.4f} for a "
        "trained linear pair, {:.4f} with a hidden layer.",
        text.empty() ? "" : " ", data.title, kPixels / 8, at("rotation").front().value, at("rotation").back().value,
        at("trained").front().value, at("network").front().value);
  }
  out.paragraphs.emplace_back(text);
  out.paragraphs.emplace_back(
      "Images are not independent coordinates: an encoder that is trained on them finds local patches and edges, "
      "neither a rotation nor a permutation. Red and blue in the pictures are weights of opposite sign, times the "
      "spread of the pixel. The multi-layer decoder works in principal axes, with a law per axis learned from the "
      "training images; its bits know nothing of the data, its norm costs 16 bits more. A code in "
      "stages is one code, cut where a point is: each stage encodes what those before it missed.");
  return out;
}

}  // namespace

Figure mnist_figure() {
  return {.name = "mnist",
          .title = "MNIST and Fashion-MNIST: shape and depth",
          .paper = "The findings carry over to images: what a linear decoder misses, nonlinearities and depth gain.",
          .points = points,
          .measure = measure,
          .predict = predict,
          .findings = findings,
          .missing = missing};
}

}  // namespace signfold::experiment
