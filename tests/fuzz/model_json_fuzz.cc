// The description inside a model file: any text in the place of the JSON of a model that is whole. The first byte says
// which model lends its other sections.
#include <array>

#include "models.h"
#include "repair.h"
#include "signfold/codec/container.h"

namespace signfold::fuzz {
namespace {
constexpr std::array kModels = {"tiny",    "profile", "affine", "whitened", "memory",
                                "trained", "mlp",     "staged", "rotated"};

const std::string& lender(std::size_t which) {
  static std::array<std::string, kModels.size()> files;
  std::string& file = files.at(which);
  if (file.empty()) file = content_of(std::string("tests/golden/") + kModels.at(which) + "-v1.sfm");
  return file;
}
}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < kModels.size(); ++i) {
    const Container container = read_container(bytes(lender(i)), "model");
    out.push_back(static_cast<char>(i) + std::string(text(container.sections.at("JSON"))));
  }
  return out;
}

}  // namespace signfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  if (size == 0) return 0;
  Container container = read_container(fuzz::bytes(fuzz::lender(data[0] % fuzz::kModels.size())), "model");
  container.sections["JSON"] = fuzz::bytes(data + 1, size - 1);
  ContainerWriter writer;
  for (const auto& [tag, payload] : container.sections) writer.add(tag, payload);
  fuzz::Bytes file = std::move(writer).finish(0);
  fuzz::repair_model(file, true);
  fuzz::survives([&] { fuzz::use(model_from_bytes(file, "model")); });
  return 0;
}
