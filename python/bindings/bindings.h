// The parts of signfold._core, one function per part. What users see is Python (python/signfold); this is plumbing.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace signfold::python {

/// Text that may name files, whose names are any bytes: bytes of Python. pybind11 refuses strings that are not UTF-8.
struct Bytes : std::string {
  using std::string::string;
};

/// Such text for people: as Python has the names of files (PEP 383).
pybind11::str to_text(const std::string& text);

/// A member that is such text.
template <auto kMember, class Class>
void bind_bytes(pybind11::class_<Class>& bound, const char* name) {
  bound.def_property(
      name, [](const Class& object) { return pybind11::bytes(object.*kMember); },
      [](Class& object, const Bytes& value) { object.*kMember = value; });
}

void bind_sources(pybind11::module_& module);
void bind_model(pybind11::module_& module);
void bind_code_file(pybind11::module_& module);
void bind_fit(pybind11::module_& module);
void bind_train(pybind11::module_& module);
void bind_theory(pybind11::module_& module);
void bind_priors(pybind11::module_& module);

}  // namespace signfold::python

template <>
struct pybind11::detail::type_caster<signfold::python::Bytes> {
  PYBIND11_TYPE_CASTER(signfold::python::Bytes, const_name("bytes"));

  bool load(handle source, bool /*convert*/) {
    if (!PyBytes_Check(source.ptr())) return false;
    value.assign(PyBytes_AS_STRING(source.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(source.ptr())));
    return true;
  }
};
