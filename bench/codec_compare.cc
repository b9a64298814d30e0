// The codec against the memory it works on: encode_rows and decode_rows with the fast rotation on d = 1024, norms
// included, beside memcpy of the same vectors. Medians of interleaved runs: ratios within a round, so that what else
// the machine does weighs on both sides. Single-threaded contenders are timed by the processor time of their thread,
// the ratios of two threads to one by the clock; memcpy's shows what this machine's memory and cores leave to gain.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "machine.h"
#include "signfold/base/parallel.h"
#include "signfold/base/random.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

constexpr std::size_t kDim = 1024;
constexpr std::size_t kVectors = 1 << 16;  // 256 MB: from memory, not from a cache
constexpr std::size_t kDecoded = 1 << 12;
constexpr int kLayers = 5;
constexpr int kRounds = 7;

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Contender {
  std::string name;
  std::size_t vectors;
  clockid_t clock;
  std::function<void()> work;
  std::vector<double> times = {};

  void run() {
    const double start = seconds(clock);
    work();
    times.push_back((seconds(clock) - start) / static_cast<double>(vectors));
  }
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// The median over rounds of how many times faster a is than b, and the range.
std::string ratio(const Contender& a, const Contender& b) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < a.times.size(); ++k) ratios.push_back(b.times[k] / a.times[k]);
  const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", median(ratios), *low, *high);
}

void run() {
  const PriorPtr prior = parse_prior("sparse-gaussian:0.1");
  FitOptions options;
  options.decoder = fmt::format("rigamp:{}", kLayers);
  const Model model = model_for_prior(prior, kDim, options);
  Matrix<float> x(kVectors, kDim);
  synthetic_source(prior, kVectors, kDim, 1)->read(x);
  Matrix<float> copy(kVectors, kDim);
  Matrix<std::uint8_t> codes(kVectors, code_bytes(kDim));
  std::vector<float> scales(kVectors);
  Matrix<float> back(kDecoded, kDim);

  const auto copy_all = [&](int threads) {  // sixteen parts: two threads end at about the same time
    parallel_for(kVectors, kVectors / 16, threads, [&](std::size_t begin, std::size_t end) {
      std::memcpy(copy.row(begin).data(), x.row(begin).data(), (end - begin) * kDim * sizeof(float));
    });
  };
  const auto encode = [&](int threads) { encode_rows(model, x, codes, scales, {.threads = threads, .progress = {}}); };
  const auto decode = [&](int layers) {
    decode_rows(model, codes.view().row_range(0, kDecoded), std::span(scales).first(kDecoded), layers, back,
                {.threads = 1, .progress = {}});
  };
  std::vector<Contender> all;
  all.push_back({"memcpy", kVectors, CLOCK_THREAD_CPUTIME_ID,
                 [&] { std::memcpy(copy.data(), x.data(), x.size() * sizeof(float)); }});
  all.push_back({"encode", kVectors, CLOCK_THREAD_CPUTIME_ID, [&] { encode(1); }});
  all.push_back({"decode, linear", kDecoded, CLOCK_THREAD_CPUTIME_ID, [&] { decode(0); }});
  all.push_back(
      {fmt::format("decode, {} layers", kLayers), kDecoded, CLOCK_THREAD_CPUTIME_ID, [&] { decode(kLayers); }});
  all.push_back({"memcpy (clock)", kVectors, CLOCK_MONOTONIC, [&] { copy_all(1); }});
  all.push_back({"memcpy, 2 threads (clock)", kVectors, CLOCK_MONOTONIC, [&] { copy_all(2); }});
  all.push_back({"encode (clock)", kVectors, CLOCK_MONOTONIC, [&] { encode(1); }});
  all.push_back({"encode, 2 threads (clock)", kVectors, CLOCK_MONOTONIC, [&] { encode(2); }});
  for (Contender& c : all) c.work();  // once to touch every page
  for (int round = 0; round < kRounds; ++round) {
    for (Contender& c : all) c.run();
  }

  fmt::print("{}\n", machine());
  fmt::print("d = n = {}, sparse-gaussian:0.1, float16 norms, SIMD target {}, {} rounds\n\n", kDim,
             simd::active_target(), kRounds);
  fmt::print("{:<28} {:>12} {:>9}\n", "one thread", "vectors/s", "GB/s");
  for (const Contender& c : all) {
    const double rate = 1 / median(c.times);
    fmt::print("{:<28} {:>12.0f} {:>9.2f}\n", c.name, rate, rate * kDim * sizeof(float) / 1e9);
  }
  fmt::print("\nencode / memcpy                    {}\n", ratio(all[1], all[0]));
  fmt::print("decode, {} layers / encode          {}\n", kLayers, ratio(all[3], all[1]));
  fmt::print("encode, two threads / one          {}\n", ratio(all[7], all[6]));
  fmt::print("memcpy, two threads / one          {}\n", ratio(all[5], all[4]));
}

}  // namespace
}  // namespace signfold

int main() {
  try {
    signfold::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "codec_compare: %s\n", error.what());
    return 1;
  }
  return 0;
}
