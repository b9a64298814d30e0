// The affine decoder x̂ = A z + offset, by least squares on data: no theory, any encoder.
#pragma once

#include <span>

#include "signfold/base/matrix.h"
#include "signfold/decoder/network.h"
#include "signfold/encoder/encoder.h"

namespace signfold {

struct AffineFit {
  AffineDecoder decoder;
  double risk =
      1;  ///< expected on new vectors: the training risk times (k + n)/(k − n) (Akaike's final prediction error)
};

/// What least squares needs to know of the vectors, gathered in as many portions as suit.
class AffineSums {
 public:
  AffineSums(std::size_t bits, std::size_t dim);
  /// Adds k rows (k × d, in the coordinates of the encoder) with k weights; none = all 1.
  void add(const Encoder& encoder, MatrixView<const float> rows, std::span<const double> weights);
  /// Minimises Σ w‖x − A z − offset‖². Throws Error unless there were more rows than bits.
  AffineFit solve() const;

 private:
  std::size_t rows_ = 0;
  Matrix<double> zz_;  ///< Σ w (z, 1)(z, 1)ᵀ
  Matrix<double> zx_;  ///< Σ w (z, 1) xᵀ
  double energy_ = 0;  ///< Σ w ‖x‖²
};

/// The same for rows that are all there.
AffineFit fit_affine(const Encoder& encoder, MatrixView<const float> rows, std::span<const double> weights);

}  // namespace signfold
