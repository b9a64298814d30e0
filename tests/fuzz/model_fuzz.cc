// Model files. The first byte says which checksums are repaired: 0 = none, 1 = all but the fingerprint, else all.
#include "models.h"
#include "repair.h"

namespace signfold::fuzz {

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (const char* name : {"tiny", "profile", "affine", "whitened", "memory", "trained", "mlp", "staged", "rotated"}) {
    for (const char mode : {'\0', '\1', '\2'}) {
      out.push_back(mode + content_of(std::string("tests/golden/") + name + "-v1.sfm"));
    }
  }
  return out;
}

}  // namespace signfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  if (size == 0) return 0;
  const auto content = fuzz::bytes(data + 1, size - 1);
  fuzz::Bytes file(content.begin(), content.end());
  if (data[0] != 0) fuzz::repair_model(file, data[0] > 1);
  fuzz::survives([&] { fuzz::use(load_model(fuzz::memory_file(file))); });
  return 0;
}
