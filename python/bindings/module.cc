#include <pybind11/pybind11.h>

#include "bindings.h"
#include "signfold/base/error.h"

namespace {

namespace py = pybind11;

/// ValueError, OSError or KeyboardInterrupt, with the words of the command line.
void translate(std::exception_ptr error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const signfold::Error& e) {
    switch (e.kind()) {
      case signfold::ErrorKind::invalid:
        PyErr_SetString(PyExc_ValueError, e.what());
        return;
      case signfold::ErrorKind::io:
        PyErr_SetString(PyExc_OSError, e.what());
        return;
      case signfold::ErrorKind::interrupted:
        // Python's own handler first: it may be the user's, and raise something else.
        if (PyErr_CheckSignals() == 0) PyErr_SetString(PyExc_KeyboardInterrupt, e.what());
        return;
    }
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ library behind signfold. Private: use the package.";
  module.attr("__version__") = SIGNFOLD_VERSION;
  py::register_exception_translator(translate);
  signfold::python::bind_sources(module);
  signfold::python::bind_model(module);
  signfold::python::bind_code_file(module);
  signfold::python::bind_fit(module);
  signfold::python::bind_train(module);
  signfold::python::bind_theory(module);
  signfold::python::bind_priors(module);
}
