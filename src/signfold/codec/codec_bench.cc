// Time per vector of the whole codec, norms included, on one thread: ./signfold_codec_bench
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"

namespace signfold {
namespace {

constexpr std::size_t kVectors = 256;

struct Setup {
  Setup(std::size_t dim, const std::string& decoder) {
    const PriorPtr prior = parse_prior("sparse-gaussian:0.1");
    FitOptions options;
    options.decoder = decoder;
    model = model_for_prior(prior, dim, options);
    x = Matrix<float>(kVectors, dim);
    synthetic_source(prior, kVectors, dim, 1)->read(x);
    codes = Matrix<std::uint8_t>(kVectors, code_bytes(model.bits()));
    scales.resize(kVectors);
    encode();
  }
  void encode() { encode_rows(model, x, codes, scales, {.threads = 1, .progress = {}}); }
  void decode(int layers) { decode_rows(model, codes, scales, layers, x, {.threads = 1, .progress = {}}); }

  Model model;
  Matrix<float> x;
  Matrix<std::uint8_t> codes;
  std::vector<float> scales;
};

void encode_vectors(benchmark::State& state) {
  Setup setup(static_cast<std::size_t>(state.range(0)), "linear");
  while (state.KeepRunningBatch(kVectors)) setup.encode();
}
BENCHMARK(encode_vectors)->Arg(784)->Arg(1024)->Arg(4096);

/// Arguments: dimension, layers.
void decode_vectors(benchmark::State& state) {
  Setup setup(static_cast<std::size_t>(state.range(0)), "rigamp:5");
  while (state.KeepRunningBatch(kVectors)) setup.decode(static_cast<int>(state.range(1)));
}
BENCHMARK(decode_vectors)->Args({784, 5})->Args({1024, 0})->Args({1024, 1})->Args({1024, 5})->Args({4096, 5});

/// Principal axes, each with its own scale: what images need.
void decode_profile(benchmark::State& state) {
  constexpr std::size_t kDim = 256;
  Matrix<float> x(4 * kVectors, kDim);
  synthetic_source(parse_prior("sparse-gaussian:0.3"), x.rows(), kDim, 1)->read(x);
  for (std::size_t i = 0; i < x.rows(); ++i) {
    for (std::size_t j = 0; j < kDim; ++j) x(i, j) *= 1 / (1.0F + 0.1F * static_cast<float>(j));
  }
  FitOptions options;
  options.basis = "pca";
  options.decoder = "rigamp:2";
  const Model model = fit(*matrix_source(x, "benchmark"), options);
  Matrix<std::uint8_t> codes(x.rows(), code_bytes(model.bits()));
  std::vector<float> scales(x.rows());
  encode_rows(model, x, codes, scales, {.threads = 1, .progress = {}});
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(x.rows()))) {
    decode_rows(model, codes, scales, 2, x, {.threads = 1, .progress = {}});
  }
}
BENCHMARK(decode_profile);

}  // namespace
}  // namespace signfold
