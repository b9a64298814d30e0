// NumPy arrays.
#include "signfold/source/npy.h"
#include "sources.h"

std::vector<std::string> signfold::fuzz::seeds() { return stored_seeds({"f4.npy", "f8-fortran.npy", "i2-cube.npy"}); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto content = signfold::fuzz::bytes(data, size);
  signfold::fuzz::read_as(signfold::open_npy, content);
  signfold::fuzz::read_file_of_vectors(content);
  return 0;
}
