#include "signfold/cli/check_file.h"

#include <algorithm>
#include <filesystem>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/source/source.h"
#include "signfold/training/checkpoint.h"

namespace signfold::cli {
namespace {
/// The description of a source that was read to its end.
std::string read_vectors(const std::string& path, const Progress& progress) {
  constexpr std::size_t kNumbers = std::size_t{1} << 20;
  const auto source = open_source(path);
  const std::size_t most = std::max<std::size_t>(1, kNumbers / source->dim());
  Matrix<float> block(std::min<std::uint64_t>(most, source->rows()), source->dim());
  std::uint64_t done = 0;
  while (const std::size_t rows = source->read(block)) {
    done += rows;
    if (progress) progress(done, source->rows());
  }
  return fmt::format("{} vectors of {} coordinates", source->rows(), source->dim());
}
}  // namespace

FileKind kind_of(const std::string& path) {
  std::error_code ignored;  // of a path that cannot be followed: opening it as vectors says so
  return std::filesystem::exists(path, ignored) ? file_kind(path) : FileKind::other;
}

CodeHeader read_codes(const std::string& path, const Progress& progress) {
  CodeReader reader(path);
  std::uint64_t vectors = 0;
  for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
    vectors += block.rows;
    if (progress) progress(vectors, reader.header().count);
    throw_if_interrupted();
  }
  return reader.header();
}

std::string check_file(const std::string& path, const Progress& progress) {
  switch (kind_of(path)) {
    case FileKind::model: {
      const Model model = load_model(path);
      return fmt::format("a model, {} bits for {} coordinates", model.bits(), model.dim());
    }
    case FileKind::codes: {
      const CodeHeader header = read_codes(path, progress);
      return fmt::format("a code file, {} vectors of {} bits", header.count, header.bits);
    }
    case FileKind::checkpoint:
      load_checkpoint(path);
      return "a checkpoint of signfold train";
    case FileKind::other:
      break;
  }
  return read_vectors(path, progress);
}

}  // namespace signfold::cli
