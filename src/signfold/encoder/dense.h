// Encoders stored as a matrix: any given one, or a Haar-distributed rotation.
#pragma once

#include "signfold/encoder/encoder.h"

namespace signfold {

/// Any n × d matrix; its rows are scaled to unit norm. Throws Error for a zero or non-finite row (named).
EncoderPtr make_dense(MatrixView<const float> b, std::string name = "dense", std::uint64_t seed = 0);
/// n ≤ d: the first n rows of a Haar-distributed rotation. n > d: √(n/d) times n × d with Haar orthonormal columns.
EncoderPtr make_haar(EncoderShape shape, std::uint64_t seed);
/// The matrix of a dense or haar encoder (n × d); empty for encoders that are not stored as one.
MatrixView<const float> dense_matrix(const Encoder& encoder);
/// Any encoder as an explicit n × d matrix, by applying it to the unit vectors. For small d, tests and theory.
Matrix<float> explicit_matrix(const Encoder& encoder);

}  // namespace signfold
