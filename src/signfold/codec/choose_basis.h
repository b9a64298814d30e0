// Which basis a decoder should look at vectors in, where the user left it open: held-out vectors decide (docs/math.md
// section 8).
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/codec/model.h"

namespace signfold {

/// Bases worth comparing for vectors of a shape (product = dim), simplest first: "identity"; "dct2:…" and "wavelet2:…"
/// where the last two axes have more than 4 places each (up to 4 of an axis before them are colours, and are mixed);
/// "pca" up to 4096 coordinates. Axes of one place do not count.
std::vector<std::string> candidate_bases(std::span<const std::size_t> item_shape, std::size_t dim);

struct BasisRisk {
  std::string basis;
  double risk = 1;          ///< of the last layer, on the held-out vectors
  double excess_error = 0;  ///< standard error of its difference from the least risk, of paired vectors
};
struct BasisChoice {
  std::string basis;
  std::vector<BasisRisk> compared;  ///< in the order of the candidates
};

/// A model with the given basis, fitted to rows that may be overwritten.
using FitInBasis = std::function<Model(const std::string& basis, MatrixView<float> rows)>;

/// Fits every candidate to all rows but the held-out ones (at most 1000, at most a fifth, evenly spread), and measures
/// it on those. Of the candidates whose risk is not above the least by more than 2 paired standard errors, the first is
/// chosen. Needs a copy of the rows; the result does not depend on `threads`. Throws Error for fewer than 10 rows, and
/// when the held-out vectors have no energy around the mean.
BasisChoice choose_basis(MatrixView<const float> rows, std::span<const std::string> candidates, int threads,
                         const FitInBasis& fit);

/// "identity 0.4120, pca 0.2840".
std::string to_string(const BasisChoice& choice);

}  // namespace signfold
