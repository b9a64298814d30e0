#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <tuple>
#include <vector>

#include "bindings.h"
#include "interrupt_guard.h"
#include "risk_tuples.h"
#include "signfold/base/linalg.h"
#include "signfold/codec/predict.h"
#include "signfold/codec/simulate.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

Prediction predict_risks(const Bytes& prior, double rate, const Bytes& encoder, const std::string& decoder) {
  return long_call([&] { return predict({prior, rate, encoder, decoder}); });
}

py::tuple simulate_vectors(const Bytes& prior, double rate, std::size_t dim, std::uint64_t samples, std::uint64_t seed,
                           const Bytes& encoder, const std::string& decoder, const std::string& scale, int threads,
                           const Progress& progress) {
  const Simulation simulation = long_call([&] {
    const BlasThreads blas(threads);
    return simulate({prior, rate, dim, samples, seed, encoder, decoder, parse_scale(scale), threads, progress});
  });
  const Evaluation& evaluation = simulation.evaluation;
  return py::make_tuple(evaluation.vectors, risk_tuples(evaluation.layers), risk_tuples(evaluation.prefixes),
                        evaluation.encode_seconds, evaluation.decode_seconds, simulation.encoder,
                        simulation.bits_per_vector, simulation.stage_bits);
}

/// (stages, rate, risk) of each.
std::vector<std::tuple<int, double, double>> prefixes(const Prediction& prediction) {
  std::vector<std::tuple<int, double, double>> tuples;
  for (const PredictedPrefix& prefix : prediction.prefixes) {
    tuples.emplace_back(prefix.stages, prefix.rate, prefix.risk);
  }
  return tuples;
}

}  // namespace

void bind_theory(py::module_& module) {
  py::class_<Prediction>(module, "Prediction")
      .def_readonly("encoder", &Prediction::encoder)
      .def_readonly("linear", &Prediction::linear)
      .def_readonly("layers", &Prediction::layers)
      .def_readonly("fixed_point", &Prediction::fixed_point)
      .def_property_readonly("prefixes", prefixes)
      .def_readonly("limit", &Prediction::limit)
      .def_readonly("rotation", &Prediction::rotation)
      .def_readonly("identity", &Prediction::identity)
      .def_property_readonly("mixed_m", [](const Prediction& p) { return p.mixed.m; })
      .def_property_readonly("mixed", [](const Prediction& p) { return p.mixed.risk; })
      .def_readonly("note", &Prediction::note);
  module.def("predict", predict_risks, py::arg("prior"), py::arg("rate"), py::arg("encoder"), py::arg("decoder"));
  module.def("simulate", simulate_vectors, py::arg("prior"), py::arg("rate"), py::arg("dim"), py::arg("samples"),
             py::arg("seed"), py::arg("encoder"), py::arg("decoder"), py::arg("scale"), py::arg("threads"),
             py::arg("progress"));
}

}  // namespace signfold::python
