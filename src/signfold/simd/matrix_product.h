// Products of float matrices on the calling thread.
#pragma once

#include "signfold/base/matrix.h"

namespace signfold::simd {

/// c = keep·c + op(a)·op(b) with op = transpose where asked; keep = 0 does not read c. Runs on the calling thread, at
/// once: as quick as a good BLAS on large matrices and quicker on small ones. Terms are added in order, one running sum
/// per element and 512 terms: the same bytes for every split of c into rows or columns, close to rounding on every
/// target. Throws Error when the shapes do not match.
void matrix_product(bool transpose_a, bool transpose_b, MatrixView<const float> a, MatrixView<const float> b,
                    float keep, MatrixView<float> c);

}  // namespace signfold::simd
