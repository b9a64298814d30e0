#include <pybind11/pybind11.h>

#include "bindings.h"
#include "signfold/base/error.h"

namespace {

namespace py = pybind11;

/// Messages name files, which are any bytes; PyErr_SetString drops a message that is not UTF-8.
void set_error(PyObject* type, const char* what) {
  const py::str text = signfold::python::to_text(what);
  PyErr_SetObject(type, text.ptr());
}

/// FileNotFoundError and the like for the code with which the system refused, with its errno; the message as it is.
void set_os_error(const signfold::Error& error) {
  if (error.system_code() == 0) return set_error(PyExc_OSError, error.what());
  const auto general = py::reinterpret_borrow<py::object>(PyExc_OSError);
  const py::type type = py::type::of(general(error.system_code(), ""));  // Python knows which it is
  const py::object instance = type(signfold::python::to_text(error.what()));
  instance.attr("errno") = error.system_code();
  PyErr_SetObject(type.ptr(), instance.ptr());
}

/// ValueError, OSError or KeyboardInterrupt, with the words of the command line.
void translate(std::exception_ptr error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const signfold::Error& e) {
    switch (e.kind()) {
      case signfold::ErrorKind::invalid:
        set_error(PyExc_ValueError, e.what());
        return;
      case signfold::ErrorKind::io:
        set_os_error(e);
        return;
      case signfold::ErrorKind::interrupted:
        // Python's own handler first: it may be the user's, and raise something else.
        if (PyErr_CheckSignals() == 0) set_error(PyExc_KeyboardInterrupt, e.what());
        return;
    }
  }
}

}  // namespace

namespace signfold::python {

py::str to_text(const std::string& text) {
  PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "surrogateescape");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

}  // namespace signfold::python

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ library behind signfold. Private: use the package.";
  module.attr("__version__") = SIGNFOLD_VERSION;
  module.attr("pybind11_version") = py::make_tuple(PYBIND11_VERSION_MAJOR, PYBIND11_VERSION_MINOR);
  py::register_exception_translator(translate);
  signfold::python::bind_sources(module);
  signfold::python::bind_model(module);
  signfold::python::bind_code_file(module);
  signfold::python::bind_fit(module);
  signfold::python::bind_train(module);
  signfold::python::bind_theory(module);
  signfold::python::bind_priors(module);
}
