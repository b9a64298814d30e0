// Checkpoints of training, and the states that are made of them. An odd first byte repairs the checksum.
#include <cstring>

#include "checkpoints.h"

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

/// A run of one stage, one hidden unit, after its third step.
std::string staged_file() {
  const std::vector<std::pair<std::string, std::size_t>> sizes = {{"encoder", kBits * kDim},
                                                                  {"threshold", kBits},
                                                                  {"linear", kBits * kDim},
                                                                  {"in", kBits},
                                                                  {"bias", 1},
                                                                  {"out", kDim},
                                                                  {"offset", kDim}};
  std::string arrays;
  std::size_t numbers = 0;
  for (const auto& [name, size] : sizes) {
    for (const std::string& whole :
         {"stage 1 " + name, "stage 1 " + name + " first", "stage 1 " + name + " second", "best stage 1 " + name}) {
      if (!arrays.empty()) arrays += ", ";
      arrays += R"({"name": ")" + whole + R"(", "bytes": )" + std::to_string(sizeof(float) * size) + "}";
      numbers += size;
    }
  }
  return file_of(
      R"({"settings": {"method": "stages"}, "progress": {"step": 3, "loss": 0.25, "history": [[1, 0.5]], "stages": 1, )"
      R"("in training": 1, "best measure": -0.5}, "arrays": [)" +
          arrays + "]}",
      sizeof(float) * numbers);
}

void use(const Checkpoint& checkpoint) {
  StagedOptions staged;
  staged.bits = {kBits};
  staged.hidden = {1};
  survives([&] { staged_state(checkpoint, staged, kDim, "checkpoint"); });
  TrainerOptions options;
  options.steps = 100;
  survives([&] { check_settings(checkpoint, {{"method", "straight-through"}, {"steps", 100}}, "checkpoint"); });
  survives([&] { trainer_state(checkpoint, options, kBits, kDim, "checkpoint"); });
  survives([&] { population_state(checkpoint, kBits, kDim, "checkpoint"); });
  survives([&] {
    UnrolledState state = unrolled_state(kBits, kDim);
    restore(checkpoint, options.steps, "checkpoint", state);
  });
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
  const std::string staged = staged_file();
  const Bytes written = content_of(to_checkpoint(unrolled_state(kBits, kDim), {{"method", "network"}}));
  const std::string layers(text(written));
  return {'\0' + population, '\1' + population, '\0' + trainer, '\1' + trainer,
          '\0' + staged,     '\1' + staged,     '\0' + layers,  '\1' + layers};
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
