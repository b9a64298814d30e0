// signfold encode: a file of vectors to a file of codes.
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
  std::string model;
  std::string data;
  std::string out;
};

Report encode(const Options& options, const Common& common) {
  const Model model = load_model(options.model);
  const auto source = open_source(options.data);
  const Stopwatch watch;
  const std::uint64_t vectors = encode_file(model, *source, options.out, {common.threads, progress_line("encode")});
  const double per_second = watch.rate(vectors);
  const std::uint64_t bytes = std::filesystem::file_size(options.out);
  const int layers = model.network->layers();

  Report report;
  report.json = {{"codes", options.out},
                 {"vectors", vectors},
                 {"bits_per_vector", model.bits_per_vector()},
                 {"bytes", bytes},
                 {"vectors_per_second", per_second},
                 {"predicted", model.predicted_risk(layers)}};
  report.text = fmt::format(
      "{}: {} vectors of {} coordinates, {} bits each (scale: {}), {}, {} vectors/s\n"
      "predicted risk of decoding: {} (linear {})\n",
      options.out, vectors, model.dim(), model.bits_per_vector(), to_string(model.scale), size(bytes),
      speed(per_second), number(model.predicted_risk(layers)), number(model.predicted_risk(0)));
  return report;
}
}  // namespace

Action declare_encode(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "Model file (.sfm)")->required()->type_name("");
  app.add_option("DATA", options->data, "File of vectors")->required()->type_name("");
  app.add_option("--out", options->out, "Code file to write (.sfc)")->required()->type_name("FILE");
  app.footer(help_footer({}, "signfold encode m.sfm test.npy --out test.sfc"));
  return [options, &common] { return encode(*options, common); };
}

}  // namespace signfold::cli
