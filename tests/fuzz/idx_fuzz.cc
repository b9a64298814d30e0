// IDX files, of images and of labels.
#include "signfold/source/idx.h"
#include "sources.h"

std::vector<std::string> signfold::fuzz::seeds() { return stored_seeds({"u1.idx", "f8.idx", "labels.idx"}); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto content = signfold::fuzz::bytes(data, size);
  signfold::fuzz::read_as(signfold::open_idx, content);
  signfold::fuzz::read_file_of_vectors(content);
  return 0;
}
