// signfold encode: a file of vectors to a file of codes.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/stopwatch.h"
#include "signfold/cli/streams.h"
#include "signfold/cli/text.h"
#include "signfold/codec/blocks.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string model;
  std::string data;
  std::string out;
  std::optional<std::size_t> search;
};

Report encode(const Options& options, const Common& common) {
  check_replaces_nothing(options.out, {options.model, file_of_vectors(options.data)});
  const Model model = load_model(options.model);
  const auto source = open_vectors(options.data);
  check_dimension(model, *source);  // before a pipe has seen a byte
  check_search(model, options.search.value_or(0));
  const auto out = open_output(options.out);
  const Stopwatch watch;
  const std::uint64_t vectors =
      encode_file(model, *source, *out, {common.threads, progress_line("encode"), options.search});
  const double per_second = watch.rate(vectors);
  const std::uint64_t bytes = out->size();

  Report report;
  report.to_stderr = is_standard_output(options.out);
  report.json = {{"codes", options.out},
                 {"vectors", vectors},
                 {"bits_per_vector", model.bits_per_vector()},
                 {"bytes", bytes},
                 {"vectors_per_second", per_second}};
  report.text = fmt::format("{}: {} vectors of {} coordinates, {} bits each (scale: {}), {}, {} vectors/s\n",
                            shown(options.out), vectors, model.dim(), model.bits_per_vector(), to_string(model.scale),
                            size(bytes), speed(per_second));
  if (model.staged && options.search.value_or(model.search_rounds) == model.search_rounds) {
    const double risk = model.predicted_risk(model.depth());
    report.json["predicted"] = risk;
    report.text += fmt::format("{}: {} (first stage alone {})\n",
                               model.staged->wants_unit_norm() ? "predicted risk" : "risk when trained", number(risk),
                               number(model.predicted_risk(1)));
  }
  if (model.network) {  // a model may be made for encoding alone
    const double predicted = model.predicted_risk(model.network->layers());
    report.json["predicted"] = predicted;
    report.text +=
        fmt::format("predicted risk of decoding: {} (linear {})\n", number(predicted), number(model.predicted_risk(0)));
  }
  return report;
}
}  // namespace

Action declare_encode(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "Model file (.sfm)")->required()->type_name("");
  app.add_option("DATA", options->data, "File of vectors; - for a .npy or IDX stream on standard input")
      ->required()
      ->type_name("");
  app.add_option("--out", options->out, "Code file to write (.sfc); - for standard output")
      ->required()
      ->type_name("FILE");
  add_search(app, options->search);
  app.footer(help_footer({},
                         "signfold encode m.sfm test.npy --out test.sfc\n"
                         "zcat test.npy.gz | signfold encode m.sfm - --out - | ssh host 'cat > test.sfc'"));
  return [options, &common] { return encode(*options, common); };
}

}  // namespace signfold::cli
