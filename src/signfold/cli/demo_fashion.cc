#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "signfold/cli/demo.h"
#include "signfold/cli/image.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/stopwatch.h"
#include "signfold/cli/text.h"
#include "signfold/codec/fit.h"

namespace signfold::cli {

const char* const kFashionPackage = "dataset-fashion-mnist";

namespace {
constexpr const char* kTrain = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
constexpr const char* kTest = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
constexpr std::size_t kSide = 28;
constexpr std::size_t kShown = 12;  ///< the first test images, in the order of the file: not chosen by looks

struct Budget {
  double rate;
  const char* name;  ///< in file names
  const char* label;
};
constexpr std::array kBudgets = {Budget{1, "1bpp", "1 bit per pixel"},
                                 Budget{0.125, "eighth-bpp", "1/8 bit per pixel"}};

/// A row of pictures with what to write beside it.
struct PictureRow {
  std::string title;
  std::string subtitle;
  Matrix<float> images;
};

struct Outcome {
  Report report;
  std::vector<PictureRow> rows;
};

Matrix<float> first_test_images() {
  Matrix<float> images(kShown, kSide * kSide);
  open_source(kTest)->read(images);
  return images;
}

/// Encodes the shown images alone and decodes them with the given number of layers. (Neighbours do not matter.)
Matrix<float> reconstruct(const Model& model, const Matrix<float>& images, int layers) {
  Matrix<std::uint8_t> codes(images.rows(), code_bytes(model.bits()));
  std::vector<float> scales(images.rows());
  Matrix<float> restored(images.rows(), images.cols());
  encode_rows(model, images, codes, scales);
  decode_rows(model, codes, scales, layers, restored);
  return restored;
}

int best_layer(const Evaluation& evaluation) {
  const auto best = std::min_element(evaluation.layers.begin(), evaluation.layers.end(),
                                     [](const LayerRisk& a, const LayerRisk& b) { return a.measured < b.measured; });
  return static_cast<int>(best - evaluation.layers.begin());
}

Outcome run_budget(const Budget& budget, const std::string& out, const Matrix<float>& shown, const Common& common) {
  const std::string model_path = fmt::format("{}/fashion-{}.sfm", out, budget.name);
  const std::string code_path = fmt::format("{}/fashion-{}.sfc", out, budget.name);
  const auto progress = [&](const char* what) { return progress_line(fmt::format("{}: {}", budget.label, what)); };

  FitOptions options;
  options.rate = budget.rate;
  options.encoder = "hadamard";
  options.basis = "pca";
  options.threads = common.threads;
  options.progress = progress("fit");
  const Stopwatch watch;
  const Model model = fit(*open_source(kTrain), options);
  const double fit_seconds = watch.seconds();
  save_model(model, model_path);
  encode_file(model, *open_source(kTest), code_path, {common.threads, progress("encode")});
  const Evaluation evaluation = evaluate(model, *open_source(kTest), {common.threads, progress("evaluate")});
  const std::uint64_t code_size = std::filesystem::file_size(code_path);
  const std::uint64_t model_size = std::filesystem::file_size(model_path);
  const std::uint64_t pixels = evaluation.vectors * model.dim();
  const int best = best_layer(evaluation);

  Outcome outcome;
  outcome.report.json = {
      {"rate", budget.rate}, {"vectors", evaluation.vectors}, {"bits_per_vector", model.bits_per_vector()}};
  outcome.report.json.update(evaluation_json(evaluation));
  outcome.report.json.update({{"model", model_path},
                              {"model_bytes", model_size},
                              {"codes", code_path},
                              {"code_bytes", code_size},
                              {"pixel_bytes", pixels},
                              {"fit_seconds", fit_seconds},
                              {"vectors_per_second", speeds_json(evaluation)}});
  outcome.report.text = fmt::format(
      "{}: {} bits stored per image, norm included\n\n{}\n"
      "test set {} -> {} ({:.1f} times smaller); the model, {}, is shared by all images\nfit {:.1f} s, {}",
      budget.label, model.bits_per_vector(), evaluation_table(evaluation), size(pixels), size(code_size),
      static_cast<double>(pixels) / static_cast<double>(code_size), size(model_size), fit_seconds,
      speeds_text(evaluation));
  const auto error = [&](int layer) {
    return fmt::format("error {:.3f}", evaluation.layers[static_cast<std::size_t>(layer)].measured);
  };
  outcome.rows.push_back({fmt::format("{}, linear", budget.label), error(0), reconstruct(model, shown, 0)});
  outcome.rows.push_back(
      {fmt::format("{}, layer {}", budget.label, best), error(best), reconstruct(model, shown, best)});
  return outcome;
}

Image picture(const std::vector<PictureRow>& rows) {
  constexpr std::size_t kZoom = 3;
  constexpr std::size_t kTile = kSide * kZoom;
  constexpr std::size_t kGap = 6;
  constexpr std::size_t kGroupGap = 18;  ///< before rows of another number of bits
  constexpr std::size_t kMargin = 24;
  constexpr std::size_t kTextZoom = 2;
  constexpr std::size_t kLine = 22;
  constexpr std::uint8_t kPaper = 255;

  std::size_t label_width = 0;
  for (const PictureRow& row : rows) label_width = std::max(label_width, text_width(row.title, kTextZoom));
  const std::size_t left = kMargin + label_width + kMargin;
  const std::size_t groups = (rows.size() + 1) / 2;  // the originals, then two rows per budget
  Image image(left + kShown * (kTile + kGap) - kGap + kMargin,
              2 * kMargin + rows.size() * (kTile + kGap) - kGap + (groups - 1) * kGroupGap, kPaper);
  std::size_t y = kMargin;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (r % 2 == 1) y += kGroupGap;
    draw_text(image, kMargin, y + kTile / 2 - kLine, rows[r].title, kTextZoom);
    draw_text(image, kMargin, y + kTile / 2 + kLine / 4, rows[r].subtitle, kTextZoom);
    for (std::size_t i = 0; i < kShown; ++i) {
      draw_values(image, left + i * (kTile + kGap), y, rows[r].images.row(i), kSide, kZoom);
    }
    y += kTile + kGap;
  }
  return image;
}
}  // namespace

std::optional<Report> demo_fashion(const std::string& out, const Common& common) {
  if (!std::filesystem::exists(kTrain) || !std::filesystem::exists(kTest)) return std::nullopt;
  std::vector<PictureRow> rows;
  rows.push_back({"original", "8 bits per pixel", first_test_images()});
  Report report;
  report.json = {{"budgets", nlohmann::ordered_json::array()}};
  report.text =
      "2. Fashion-MNIST\n"
      "Clothes in 28 x 28 pixels. Fitted on the 60000 training images; measured on the 10000 test images. The "
      "rotation\n"
      "never saw the data; the decoder knows the principal axes and the law of the coordinates along them.\n"
      "Risk: squared error over the energy around the training mean.\n";
  for (const Budget& budget : kBudgets) {
    Outcome outcome = run_budget(budget, out, rows.front().images, common);
    report.json["budgets"].push_back(outcome.report.json);
    report.text += "\n" + outcome.report.text;
    for (PictureRow& row : outcome.rows) rows.push_back(std::move(row));
  }
  const std::string png = out + "/fashion.png";
  write_png(picture(rows), png);
  report.json["png"] = png;
  report.text += fmt::format("\nThe first {} test images and their reconstructions: {}\n", kShown, png);
  return report;
}

}  // namespace signfold::cli
