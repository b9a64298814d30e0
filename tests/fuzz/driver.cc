// Runs a fuzz target without libFuzzer: a fixed number of mutations of its first inputs, always the same ones.
//
// Usage: signfold_fuzz_NAME [--runs N] [--first K] [FILE…]
//   --runs N    executions (default 1000), counted from K (default 0); a failure names the K that repeats it
//   FILE…       these inputs instead, as they are
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "allocations.h"
#include "fuzz.h"
#include "signfold/base/random.h"

namespace signfold::fuzz {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // what a reader may take for a small file
constexpr unsigned kMostSeconds = 60;                      // of one execution, also under sanitizers
constexpr std::size_t kLongest = std::size_t{1} << 16;

volatile std::uint64_t current = 0;

extern "C" void on_death(int signal) {
  std::array<char, 64> line{};
  const int length = std::snprintf(line.data(), line.size(), "signal %d; repeat with --runs 1 --first %llu\n", signal,
                                   static_cast<unsigned long long>(current));
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(length));
  std::_Exit(1);
}

void overwrite(std::string& input, std::size_t at, std::uint64_t value, std::size_t width) {
  std::memcpy(input.data() + at, &value, std::min(width, input.size() - at));
}

void mutate(std::string& input, const std::vector<std::string>& all, RandomStream& stream) {
  static constexpr std::array<std::uint64_t, 12> kNumbers = {
      0, 1, 7, 255, 256, 65535, 1ULL << 24, 1ULL << 31, 0xffffffff, 1ULL << 40, 1ULL << 63, UINT64_MAX};
  if (input.empty()) input.push_back('\0');
  const std::size_t at = stream.below(input.size());
  const std::size_t length = 1 + stream.below(std::min<std::size_t>(64, input.size() - at));
  switch (stream.below(9)) {
    case 0:
      input[at] = static_cast<char>(input[at] ^ (1 << stream.below(8)));
      break;
    case 1:
      input[at] = static_cast<char>(stream.below(256));
      break;
    case 2:
      overwrite(input, at, kNumbers[stream.below(kNumbers.size())], std::size_t{1} << stream.below(4));
      break;
    case 3:
      overwrite(input, at / 8 * 8, kNumbers[stream.below(kNumbers.size())], 8);
      break;
    case 4:
      input.erase(at, length);
      break;
    case 5:
      input.insert(at, input.substr(stream.below(input.size()), length));
      break;
    case 6:
      input.resize(at);
      break;
    case 7:
      input[at] = static_cast<char>('0' + stream.below(10));  // a digit of a number in text
      break;
    default: {
      const std::string& other = all[stream.below(all.size())];
      if (!other.empty()) input.replace(at, length, other.substr(stream.below(other.size()), length));
    }
  }
  if (input.size() > kLongest) input.resize(kLongest);
}

/// Execution k: the first ones are the inputs as they are.
std::string input_of(std::uint64_t k, const std::vector<std::string>& all) {
  if (k < all.size()) return all[k];
  RandomStream stream(1, Purpose::test, k);
  std::string input = all[stream.below(all.size())];
  for (std::uint64_t i = 0, changes = 1 + stream.below(4); i < changes; ++i) mutate(input, all, stream);
  return input;
}

void execute(const std::string& input) {
  forget_peak();
  ::alarm(kMostSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  if (peak_bytes() > kMostBytes) fmt::print(stderr, "{} bytes of memory for {}\n", peak_bytes(), input.size());
  require(peak_bytes() <= kMostBytes, "a small input takes at most 64 MB of memory");
}

void run(std::uint64_t first, std::uint64_t runs) {
  const std::vector<std::string> all = seeds();
  for (std::uint64_t k = first; k < first + runs; ++k) {
    current = k;
    execute(input_of(k, all));
  }
  fmt::print("{} executions\n", runs);
}

}  // namespace
}  // namespace signfold::fuzz

int main(int argc, char** argv) {
  using namespace signfold::fuzz;  // NOLINT
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM}) std::signal(signal, on_death);
  std::uint64_t runs = 1000;
  std::uint64_t first = 0;
  bool files = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--runs" && i + 1 < argc) {
      runs = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--first" && i + 1 < argc) {
      first = std::strtoull(argv[++i], nullptr, 10);
    } else {
      files = true;
      std::ostringstream content;
      std::ifstream file(argument, std::ios::binary);
      content << file.rdbuf();
      require(file.good(), "an input that is named can be read and is not empty");
      execute(content.str());
    }
  }
  if (!files) run(first, runs);
  return 0;
}
