// A product with a matrix of signs against sgemm with the same signs as numbers: ./signfold_simd_bench
// --benchmark_filter=sign
#include "signfold/simd/sign_product.h"

#include <benchmark/benchmark.h>

#include <vector>

#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

struct Problem {
  Matrix<std::uint8_t> codes;
  Matrix<float> a;
  Matrix<float> out;

  explicit Problem(const benchmark::State& state) {
    const auto rows = static_cast<std::size_t>(state.range(0));
    const auto inner = static_cast<std::size_t>(state.range(1));
    const auto cols = static_cast<std::size_t>(state.range(2));
    codes = Matrix<std::uint8_t>(rows, (inner + 7) / 8);
    a = Matrix<float>(inner, cols);
    out = Matrix<float>(rows, cols);
    RandomStream stream(1, Purpose::test);
    for (std::uint8_t& byte : codes.values()) byte = static_cast<std::uint8_t>(stream.bits32());
    for (float& v : a.values()) v = static_cast<float>(stream.normal());
  }

  /// Of a product that multiplies and adds; per second.
  void count(benchmark::State& state) const {
    const auto operations = static_cast<double>(2 * out.size() * a.rows());
    state.counters["flops"] =
        benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
  }
};

void sign_product(benchmark::State& state) {
  Problem p(state);
  while (state.KeepRunning()) {
    simd::sign_product(p.codes, p.a, false, p.out);
    benchmark::ClobberMemory();
  }
  p.count(state);
}
BENCHMARK(sign_product)->Args({100, 100, 100})->Args({256, 200, 200})->Args({256, 1024, 1024})->Args({256, 3072, 3072});

void sign_product_by_sgemm(benchmark::State& state) {
  const SingleThreadedBlas one_thread;
  Problem p(state);
  Matrix<float> z(p.codes.rows(), p.a.rows());
  for (std::size_t i = 0; i < z.rows(); ++i) simd::unpack_signs(p.codes.row(i), 1, z.row(i));
  while (state.KeepRunning()) {
    gemm(false, false, 1, z, p.a, 0, p.out);
    benchmark::ClobberMemory();
  }
  p.count(state);
}
BENCHMARK(sign_product_by_sgemm)
    ->Args({100, 100, 100})
    ->Args({256, 200, 200})
    ->Args({256, 1024, 1024})
    ->Args({256, 3072, 3072});

void sign_transpose_bits(benchmark::State& state) {
  Problem p(state);
  Matrix<std::uint8_t> transposed(p.a.rows(), (p.codes.rows() + 7) / 8);
  while (state.KeepRunning()) {
    simd::transpose_bits(p.codes, p.a.rows(), transposed);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(sign_transpose_bits)->Args({256, 1024, 1});

}  // namespace
}  // namespace signfold
