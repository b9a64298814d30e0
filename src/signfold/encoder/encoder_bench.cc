// Time per vector of the encoders that need no matrix: ./signfold_encoder_bench
#include <benchmark/benchmark.h>

#include "signfold/encoder/encoder.h"
#include "signfold/encoder/testing.h"

namespace signfold {
namespace {

constexpr std::size_t kRows = 64;

void report(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows)); }

void encode(benchmark::State& state, const char* name) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const EncoderPtr encoder = make_encoder(name, {.dim = d, .bits = static_cast<std::size_t>(state.range(1))}, 1);
  const Matrix<float> x = testing::random_matrix(kRows, d, 1);
  Matrix<std::uint8_t> codes(kRows, code_bytes(encoder->bits()));
  while (state.KeepRunning()) {
    encoder->encode(x, codes);
    benchmark::ClobberMemory();
  }
  report(state);
}
BENCHMARK_CAPTURE(encode, hadamard, "hadamard")
    ->Args({784, 98})
    ->Args({784, 784})
    ->Args({1024, 1024})
    ->Args({512, 1024});
BENCHMARK_CAPTURE(encode, mixed, "mixed:0.85")->Args({784, 784})->Args({1024, 1024})->Args({512, 1024});
BENCHMARK_CAPTURE(encode, identity, "identity")->Args({1024, 1024});

void adjoint(benchmark::State& state, const char* name) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const EncoderPtr encoder = make_encoder(name, {.dim = d, .bits = static_cast<std::size_t>(state.range(1))}, 1);
  const Matrix<float> s = testing::random_matrix(kRows, encoder->bits(), 1);
  Matrix<float> v(kRows, d);
  while (state.KeepRunning()) {
    encoder->adjoint(s, v);
    benchmark::ClobberMemory();
  }
  report(state);
}
BENCHMARK_CAPTURE(adjoint, hadamard, "hadamard")->Args({784, 784})->Args({1024, 1024})->Args({512, 1024});
BENCHMARK_CAPTURE(adjoint, mixed, "mixed:0.85")->Args({1024, 1024});

}  // namespace
}  // namespace signfold
