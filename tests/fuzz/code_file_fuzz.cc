// Code files, from a file and through a pipe, which must agree. An odd first byte repairs the checksums; half of it
// says how many stages are kept, 0 = all.
#include <algorithm>

#include "fuzz.h"
#include "repair.h"
#include "signfold/base/pipe.h"
#include "signfold/codec/code_file.h"

namespace signfold::fuzz {
namespace {

/// All codes and scales; throws Error.
std::pair<std::vector<std::uint8_t>, std::vector<float>> read_all(CodeReader reader, std::size_t stages) {
  if (stages > 0) reader.keep_stages(stages);
  std::vector<std::uint8_t> codes;
  std::vector<float> scales;
  for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
    codes.insert(codes.end(), block.codes.values().begin(), block.codes.values().end());
    scales.insert(scales.end(), block.scales.begin(), block.scales.end());
  }
  return {codes, scales};
}

void check_rows(const std::string& path, std::size_t stages, const std::vector<std::uint8_t>& codes) {
  CodeReader reader(path);
  if (stages > 0) reader.keep_stages(stages);
  const std::uint64_t count = reader.header().count;
  const std::size_t width = code_bytes(reader.header().bits);
  for (const std::uint64_t row : {count / 2, count - 1}) {
    const CodeBlock block = reader.read_rows(row, 1);
    require(std::ranges::equal(block.codes.values(), std::span(codes).subspan(row * width, width)),
            "a vector read alone is the same");
  }
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string file = content_of("tests/golden/tiny-v1.sfc");
  const std::string staged = content_of("tests/golden/staged-v1.sfc");
  const std::string rotated = content_of("tests/golden/rotated-v1.sfc");  // stages behind a plane of scales
  return {'\0' + file,   '\1' + file,    '\0' + staged,  '\1' + staged,  '\2' + staged,
          '\3' + staged, '\0' + rotated, '\1' + rotated, '\2' + rotated, '\3' + rotated};
}

}  // namespace signfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  if (size == 0) return 0;
  const auto content = fuzz::bytes(data + 1, size - 1);
  fuzz::Bytes file(content.begin(), content.end());
  if (data[0] % 2 == 1) fuzz::repair_codes(file);
  const std::size_t stages = data[0] / 2;
  const std::string path = fuzz::memory_file(file);
  std::pair<std::vector<std::uint8_t>, std::vector<float>> from_file;
  std::pair<std::vector<std::uint8_t>, std::vector<float>> from_pipe;
  const bool whole = fuzz::survives([&] { from_file = fuzz::read_all(CodeReader(path), stages); });
  const bool passed =
      fuzz::survives([&] { from_pipe = fuzz::read_all(CodeReader(std::make_unique<PipeInput>(path)), stages); });
  fuzz::require(whole == passed && from_file == from_pipe, "a pipe gives what the file gives");
  if (whole && !from_file.first.empty()) fuzz::check_rows(path, stages, from_file.first);
  return 0;
}
