#include "signfold/codec/measured_depth.h"

#include <algorithm>
#include <vector>

#include "signfold/base/linalg.h"
#include "signfold/base/parallel.h"

namespace signfold {
namespace {

constexpr std::size_t kMostRows = 1000;
constexpr std::size_t kGrain = 32;
constexpr double kTolerance = 1.002;

/// Weighted squared errors of rows begin, begin + 1, … (in the network's basis): errors(row, layer).
void measure(const Network& network, MatrixView<const float> rows, std::span<const double> weights,
             MatrixView<double> errors) {
  Matrix<float> t(rows.rows, rows.cols);
  Matrix<std::uint8_t> codes(rows.rows, code_bytes(network.encoder().bits()));
  network.basis().inverse(rows, t);
  network.encoder().encode(t, codes);
  const std::vector<float> ones(rows.rows, 1.0F);
  network.decode_layers(codes, ones, [&](int layer, std::size_t first, MatrixView<const float> estimate) {
    for (std::size_t i = 0; i < estimate.rows; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < estimate.cols; ++j) {
        const double difference = static_cast<double>(estimate(i, j)) - t(first + i, j);
        sum += difference * difference;
      }
      errors(first + i, static_cast<std::size_t>(layer)) = weights[first + i] * sum;
    }
  });
}

}  // namespace

int measured_depth(const Network& network, MatrixView<const float> rows, std::span<const double> weights, int threads) {
  if (network.layers() == 0) return 0;
  const std::size_t stride = (rows.rows + kMostRows - 1) / kMostRows;
  Matrix<float> chosen((rows.rows + stride - 1) / stride, rows.cols);
  std::vector<double> chosen_weights(chosen.rows());
  for (std::size_t i = 0; i < chosen.rows(); ++i) {
    std::ranges::copy(rows.row(i * stride), chosen.row(i).begin());
    chosen_weights[i] = weights[i * stride];
  }
  const auto layers = static_cast<std::size_t>(network.layers());
  Matrix<double> errors(chosen.rows(), layers + 1);
  const BlasThreads single(1);
  parallel_for(chosen.rows(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
    measure(network, chosen.view().row_range(begin, end - begin),
            std::span<const double>(chosen_weights).subspan(begin, end - begin),
            errors.view().row_range(begin, end - begin));
  });
  std::vector<double> risks(layers);
  for (std::size_t i = 0; i < errors.rows(); ++i) {
    for (std::size_t t = 0; t < layers; ++t) risks[t] += errors(i, t + 1);
  }
  const double enough = kTolerance * *std::ranges::min_element(risks);
  return 1 + static_cast<int>(std::ranges::find_if(risks, [&](double r) { return r <= enough; }) - risks.begin());
}

}  // namespace signfold
