// Risk of linear decoders x̂ = A z (docs/math.md section 3). Risks are normalised: 1 = knowing nothing.
#pragma once

#include "signfold/base/matrix.h"

namespace signfold {

/// The Gaussian limit d → ∞ with the best encoder and decoder: 1 − 2r/π for r ≤ 1, 1 − r/(r + π/2 − 1) for r > 1.
/// Also the risk of the best scalar A = αBᵀ with an orthonormal (or tight-frame) delocalised B. Throws Error for r ≤ 0.
double linear_risk_limit(double rate);
/// The gain α of the best scalar decoder x̂ = α Bᵀ z for the same B: √(2/π) for r ≤ 1, √(2/π)/(1 + (r−1)2/π) for r > 1.
double linear_gain_limit(double rate);

/// Gaussian x, one given B (n × d, rows of any positive norm: only their directions count): risk of the best A.
/// Throws Error for a zero row or two parallel rows (F is then singular).
double gaussian_linear_risk(MatrixView<const double> b);
/// A* = √(2/π) Bᵀ F⁻¹ as a d × n matrix, F = (2/π) arcsin(B Bᵀ) entrywise. Throws as gaussian_linear_risk does.
Matrix<double> gaussian_best_decoder(MatrixView<const double> b);
/// Risk of any given decoder A (d × n) on Gaussian x; above 1 when A is worse than the zero decoder.
double gaussian_linear_risk(MatrixView<const double> b, MatrixView<const double> a);

/// Delocalised B with unit-norm rows and any spectrum: the best scalar decoder. fourth = tr((BBᵀ)²)/n, at least
/// max(1, r) (a tight frame); 1 + r for independent uniform rows. Throws Error for impossible arguments.
struct ScalarDecoder {
  double gain = 0;  ///< α
  double risk = 1;
  double precision = 0;  ///< of the scalar channel seen by a denoiser: Bᵀz scaled to x + N(0, 1/precision)
};
ScalarDecoder best_scalar_decoder(double rate, double fourth);

}  // namespace signfold
