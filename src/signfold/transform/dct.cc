#include "signfold/transform/dct.h"

#include <cmath>
#include <numbers>

#include "signfold/transform/separable.h"

namespace signfold {

Matrix<double> dct_matrix(std::size_t n) {
  Matrix<double> c(n, n);
  const auto size = static_cast<double>(n);
  for (std::size_t k = 0; k < n; ++k) {
    const double scale = std::sqrt((k == 0 ? 1 : 2) / size);
    for (std::size_t i = 0; i < n; ++i) {
      c(k, i) = scale * std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) * static_cast<double>(k) / size);
    }
  }
  return c;
}

BasisPtr make_dct2_basis(const std::string& name, std::size_t dim) {
  return make_separable_basis("dct2", dct_matrix, name, dim);
}

}  // namespace signfold
