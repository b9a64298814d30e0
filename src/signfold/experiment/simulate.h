// Measuring decoders on synthetic vectors: what several figures share.
#pragma once

#include "signfold/experiment/figure.h"

namespace signfold::experiment {

/// "sparse-gaussian" and 0.1 of settings {"prior", "p"} as a prior.
PriorPtr prior_of(const Settings& settings);

/// Settings: prior, p, rate, dim, encoder, layers, norm ("stored" or "lost"), encoders, vectors. Measures "risk" of
/// layers 0 (linear) to `layers`, where {"layer"}: the mean over `encoders` encoders of different seeds with `vectors`
/// vectors each. The standard error is that of the vectors, or the spread of the encoders where that is larger. A
/// decoder that stops early because it has converged keeps the risk of its last layer.
PointResult measure_layers(const Settings& settings, const Context& context);

/// Predicts the "risk" of every row with those settings, by layer.
void predict_layers(Table& table, const Laws& laws);

}  // namespace signfold::experiment
