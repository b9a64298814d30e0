// Checkpoints of training, and the states that are made of them. An odd first byte repairs the checksum.
#include <cstring>

#include "fuzz.h"
#include "repair.h"
#include "signfold/training/checkpoint.h"

namespace signfold::fuzz {
namespace {

constexpr std::size_t kBits = 3;
constexpr std::size_t kDim = 4;

/// docs/formats.md section 5, with the checksum right.
std::string file_of(const std::string& json, std::size_t array_bytes) {
  std::string content("SIGNFOLDT\r\n\x1a\1\0\0\0", 16);
  content.resize(40);
  const std::uint64_t length = json.size();
  std::memcpy(content.data() + 32, &length, sizeof(length));
  content += json + std::string(array_bytes, '\x3f');
  const auto written = bytes(content);
  Bytes file(written.begin(), written.end());
  repair_checkpoint(file);
  return std::string(text(file));
}

void use(const Checkpoint& checkpoint) {
  TrainerOptions options;
  options.steps = 100;
  survives([&] { check_settings(checkpoint, {{"method", "straight-through"}, {"steps", 100}}, "checkpoint"); });
  survives([&] { trainer_state(checkpoint, options, kBits, kDim, "checkpoint"); });
  survives([&] { population_state(checkpoint, kBits, kDim, "checkpoint"); });
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string population = file_of(
      R"({"settings": {"method": "population"}, "progress": {"step": 3, "step size": 0.5, "risk": 0.4, "converged": false}, )"
      R"("arrays": [{"name": "rows", "bytes": 96}]})",
      96);
  const std::string trainer = file_of(
      R"({"settings": {"method": "straight-through", "steps": 100}, "progress": {"step": 7, "loss": 0.25, "history": [[0, 1.0], [5, 0.5]]}, )"
      R"("arrays": [{"name": "encoder", "bytes": 48}, {"name": "encoder first", "bytes": 48}, {"name": "encoder second", )"
      R"("bytes": 48}, {"name": "gain", "bytes": 4}, {"name": "decoder first", "bytes": 4}, {"name": "decoder second", "bytes": 4}]})",
      156);
  return {'\0' + population, '\1' + population, '\0' + trainer, '\1' + trainer};
}

}  // namespace signfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  if (size == 0) return 0;
  const auto content = fuzz::bytes(data + 1, size - 1);
  fuzz::Bytes file(content.begin(), content.end());
  if (data[0] % 2 == 1) fuzz::repair_checkpoint(file);
  fuzz::survives([&] { fuzz::use(load_checkpoint(fuzz::memory_file(file))); });
  return 0;
}
