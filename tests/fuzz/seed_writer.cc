// Under libFuzzer: with SIGNFOLD_FUZZ_SEEDS=FOLDER the target writes its first inputs there and ends; dev/fuzz asks.
#include <cstdlib>
#include <fstream>

#include "fuzz.h"

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* folder = std::getenv("SIGNFOLD_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  std::size_t number = 0;
  for (const std::string& seed : signfold::fuzz::seeds()) {
    std::ofstream(std::string(folder) + "/seed" + std::to_string(number++), std::ios::binary) << seed;
  }
  std::exit(0);
}
