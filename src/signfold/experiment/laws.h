// The laws that figures compare with.
#pragma once

#include <functional>
#include <vector>

#include "signfold/prior/prior.h"
#include "signfold/theory/mixed_risk.h"
#include "signfold/theory/pair_mix.h"

namespace signfold::experiment {

/// Functions of theory/, as data: a test replaces one by a wrong one and sees the report object.
struct Laws {
  /// Risk of the best linear decoder of a rotation, whatever the prior, in the limit of large d.
  std::function<double(double rate)> linear;
  /// The same at finite d: n ≤ d flat orthonormal rows, sparse Gaussian prior.
  std::function<double(std::size_t bits, std::size_t dim, double p)> flat;
  std::function<double(const Prior&, double m, double rate)> mixed;
  std::function<MixedOptimum(const Prior&, double rate)> best_mix;
  /// The same on rotated pairs of coordinates.
  std::function<PairOptimum(const Prior&, double rate)> best_pairs;
  /// The mixed encoder with a denoiser of two inputs, rate 1.
  std::function<double(const Prior&, double m)> two_inputs;
  /// Risk of layers 1..count of the multi-layer decoder of a rotation.
  std::function<std::vector<double>(const PriorPtr&, double rate, int count)> layers;
  /// The Bayes limit of the bits of a rotation.
  std::function<double(const PriorPtr&, double rate)> bayes;
  /// Risk after every stage of a code that is kept in stages.
  std::function<std::vector<double>(const PriorPtr&, double rate, int stages)> staged;
  /// Shannon's limit of all codes.
  std::function<double(const PriorPtr&, double rate)> shannon;
};

/// Those of the library; slow ones remember what they were asked. Thread-safe.
Laws library_laws();

}  // namespace signfold::experiment
