// Rate–distortion of a discrete source under squared error, by the algorithm of Blahut and Arimoto.
#pragma once

#include <vector>

namespace signfold {

/// Points with probabilities that sum to 1.
struct DiscreteSource {
  std::vector<double> points;
  std::vector<double> weights;
};

/// The least E (x − y)² of any code of `rate` ≥ 0 nats per symbol whose values y are points of the source or of `grid`,
/// to an absolute error of about `tolerance` > 0. It is 0 from the entropy of the source on.
double discrete_distortion(const DiscreteSource& source, const std::vector<double>& grid, double rate,
                           double tolerance);

}  // namespace signfold
