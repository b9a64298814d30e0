// CIFAR-10 binary files.
#include "signfold/source/cifar.h"
#include "sources.h"

std::vector<std::string> signfold::fuzz::seeds() { return stored_seeds({"two.cifar"}); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto content = signfold::fuzz::bytes(data, size);
  signfold::fuzz::read_as(signfold::open_cifar, content);
  signfold::fuzz::read_file_of_vectors(content);
  return 0;
}
