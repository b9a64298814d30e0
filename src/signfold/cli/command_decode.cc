// signfold decode: a file of codes back to vectors.
#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/stopwatch.h"
#include "signfold/cli/streams.h"
#include "signfold/cli/text.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string codes;
  std::string model;
  std::string out;
  std::string rows;  ///< empty = all
  int layers = -1;
  int stages = 0;  ///< 0 = as many as the file has
};

/// One end of A:B, or I; counted from the end when negative.
std::uint64_t row_number(const std::string& rows, std::string_view text, std::uint64_t count) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) {
    fail("--rows {}: write it as A:B (vectors A to B - 1, counted from 0; A or B may be left out), or I for one", rows);
  }
  const auto size = static_cast<std::int64_t>(count);  // at most 2^40
  if (value > size || value < -size) fail("--rows {}: there are {} vectors", rows, count);
  return static_cast<std::uint64_t>(value < 0 ? value + size : value);
}

/// The vectors of a file of `count` that a slice means.
RowRange row_range(const std::string& rows, std::uint64_t count) {
  if (rows.empty()) return {};
  const std::size_t colon = rows.find(':');
  const std::string_view text = rows;
  if (colon == std::string::npos) {
    const std::uint64_t row = row_number(rows, text, count);
    if (row >= count) fail("--rows {}: there are {} vectors, counted from 0", rows, count);
    return {row, 1};
  }
  const std::string_view begin = text.substr(0, colon);
  const std::string_view end = text.substr(colon + 1);
  const std::uint64_t first = begin.empty() ? 0 : row_number(rows, begin, count);
  const std::uint64_t last = end.empty() ? count : row_number(rows, end, count);
  if (first >= last) fail("--rows {} holds no vector of {}", rows, count);
  return {first, last - first};
}

CodeReader open_codes(const std::string& path) {
  return is_input_stream(path) ? CodeReader(open_stream(path)) : CodeReader(path);
}

void check_depth(const Options& options, const Model& model) {
  if (!model.can_decode()) fail("{} has no decoder", options.model);
  if (model.staged) {
    if (options.layers != -1) fail("{} has stages, not layers: take --stages", options.model);
    if (options.stages > model.depth())
      fail("{} has {} stages: take --stages 1 to {}, not {}", options.model, model.depth(), model.depth(),
           options.stages);
    return;
  }
  if (options.stages != 0) fail("{} has no stages: take --layers", options.model);
  if (options.layers < -1 || options.layers > model.depth()) {
    fail("--layers must be 0 (linear) to {}, the layers of {}, or -1 for all; not {}", model.depth(), options.model,
         options.layers);
  }
}

Report decode(const Options& options, const Common& common) {
  check_replaces_nothing(options.out, {options.codes, options.model});
  const Model model = load_model(options.model);
  check_depth(options, model);
  CodeReader codes = open_codes(options.codes);
  check_codes(model, codes);  // before a pipe has seen a byte
  const int all = model.staged ? static_cast<int>(stages_of(codes.header()).size()) : model.depth();
  const int wanted = model.staged && options.stages > 0 ? options.stages : options.layers;
  const RowRange rows = row_range(options.rows, codes.header().count);
  const auto out = open_output(options.out);
  const Stopwatch watch;
  const std::uint64_t vectors =
      decode_file(model, codes, *out, wanted, rows, {common.threads, progress_line("decode")});
  const double per_second = watch.rate(vectors);
  const std::uint64_t bytes = out->size();
  const int layers = wanted < 0 ? all : wanted;
  const std::string depth = model.staged ? "stages" : "layers";

  Report report;
  report.to_stderr = is_standard_output(options.out);
  report.json = {{"vectors_file", options.out},
                 {"vectors", vectors},
                 {"first", rows.first},
                 {"dim", model.dim()},
                 {depth, layers},
                 {"bytes", bytes},
                 {"vectors_per_second", per_second},
                 {"predicted", model.predicted_risk(layers)}};
  report.text = fmt::format("{}: {} vectors of {} coordinates, {} {}, {}, {} vectors/s\n{}: {}\n", shown(options.out),
                            vectors, model.dim(), layers, depth, size(bytes), speed(per_second),
                            model.staged && !model.staged->wants_unit_norm() ? "risk when trained" : "predicted risk",
                            number(model.predicted_risk(layers)));
  return report;
}
}  // namespace

Action declare_decode(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("CODES", options->codes, "Code file (.sfc); - for standard input")->required()->type_name("");
  app.add_option("--model", options->model, "Model file (.sfm); one with another decoder will do")
      ->required()
      ->type_name("FILE");
  app.add_option("--out", options->out, "File to write (.npy, float32); - for standard output")
      ->required()
      ->type_name("FILE");
  app.add_option(
         "--rows", options->rows,
         "Only vectors A to B - 1, counted from 0 (from the end if negative), or only vector I; not from a pipe")
      ->type_name("A:B|I");
  app.add_option("--layers", options->layers, "Layers to run: 0 = linear, -1 = all")
      ->type_name("L")
      ->capture_default_str();
  app.add_option("--stages", options->stages, "Stages of a staged code to use (default: all that the file has)")
      ->type_name("S")
      ->check(at_least(1));
  app.footer(help_footer({},
                         "signfold decode test.sfc --model m.sfm --out back.npy\n"
                         "signfold decode test.sfc --model m.sfm --rows 100:110 --out ten.npy"));
  return [options, &common] { return decode(*options, common); };
}

}  // namespace signfold::cli
