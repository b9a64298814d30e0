// The parts of signfold._core, one function per part. What users see is Python (python/signfold); this is plumbing.
#pragma once

#include <pybind11/pybind11.h>

namespace signfold::python {

void bind_sources(pybind11::module_& module);
void bind_model(pybind11::module_& module);
void bind_code_file(pybind11::module_& module);
void bind_fit(pybind11::module_& module);
void bind_train(pybind11::module_& module);
void bind_theory(pybind11::module_& module);
void bind_priors(pybind11::module_& module);

}  // namespace signfold::python
