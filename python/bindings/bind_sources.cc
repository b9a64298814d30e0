#include <pybind11/stl.h>

#include <memory>

#include "array_source.h"
#include "bindings.h"
#include "interrupt_guard.h"
#include "signfold/codec/inputs.h"

namespace signfold::python {

namespace py = pybind11;

void bind_sources(py::module_& module) {
  py::class_<Source>(module, "Source")
      .def_property_readonly("dim", &Source::dim)
      .def_property_readonly("rows", &Source::rows)
      .def_property_readonly("description", [](const Source& source) { return to_text(source.description()); })
      .def_property_readonly("item_shape", &Source::item_shape);
  py::class_<ArraySource, Source>(module, "ArraySource")
      .def(py::init<const py::array&, std::string, std::vector<std::size_t>>(), py::arg("x"), py::arg("description"),
           py::arg("item_shape"))
      .def_property_readonly("in_place", [](const ArraySource& source) { return source.view().has_value(); });
  module.def(
      "open_source", [](const Bytes& path) { return long_call([&] { return open_source(path); }); }, py::arg("path"));
  module.def(
      "check_not_read",
      [](const std::string& option, const Bytes& out, const Bytes& vectors) {
        check_not_read(option, out, {file_of_vectors(vectors)});
      },
      py::arg("option"), py::arg("out"), py::arg("vectors"));
}

}  // namespace signfold::python
