// Two-dimensional bases that act along one axis at a time.
#pragma once

#include <string>

#include "signfold/transform/basis.h"

namespace signfold {

/// The orthonormal n × n matrix (rows = basis vectors) that a kind of basis applies along an axis of n values.
using AxisMatrix = Matrix<double> (*)(std::size_t n);

/// "KIND:HxW" or "KIND:HxWxP" for dim = planes·H·W: coefficient (p, q) of a plane X of H × W values is
/// Σ M_H(p, i) X(i, j) M_W(q, j), M = `along(n)`. With P given, groups of P planes are then mixed, place by place, by
/// the orthonormal cosine transform of P values: for P = 3 (colour) their sum, a difference and a second difference.
/// Coefficients take the places of the pixels. Throws Error for other names, sides above 4096, and a dim that is no
/// whole number of groups.
BasisPtr make_separable_basis(const std::string& kind, AxisMatrix along, const std::string& name, std::size_t dim);

}  // namespace signfold
