// .npz: the zip directory, the members, and the arrays in them.
#include "signfold/source/npy.h"
#include "signfold/source/npz.h"
#include "sources.h"

std::vector<std::string> signfold::fuzz::seeds() { return stored_seeds({"stored.npz", "deflated.npz"}); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  const auto content = fuzz::bytes(data, size);
  for (const char* name : {"", "x", "y.npy"}) {
    fuzz::survives([&] { fuzz::read_some(*open_npy(open_npz(fuzz::memory_file(content), name)), size); });
  }
  fuzz::read_file_of_vectors(content);
  return 0;
}
