// signfold info: what a file holds, and whether it is undamaged.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "signfold/cli/check_file.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/model_report.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/text.h"
#include "signfold/training/checkpoint.h"

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
  const CodeHeader header = read_codes(path, progress_line("info"));
  const std::uint64_t bytes = std::filesystem::file_size(path);
  const std::string model = fmt::format("{:016x}", header.fingerprint);
  Report report;
  report.json = {{"kind", "codes"},
                 {"file", path},
                 {"bytes", bytes},
                 {"vectors", header.count},
                 {"dim", header.dim},
                 {"bits", header.bits},
                 {"bits_per_vector", bits_per_vector(header)},
                 {"scale", to_string(header.scale)},
                 {"staged", header.staged},
                 {"block_rows", header.block_rows},
                 {"stages", stages_of(header)},
                 {"fingerprint", model}};
  report.text =
      fmt::format("{}: a code file, {}, undamaged\n\n{}", path, size(bytes),
                  facts({{"vectors", fmt::format("{}", header.count)},
                         {"dimension", fmt::format("{}", header.dim)},
                         {"code", fmt::format("{} bits ({:.4g} per dimension)", header.bits,
                                              static_cast<double>(header.bits) / static_cast<double>(header.dim))},
                         {"stages", fmt::format("{} bits", fmt::join(stages_of(header), " + "))},
                         {"scale", to_string(header.scale)},
                         {"stored per vector", bits_and_bytes(bits_per_vector(header))},
                         {"model", fmt::format("fingerprint {}", model)}}));
  return report;
}

Report checkpoint_info(const std::string& path) {
  const Checkpoint checkpoint = load_checkpoint(path);
  const std::uint64_t bytes = std::filesystem::file_size(path);
  Report report;
  report.json = {{"kind", "checkpoint"}, {"file", path}, {"bytes", bytes}, {"settings", checkpoint.settings}};
  report.text = fmt::format("{}: a checkpoint of signfold train, {}, undamaged\n", path, size(bytes));
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
  switch (kind_of(path)) {
    case FileKind::model:
      return model_info(path);
    case FileKind::codes:
      return code_info(path);
    case FileKind::checkpoint:
      return checkpoint_info(path);
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
