// Encoding with the fast rotation against what one would write otherwise: a dense rotation multiplied by OpenBLAS, its
// signs packed by the same kernel, with the batch that suits it best. One thread each; memcpy of the vectors shows how
// far both are from the memory. Medians of processor time of runs in turns, so that other work on the machine counts
// little.
#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "machine.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/encoder/encoder.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

constexpr std::size_t kVectors = 1024;
constexpr int kRounds = 9;
constexpr double kLeastSeconds = 0.01;  // a run repeats its work at least this long

struct Contender {
  std::string name;
  std::function<void()> work;
  std::vector<double> seconds;  ///< per call of work, one per round

  double median() const {
    std::vector<double> sorted = seconds;
    std::nth_element(sorted.begin(), sorted.begin() + kRounds / 2, sorted.end());
    return sorted[kRounds / 2];
  }
};

double seconds_per_call(const std::function<void()>& work) {
  const std::clock_t start = std::clock();
  double elapsed = 0;
  int calls = 0;
  while (elapsed < kLeastSeconds) {
    work();
    ++calls;
    elapsed = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  return elapsed / calls;
}

Matrix<float> gaussian(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> x(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    RandomStream stream(seed, Purpose::test, i);
    for (float& v : x.row(i)) v = static_cast<float>(stream.normal());
  }
  return x;
}

/// The speed of a product does not depend on the numbers in it: Gaussian entries stand for a rotation's.
void encode_dense(MatrixView<const float> b, MatrixView<const float> x, std::size_t batch, Matrix<float>& u,
                  Matrix<std::uint8_t>& codes) {
  for (std::size_t begin = 0; begin < x.rows; begin += batch) {
    gemm(false, true, 1.0F, x.row_range(begin, batch), b, 0.0F, u);
    for (std::size_t i = 0; i < batch; ++i) simd::pack_signs(u.row(i), codes.row(begin + i));
  }
}

void print_row(std::size_t dim, const Contender& c, const Contender& reference) {
  const double rate = kVectors / c.median();
  fmt::print("{:>5}  {:<18} {:>12.0f} {:>9.2f} {:>9.2f}\n", dim, c.name, rate,
             rate * static_cast<double>(dim * sizeof(float)) / 1e9, reference.median() / c.median());
}

void compare(std::size_t dim) {
  const Matrix<float> x = gaussian(kVectors, dim, 1);
  const Matrix<float> b = gaussian(dim, dim, 2);
  const EncoderPtr hadamard = make_encoder("hadamard", {dim, dim}, 1);
  Matrix<std::uint8_t> codes(kVectors, code_bytes(dim));
  Matrix<float> copy(kVectors, dim);

  std::vector<Contender> contenders;
  contenders.push_back({"hadamard", [&] { hadamard->encode(x, codes); }, {}});
  contenders.push_back({"memcpy", [&] { std::memcpy(copy.data(), x.data(), x.size() * sizeof(float)); }, {}});
  std::array<Matrix<float>, 4> products = {Matrix<float>(16, dim), Matrix<float>(64, dim), Matrix<float>(256, dim),
                                           Matrix<float>(1024, dim)};
  for (Matrix<float>& u : products) {
    contenders.push_back(
        {fmt::format("dense, batch {}", u.rows()), [&] { encode_dense(b, x, u.rows(), u, codes); }, {}});
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Contender& c : contenders) c.seconds.push_back(seconds_per_call(c.work));
  }

  const auto faster = [](const Contender& a, const Contender& c) { return a.median() < c.median(); };
  const Contender& dense = *std::min_element(contenders.begin() + 2, contenders.end(), faster);
  for (const Contender& c : {contenders[0], dense, contenders[1]}) print_row(dim, c, dense);
}

void run() {
  const BlasThreads one_thread(1);
  fmt::print("{}\n", machine());
  fmt::print("SIMD target {}, OpenBLAS core {}, one thread, {} vectors, medians of {} rounds\n", simd::active_target(),
             openblas_get_corename(), kVectors, kRounds);
  fmt::print("{:>5}  {:<18} {:>12} {:>9} {:>9}\n", "d", "encoder", "vectors/s", "GB/s in", "x dense");
  for (const std::size_t dim : {256, 1024, 4096}) compare(dim);
}

}  // namespace
}  // namespace signfold

int main() {
  try {
    signfold::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encode_compare: %s\n", error.what());
    return 1;
  }
  return 0;
}
