// Time per call of each kernel on the best instruction set: ./signfold_simd_bench
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "signfold/simd/hadamard.h"
#include "signfold/simd/kernels.h"

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

}  // namespace
}  // namespace signfold::simd
