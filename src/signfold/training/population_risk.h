// The risk of a linear decoder averaged over a Gaussian or sparse Gaussian source, with no sample of it
// (docs/math.md section 3).
#pragma once

#include <cstddef>
#include <cstdint>

#include "signfold/base/matrix.h"
#include "signfold/training/population_masks.h"

namespace signfold {

/// What a linear decoder needs to know of z = sign(Bx).
struct SignMoments {
  Matrix<double> zx;  ///< E z xᵀ, n × d
  Matrix<double> zz;  ///< E z zᵀ, n × n
};

/// The moments for rows b_i of any norm (only their directions count; n × d, any n), averaged over the masks. A row
/// that sees no kept coordinate is a fair coin under that mask: ties carry no information. Throws Error when the shapes
/// do not match. Here and below, results do not depend on the number of threads (0 = default_threads()).
SignMoments sign_moments(MatrixView<const double> rows, const SourceMasks& masks, int threads = 0);

/// The best linear decoder x̂ = Σ_i z_i a_i: F⁻¹ C, n × d, whose row i is a_i (the transpose of A* in docs/math.md).
/// Finite even when bits repeat each other, where F is singular: 1e-10 is added to its diagonal.
Matrix<double> best_decoder(const SignMoments& moments);

/// (1/d) E‖x − Σ_i z_i a_i‖² of any decoder (n × d); 1 = knowing nothing.
double decoder_risk(const SignMoments& moments, MatrixView<const double> decoder);

/// The gradient of d times that risk in the rows, at a fixed decoder, n × d; at the best decoder also the gradient
/// of d times the best risk. It lies in the tangent spaces of the rows, because norms do not count. Where two masked
/// rows are parallel the risk has a corner; the gradient stays finite there.
Matrix<double> risk_gradient(MatrixView<const double> rows, MatrixView<const double> decoder, const SourceMasks& masks,
                             int threads = 0);

struct RiskEstimate {
  double mean = 0;
  double standard_error = 0;
};
/// The risk of these rows with a decoder that is fitted on `masks` random masks and tested on as many others: an
/// unbiased estimate of what this pair of encoder and decoder does, so never flattering. Exact for p = 1. Throws Error
/// for fewer than 64 masks.
RiskEstimate measure_risk(MatrixView<const double> rows, double p, std::size_t masks, std::uint64_t seed,
                          int threads = 0);
/// The same for a decoder that is given, n × d, and was not fitted on these masks.
RiskEstimate measure_risk(MatrixView<const double> rows, MatrixView<const double> decoder, double p, std::size_t masks,
                          std::uint64_t seed, int threads = 0);

/// The best risk of n ≤ d orthonormal rows with all entries ±1/√d (a part of a Hadamard matrix) at this dimension:
/// 1 − (2/π)(n/d)(E √(K/(p d)))² with K ~ Binomial(d, p). The limit 1 − (2/π)(n/d) lies about (1 − p)/(4 p d)
/// of the second term below; uniformly random orthonormal rows lose three times as much. Throws Error for n > d.
double flat_orthonormal_risk(std::size_t bits, std::size_t dim, double p);

}  // namespace signfold
