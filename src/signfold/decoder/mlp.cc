#include "signfold/decoder/mlp.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"
#include "signfold/simd/sign_product.h"

namespace signfold {
namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

}  // namespace

void check_mlp(const MlpDecoder& mlp, std::size_t bits, std::size_t dim) {
  if (mlp.empty()) return;
  const std::size_t hidden = mlp.hidden();
  if (mlp.linear.rows() != bits || mlp.linear.cols() != dim || mlp.in.rows() != bits || mlp.bias.size() != hidden ||
      mlp.out.rows() != hidden || mlp.out.cols() != dim || mlp.offset.size() != dim) {
    fail("decoder: the parts of a network of {} hidden units do not fit {} bits and {} coordinates", hidden, bits, dim);
  }
  for (const std::span<const float> values : {mlp.linear.values(), mlp.in.values(), mlp.out.values(),
                                              std::span<const float>(mlp.bias), std::span<const float>(mlp.offset)}) {
    if (!all_finite(values)) fail("decoder: the network holds a number that is not finite");
  }
}

void decode_mlp(const MlpDecoder& mlp, MatrixView<const std::uint8_t> codes, MatrixView<float> x) {
  Matrix<float> hidden(codes.rows, mlp.hidden());
  Matrix<float> linear(codes.rows, x.cols);
  simd::sign_product(codes, mlp.in, false, hidden);
  for (std::size_t i = 0; i < codes.rows; ++i) simd::rectify(mlp.bias, hidden.view().row(i));
  simd::matrix_product(false, false, hidden, mlp.out, 0, x);
  simd::sign_product(codes, mlp.linear, false, linear);
  for (std::size_t i = 0; i < codes.rows; ++i) {
    simd::add_scaled(1.0F, linear.row(i), x.row(i));
    simd::add_scaled(1.0F, mlp.offset, x.row(i));
  }
}

}  // namespace signfold
