// The two-dimensional discrete cosine transform as a basis.
#pragma once

#include "signfold/transform/basis.h"

namespace signfold {

/// The orthonormal DCT-II of n values: entry (k, i) is s_k cos(π (i + ½) k / n), s_0 = √(1/n), else √(2/n).
Matrix<double> dct_matrix(std::size_t n);

/// "dct2:HxW" or "dct2:HxWxP": see make_separable_basis.
BasisPtr make_dct2_basis(const std::string& name, std::size_t dim);

}  // namespace signfold
