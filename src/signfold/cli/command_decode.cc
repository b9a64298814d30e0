// signfold decode: a file of codes back to vectors.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/stopwatch.h"
#include "signfold/cli/text.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string codes;
  std::string model;
  std::string out;
  int layers = -1;
};

Report decode(const Options& options, const Common& common) {
  const Model model = load_model(options.model);
  const int all = model.network->layers();
  if (options.layers < -1 || options.layers > all) {
    fail("--layers must be 0 (linear) to {}, the layers of {}, or -1 for all; not {}", all, options.model,
         options.layers);
  }
  const Stopwatch watch;
  const std::uint64_t vectors =
      decode_file(model, options.codes, options.out, options.layers, {common.threads, progress_line("decode")});
  const double per_second = watch.rate(vectors);
  const std::uint64_t bytes = std::filesystem::file_size(options.out);
  const int layers = options.layers < 0 ? all : options.layers;

  Report report;
  report.json = {{"vectors_file", options.out},
                 {"vectors", vectors},
                 {"dim", model.dim()},
                 {"layers", layers},
                 {"bytes", bytes},
                 {"vectors_per_second", per_second},
                 {"predicted", model.predicted_risk(layers)}};
  report.text =
      fmt::format("{}: {} vectors of {} coordinates, {} layers, {}, {} vectors/s\npredicted risk: {}\n", options.out,
                  vectors, model.dim(), layers, size(bytes), speed(per_second), number(model.predicted_risk(layers)));
  return report;
}
}  // namespace

Action declare_decode(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("CODES", options->codes, "Code file (.sfc)")->required()->type_name("");
  app.add_option("--model", options->model, "Model file (.sfm); one with another decoder will do")
      ->required()
      ->type_name("FILE");
  app.add_option("--out", options->out, "File to write (.npy, float32)")->required()->type_name("FILE");
  app.add_option("--layers", options->layers, "Layers to run: 0 = linear, -1 = all")
      ->type_name("L")
      ->capture_default_str();
  app.footer(help_footer({}, "signfold decode test.sfc --model m.sfm --out back.npy"));
  return [options, &common] { return decode(*options, common); };
}

}  // namespace signfold::cli
