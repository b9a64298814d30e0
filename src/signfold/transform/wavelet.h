// A two-dimensional orthonormal wavelet transform as a basis.
#pragma once

#include "signfold/transform/basis.h"

namespace signfold {

/// The orthonormal wavelet transform of n values, rows = basis vectors, coarsest first. One level maps m values to
/// ⌈m/2⌉ averages and ⌊m/2⌋ details. It starts from the CDF 9/7 analysis [CDF92] with whole-sample symmetric extension,
/// which is nearly orthonormal (singular values in [0.77, 1.27]) and has no seam at the ends: the details become the
/// nearest orthonormal rows, then the averages the nearest ones orthogonal to them. Averages are split again while
/// there are more than 4. Measured against Haar, periodic Daubechies and others: docs/math.md section 8.
Matrix<double> wavelet_matrix(std::size_t n);

/// "wavelet2:HxW" or "wavelet2:HxWxP": see make_separable_basis.
BasisPtr make_wavelet2_basis(const std::string& name, std::size_t dim);

}  // namespace signfold
