// The two-dimensional discrete cosine transform as a basis.
#pragma once

#include "signfold/transform/basis.h"

namespace signfold {

/// "dct2:HxW" for dim = planes·H·W: coefficient (p, q) of a plane X is Σ C_H(p, i) X(i, j) C_W(q, j), where
/// C_n(k, i) = s_k cos(π (i + ½) k / n), s_0 = √(1/n), else √(2/n). Coefficients take the places of the pixels.
BasisPtr make_dct2_basis(const std::string& name, std::size_t dim);

}  // namespace signfold
