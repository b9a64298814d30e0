// Products of many samples with one matrix, where no sample may feel its neighbours.
#pragma once

#include "signfold/base/matrix.h"

namespace signfold {

/// c.row(i) = a.row(i)·op(b), op = transpose where asked: a is k × m, op(b) is m × n, c is k × n; c overlaps neither.
/// Computed on zero-padded blocks of 16 rows by single-threaded BLAS, so that the bytes of a row depend on nothing but
/// that row and b: neither on its neighbours, its place, the number of rows, nor the number of threads. Runs on the
/// calling thread. Throws Error when the shapes do not match.
void gemm_rows(bool transpose_b, MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c);

}  // namespace signfold
