// Measured risks as Python takes them.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "signfold/codec/codec.h"

namespace signfold::python {

/// (measured, stderr, predicted) of each.
inline pybind11::list risk_tuples(const std::vector<LayerRisk>& risks) {
  pybind11::list tuples;
  for (const LayerRisk& risk : risks) {
    tuples.append(pybind11::make_tuple(risk.measured, risk.stderr_, risk.predicted));
  }
  return tuples;
}

}  // namespace signfold::python
