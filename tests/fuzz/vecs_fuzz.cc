// .fvecs and .bvecs.
#include "signfold/source/vecs.h"
#include "sources.h"

std::vector<std::string> signfold::fuzz::seeds() { return stored_seeds({"f4.fvecs", "u1.bvecs"}); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto content = signfold::fuzz::bytes(data, size);
  signfold::fuzz::read_as(signfold::open_fvecs, content);
  signfold::fuzz::read_as(signfold::open_bvecs, content);
  signfold::fuzz::read_file_of_vectors(content);
  return 0;
}
