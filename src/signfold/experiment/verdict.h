// Does what was measured agree with what was claimed? Decided from numbers alone.
#pragma once

#include <string>
#include <vector>

#include "signfold/experiment/result.h"

namespace signfold::experiment {

/// A claim and what became of it.
struct Verdict {
  std::string claim;
  std::string source;    ///< who claims it: the paper or a document
  std::string measured;  ///< numbers, as text
  std::string claimed;
  bool agrees = false;
  std::string reason = {};  ///< "within 0.8 % everywhere", or where it fails and by how much
};

/// A measured number and the one it should be.
struct Comparison {
  std::string label;  ///< which one, e.g. "p = 0.1"
  double value = 0;
  double standard_error = 0;
  double claimed = 0;
};
/// How far they may be apart: the larger of the two.
struct Tolerance {
  double relative = 0.02;  ///< of the claimed number
  double sigmas = 5;       ///< standard errors
};

/// Agrees when every comparison is within the tolerance; `measured` and `claimed` show the worst. Throws Error for no
/// comparisons: a claim about nothing has no verdict.
Verdict compare(std::string claim, std::string source, const std::vector<Comparison>& comparisons,
                Tolerance tolerance = {});
/// Agrees when every value lies below the claimed bound by more than `sigmas` standard errors.
Verdict below(std::string claim, std::string source, const std::vector<Comparison>& comparisons, double sigmas = 5);

/// The comparisons of rows that have a prediction, labelled by the given settings: "sparse-gaussian, p = 0.1, d = 200".
std::vector<Comparison> comparisons(const std::vector<Row>& rows, const std::vector<std::string>& keys);

}  // namespace signfold::experiment
