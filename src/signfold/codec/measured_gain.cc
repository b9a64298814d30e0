#include "signfold/codec/measured_gain.h"

#include <algorithm>

#include "signfold/base/interrupt.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return sum;
}

}  // namespace

MeasuredGain measured_gain(const Encoder& encoder, const Basis& basis, MatrixView<const float> rows,
                           std::span<const double> weights) {
  constexpr std::size_t kBlock = 256;
  Matrix<float> x(kBlock, encoder.dim());
  Matrix<float> back(kBlock, encoder.dim());
  Matrix<float> z(kBlock, encoder.bits());
  Matrix<std::uint8_t> codes(kBlock, code_bytes(encoder.bits()));
  double match = 0;   // Σ w ⟨x, Bᵀz⟩
  double energy = 0;  // Σ w ‖Bᵀz‖²
  double total = 0;   // Σ w ‖x‖²
  for (std::size_t begin = 0; begin < rows.rows; begin += kBlock) {
    throw_if_interrupted();
    const std::size_t count = std::min(kBlock, rows.rows - begin);
    basis.inverse(rows.row_range(begin, count), x.view().row_range(0, count));
    encoder.encode(x.view().row_range(0, count), codes.view().row_range(0, count));
    for (std::size_t i = 0; i < count; ++i) simd::unpack_signs(codes.row(i), 1.0F, z.row(i));
    encoder.adjoint(z.view().row_range(0, count), back.view().row_range(0, count));
    for (std::size_t i = 0; i < count; ++i) {
      match += weights[begin + i] * dot(x.row(i), back.row(i));
      energy += weights[begin + i] * dot(back.row(i), back.row(i));
      total += weights[begin + i] * dot(x.row(i), x.row(i));
    }
  }
  if (!(energy > 0 && total > 0)) return {};
  return {match / energy, std::max(0.0, 1 - match * match / (energy * total))};
}

}  // namespace signfold
