// signfold eval: the measured risk of a model on vectors, beside the predicted one.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string model;
  std::string data;
  std::optional<std::size_t> search;
};

Report eval(const Options& options, const Common& common) {
  const Model model = load_model(options.model);
  check_search(model, options.search.value_or(0));
  const auto source = open_source(options.data);
  const Evaluation evaluation = evaluate(model, *source, {common.threads, progress_line("eval"), options.search});

  Report report;
  report.json = {{"vectors", evaluation.vectors}, {"bits_per_vector", model.bits_per_vector()}};
  if (model.staged) {
    report.json["prefixes"] = prefixes_json(model, evaluation.prefixes);
  } else {
    report.json.update(evaluation_json(evaluation));
  }
  report.json["vectors_per_second"] = speeds_json(evaluation);
  if (model.staged) {
    report.text =
        fmt::format("{}\n{} bits per vector in {} stages\n\n{}\n{}", source->description(), model.bits_per_vector(),
                    model.depth(), prefixes_table(model, evaluation.prefixes, true), speeds_text(evaluation));
    return report;
  }
  report.text = fmt::format(
      "{}\n{} bits per vector (scale: {}), encoder {}, decoder's basis {}\n\n{}\n{}", source->description(),
      model.bits_per_vector(), to_string(model.scale), model.encoder->name(), model.network->basis().name(),
      evaluation_table(evaluation, model.network && !model.network->parameters().mlp.empty()), speeds_text(evaluation));
  if (!model.transform.eigenvectors.empty()) {
    report.text +=
        "\nnote: the model whitens; its predictions are about whitened coordinates, the measurements are not\n";
  }
  return report;
}
}  // namespace

Action declare_eval(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "Model file (.sfm)")->required()->type_name("");
  app.add_option("DATA", options->data, "File of vectors")->required()->type_name("");
  add_search(app, options->search);
  app.footer(help_footer({{"Risk", "sum of (x - x^)^2 over sum of (x - training mean)^2; 1 = knowing nothing\n"}},
                         "signfold eval m.sfm test.npy"));
  return [options, &common] { return eval(*options, common); };
}

}  // namespace signfold::cli
