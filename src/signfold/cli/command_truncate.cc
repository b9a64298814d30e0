// signfold truncate: fewer stages of a staged code file.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "signfold/cli/commands.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/streams.h"
#include "signfold/cli/text.h"
#include "signfold/codec/truncate.h"

namespace signfold::cli {
namespace {
struct Options {
  std::string codes;
  std::string out;  ///< empty = in place
  std::size_t stages = 1;
};

Report truncate(const Options& options) {
  if (is_input_stream(options.codes) || is_output_stream(options.out))
    fail("truncate works on files: it has no streams");
  const std::string out = options.out.empty() ? options.codes : options.out;
  std::error_code ignored;  // of a file that cannot be read: truncating it says so
  const std::uint64_t before = std::filesystem::file_size(options.codes, ignored);
  const std::uint64_t vectors = truncate_codes(options.codes, options.stages, out, progress_line("truncate"));
  const CodeHeader header = CodeReader(out).header();
  const std::uint64_t bytes = std::filesystem::file_size(out);

  Report report;
  report.json = {{"codes", out},
                 {"vectors", vectors},
                 {"stages", options.stages},
                 {"bits_per_vector", bits_per_vector(header)},
                 {"bytes", bytes},
                 {"bytes_before", before}};
  report.text = fmt::format("{}: {} vectors, {} stage{}, {} bits each, {} ({} before)\n", out, vectors, options.stages,
                            options.stages == 1 ? "" : "s", bits_per_vector(header), size(bytes), size(before));
  return report;
}
}  // namespace

Action declare_truncate(CLI::App& app, const Common& /*common*/) {
  const auto options = std::make_shared<Options>();
  app.add_option("CODES", options->codes, "Code file of several stages (.sfc)")->required()->type_name("");
  app.add_option("--stages", options->stages, "Stages to keep, from the first on")
      ->required()
      ->type_name("S")
      ->check(CLI::Range(std::size_t{1}, std::size_t{64}));
  app.add_option("--out", options->out,
                 "Code file to write (default: CODES itself, replaced when the new one is whole)")
      ->type_name("FILE");
  app.footer(help_footer({}, "signfold truncate test.sfc --stages 2 --out small.sfc"));
  return [options] { return truncate(*options); };
}

}  // namespace signfold::cli
