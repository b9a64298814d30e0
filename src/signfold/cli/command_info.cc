// signfold info: what a file holds, and whether it is undamaged.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "signfold/base/interrupt.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/text.h"
#include "signfold/codec/magic.h"

namespace signfold::cli {
namespace {
Report model_info(const std::string& path) {
  const Model model = load_model(path);
  Report report;
  report.json = {{"kind", "model"}, {"file", path}, {"bytes", std::filesystem::file_size(path)}};
  report.json.update(model_json(model));
  report.text =
      fmt::format("{}: a model, {}, undamaged\n\n{}", path, size(std::filesystem::file_size(path)), model_text(model));
  return report;
}

/// Reads every block, so that every checksum is compared.
Report code_info(const std::string& path) {
  CodeReader reader(path);
  const CodeHeader& header = reader.header();
  const Progress progress = progress_line("info");
  std::uint64_t vectors = 0;
  for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
    vectors += block.rows;
    if (progress) progress(vectors, header.count);
    throw_if_interrupted();
  }

  const std::uint64_t bytes = std::filesystem::file_size(path);
  const std::size_t bits_per_vector = 8 * (code_bytes(header.bits) + scale_bytes(header.scale));
  const std::string model = fmt::format("{:016x}", header.fingerprint);
  Report report;
  report.json = {{"kind", "codes"},
                 {"file", path},
                 {"bytes", bytes},
                 {"vectors", vectors},
                 {"dim", header.dim},
                 {"bits", header.bits},
                 {"bits_per_vector", bits_per_vector},
                 {"scale", to_string(header.scale)},
                 {"block_rows", header.block_rows},
                 {"fingerprint", model}};
  report.text =
      fmt::format("{}: a code file, {}, undamaged\n\n{}", path, size(bytes),
                  facts({{"vectors", fmt::format("{}", vectors)},
                         {"dimension", fmt::format("{}", header.dim)},
                         {"code", fmt::format("{} bits ({:.4g} per dimension)", header.bits,
                                              static_cast<double>(header.bits) / static_cast<double>(header.dim))},
                         {"scale", to_string(header.scale)},
                         {"stored per vector", fmt::format("{} bits = {} bytes", bits_per_vector, bits_per_vector / 8)},
                         {"model", fmt::format("fingerprint {}", model)}}));
  return report;
}

Report data_info(const std::string& path) {
  const auto source = open_source(path);
  Report report;
  report.json = {{"kind", "vectors"},         {"file", path},         {"description", source->description()},
                 {"vectors", source->rows()}, {"dim", source->dim()}, {"item_shape", source->item_shape()}};
  report.text = source->description() + "\n";
  return report;
}

Report info(const std::string& path) {
  const bool exists = std::filesystem::exists(path);  // FILE.npz:NAME does not
  switch (exists ? file_kind(path) : FileKind::other) {
    case FileKind::model:
      return model_info(path);
    case FileKind::codes:
      return code_info(path);
    case FileKind::other:
      break;
  }
  return data_info(path);
}
}  // namespace

Action declare_info(CLI::App& app, const Common& /*common*/) {
  const auto path = std::make_shared<std::string>();
  app.add_option("FILE", *path, "Model, code file, or file of vectors")->required()->type_name("");
  app.footer(help_footer({}, "signfold info test.sfc"));
  return [path] { return info(*path); };
}

}  // namespace signfold::cli
