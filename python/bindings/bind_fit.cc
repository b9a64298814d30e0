#include <pybind11/functional.h>

#include "bindings.h"
#include "interrupt_guard.h"
#include "signfold/base/linalg.h"
#include "signfold/codec/fit.h"
#include "signfold/codec/names.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

void set_center(FitOptions& options, const std::string& text) {
  if (text == "auto") {
    options.center = Centering::automatic;
  } else if (text == "always") {
    options.center = Centering::always;
  } else if (text == "never") {
    options.center = Centering::never;
  } else {
    fail("unknown center '{}'; known: auto, always, never", text);
  }
}

Model fit_source(Source& source, const FitOptions& options) {
  check_fit_names(options);
  return long_call([&] {
    const BlasThreads blas(options.threads);
    return fit(source, options);
  });
}

Model fit_prior(const Bytes& prior, std::size_t dim, const FitOptions& options) {
  check_fit_names(options);
  return long_call([&] {
    const BlasThreads blas(options.threads);
    return model_for_prior(read_prior(prior), dim, options);
  });
}

}  // namespace

void bind_fit(py::module_& module) {
  py::class_<FitOptions> options(module, "FitOptions");
  bind_bytes<&FitOptions::encoder>(options, "encoder");
  bind_bytes<&FitOptions::prior>(options, "prior");
  options.def(py::init<>())
      .def_readwrite("rate", &FitOptions::rate)
      .def_readwrite("decoder", &FitOptions::decoder)
      .def_readwrite("basis", &FitOptions::basis)
      .def_property(
          "steps", [](const FitOptions& o) { return o.network.steps; },
          [](FitOptions& o, std::size_t steps) { o.network.steps = steps; })
      .def_property(
          "splines", [](const FitOptions& o) { return o.network.splines; },
          [](FitOptions& o, bool splines) { o.network.splines = splines; })
      .def_property(
          "own_matrix", [](const FitOptions& o) { return o.network.own_matrix; },
          [](FitOptions& o, bool own_matrix) { o.network.own_matrix = own_matrix; })
      .def_readwrite("whiten", &FitOptions::whiten)
      .def_readwrite("epsilon", &FitOptions::epsilon)
      .def("set_center", set_center, py::arg("center"))
      .def(
          "set_scale", [](FitOptions& o, const std::string& scale) { o.scale = parse_scale(scale); }, py::arg("scale"))
      .def_readwrite("seed", &FitOptions::seed)
      .def_readwrite("max_rows", &FitOptions::max_rows)
      .def_readwrite("threads", &FitOptions::threads)
      .def_readwrite("progress", &FitOptions::progress);
  module.def("fit", fit_source, py::arg("source"), py::arg("options"));
  module.def("fit_prior", fit_prior, py::arg("prior"), py::arg("dim"), py::arg("options"));
  module.def(
      "is_network",
      [](const std::string& decoder) { return read_decoder(decoder).kind == DecoderChoice::Kind::network; },
      py::arg("decoder"));
}

}  // namespace signfold::python
