// Time per call of each kernel on the best instruction set: ./signfold_simd_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "signfold/simd/hadamard.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/rows.h"
#include "signfold/simd/small_cubic.h"

namespace signfold::simd {
namespace {

std::vector<float> numbers(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(static_cast<float>(i));
  return x;
}

void hadamard_kernel(benchmark::State& state) {
  const std::vector<float> start = numbers(static_cast<std::size_t>(state.range(0)));
  std::vector<float> x = start;
  const float factor = 1 / std::sqrt(static_cast<float>(x.size()));  // without it the numbers would overflow
  while (state.KeepRunning()) {
    hadamard(x);
    scale(x, factor);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(hadamard_kernel)->Arg(256)->Arg(512)->Arg(1024)->Arg(4096)->Arg(1 << 16)->Arg(1 << 20);

void signed_hadamard_kernel(benchmark::State& state) {
  const std::vector<float> x = numbers(static_cast<std::size_t>(state.range(0)));
  const std::vector<std::uint8_t> signs(x.size() / 8, 0x5a);
  std::vector<float> y(x.size());
  while (state.KeepRunning()) {
    signed_hadamard({.before = signs}, x, y);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(signed_hadamard_kernel)->Arg(1024);

void signed_hadamard_bits_kernel(benchmark::State& state) {
  const std::vector<float> x = numbers(static_cast<std::size_t>(state.range(0)));
  const std::vector<std::uint8_t> signs(x.size() / 8, 0x5a);
  std::vector<float> work(x.size());
  std::vector<std::uint8_t> codes(signs.size());
  while (state.KeepRunning()) {
    signed_hadamard_bits(signs, x, work, codes);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(signed_hadamard_bits_kernel)->Arg(1024);

void flip_signs_kernel(benchmark::State& state) {
  std::vector<float> x = numbers(static_cast<std::size_t>(state.range(0)));
  const std::vector<std::uint8_t> signs(x.size() / 8, 0x5a);
  while (state.KeepRunning()) {
    flip_signs(x, signs);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(flip_signs_kernel)->Arg(1024);

void pack_signs_kernel(benchmark::State& state) {
  const std::vector<float> u = numbers(static_cast<std::size_t>(state.range(0)));
  std::vector<std::uint8_t> codes(u.size() / 8);
  while (state.KeepRunning()) {
    pack_signs(u, codes);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(pack_signs_kernel)->Arg(1024);

void unpack_signs_kernel(benchmark::State& state) {
  std::vector<float> z(static_cast<std::size_t>(state.range(0)));
  const std::vector<std::uint8_t> codes(z.size() / 8, 0x5a);
  while (state.KeepRunning()) {
    unpack_signs(codes, 1.0F, z);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(unpack_signs_kernel)->Arg(1024);

void table_kernel(benchmark::State& state) {
  const std::vector<float> x = numbers(1024);
  std::vector<float> y(x.size());
  const auto intervals = static_cast<std::size_t>(state.range(0));
  const Cubic f{.origin = -1,
                .inverse_step = static_cast<float>(intervals) / 2,
                .left_slope = 0,
                .right_slope = 1,
                .coefficients = numbers(4 * intervals),
                .right_value = 1};
  while (state.KeepRunning()) {
    table(f, x, y);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(table_kernel)->Arg(64)->Arg(1024)->Arg(16384);

/// With 1 the function is odd.
void small_cubic_kernel(benchmark::State& state) {
  const std::vector<float> x = numbers(1024);
  std::vector<float> y(x.size());
  SmallCubic f;
  f.odd = state.range(0) == 1;
  f.origin = f.odd ? 0.0F : -1.0F;
  f.inverse_step = 15;
  std::ranges::copy(numbers(f.c0.size()), f.c0.begin());
  while (state.KeepRunning()) {
    small_cubic(f, x, y);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(small_cubic_kernel)->Arg(0)->Arg(1);

void energy_kernel(benchmark::State& state) {
  const std::vector<float> x = numbers(1024);
  while (state.KeepRunning()) benchmark::DoNotOptimize(energy(x));
}
BENCHMARK(energy_kernel);

}  // namespace
}  // namespace signfold::simd
