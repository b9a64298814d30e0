#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "bindings.h"
#include "interrupt_guard.h"
#include "risk_tuples.h"
#include "signfold/base/file.h"
#include "signfold/base/linalg.h"
#include "signfold/codec/inputs.h"
#include "signfold/codec/names.h"
#include "signfold/codec/stages_for_rate.h"
#include "signfold/codec/train.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

using PythonProgress = std::function<void(std::size_t step, std::size_t steps, double risk)>;

bool is_keyboard_interrupt(const py::error_already_set& error) {
  const py::gil_scoped_acquire acquire;
  return error.matches(PyExc_KeyboardInterrupt);
}

/// A KeyboardInterrupt that finds the interpreter in the callback is an interrupt like any other: the checkpoint is
/// written.
void set_progress(TrainRequest& request, const PythonProgress& progress) {
  if (!progress) return;
  request.progress = [progress](const TrainProgress& p) {
    try {
      progress(p.step, p.steps, p.risk);
    } catch (const py::error_already_set& error) {
      if (is_keyboard_interrupt(error)) throw Error(ErrorKind::interrupted, "interrupted");
      throw;
    }
  };
}

py::tuple train_model(TrainRequest& request, Source* data, Source* test) {
  request.vectors = data;
  request.test_vectors = test;
  Trained trained = long_call([&] {
    const BlasThreads blas(request.threads);
    return train(request);
  });
  return py::make_tuple(py::cast(std::move(trained.model)), py::cast(std::move(trained.report)));
}

/// What cannot be written is better known now than after hours of training. Throws Error for that, and for a file that
/// the run reads, or that is removed when it ends.
void check_out(const Bytes& out, const Bytes& prior, const TrainRequest& request) {
  if (same_file(out, request.checkpoint)) fail("out and checkpoint both name {}: name two files", out);
  check_not_read(
      "out", out,
      {file_of_vectors(request.data), file_of_vectors(request.test), file_of_name(request.start), file_of_name(prior)});
  const AtomicFile probe(out);
}

void bind_request(py::module_& module) {
  py::class_<TrainRequest> request(module, "TrainRequest");
  bind_bytes<&TrainRequest::data>(request, "data");
  bind_bytes<&TrainRequest::test>(request, "test");
  bind_bytes<&TrainRequest::start>(request, "start");
  bind_bytes<&TrainRequest::checkpoint>(request, "checkpoint");
  request.def(py::init<>())
      .def(
          "set_prior", [](TrainRequest& r, const Bytes& prior) { r.prior = read_prior(prior); }, py::arg("prior"))
      .def(
          "set_method", [](TrainRequest& r, const std::string& name) { r.method = parse_train_method(name); },
          py::arg("method"))
      .def(
          "set_decoder", [](TrainRequest& r, const std::string& name) { r.decoder = parse_trained_decoder(name); },
          py::arg("decoder"))
      .def(
          "set_optimizer", [](TrainRequest& r, const std::string& name) { r.optimizer = parse_optimizer(name); },
          py::arg("optimizer"))
      .def(
          "set_decay", [](TrainRequest& r, const std::string& name) { r.decay = parse_decay(name); }, py::arg("decay"))
      .def(
          "set_rows", [](TrainRequest& r, const std::string& name) { r.rows = parse_row_constraint(name); },
          py::arg("rows"))
      .def(
          "set_augment", [](TrainRequest& r, const std::string& name) { r.augment = parse_augmentation(name); },
          py::arg("augment"))
      .def("set_progress", set_progress, py::arg("progress"))
      .def_property_readonly("layered", [](const TrainRequest& r) { return r.decoder.kind == TrainedDecoder::layers; })
      .def_readwrite("dim", &TrainRequest::dim)
      .def_readwrite("rate", &TrainRequest::rate)
      .def_readwrite("stages", &TrainRequest::stages)
      .def_readwrite("hidden", &TrainRequest::hidden)
      .def_readwrite("epochs", &TrainRequest::epochs)
      .def_readwrite("joint_epochs", &TrainRequest::joint_epochs)
      .def_readwrite("search_epochs", &TrainRequest::search_epochs)
      .def_readwrite("search", &TrainRequest::search)
      .def_readwrite("axes", &TrainRequest::axes)
      .def_readwrite("splines", &TrainRequest::splines)
      .def_readwrite("own_matrix", &TrainRequest::own_matrix)
      .def_readwrite("freeze_encoder", &TrainRequest::freeze_encoder)
      .def_readwrite("steps", &TrainRequest::steps)
      .def_readwrite("batch", &TrainRequest::batch)
      .def_readwrite("step_size", &TrainRequest::step_size)
      .def_readwrite("network_step_size", &TrainRequest::network_step_size)
      .def_readwrite("weight_decay", &TrainRequest::weight_decay)
      .def_readwrite("tau", &TrainRequest::tau)
      .def_readwrite("tau_end", &TrainRequest::tau_end)
      .def_readwrite("masks", &TrainRequest::masks)
      .def_readwrite("noise", &TrainRequest::noise)
      .def_readwrite("seed", &TrainRequest::seed)
      .def_readwrite("threads", &TrainRequest::threads)
      .def_readwrite("resume", &TrainRequest::resume);
}

void bind_report(py::module_& module) {
  py::class_<TrainReport>(module, "TrainReport")
      .def_readonly("risk", &TrainReport::risk)
      .def_readonly("stderr", &TrainReport::stderr_)
      .def_readonly("rotation", &TrainReport::rotation)
      .def_readonly("identity", &TrainReport::identity)
      .def_readonly("mixed", &TrainReport::mixed)
      .def_readonly("mixed_m", &TrainReport::mixed_m)
      .def_readonly("alpha", &TrainReport::alpha)
      .def_property_readonly("prefixes", [](const TrainReport& r) { return risk_tuples(r.prefixes); })
      .def_property_readonly("orthogonality", [](const TrainReport& r) { return r.shape.orthogonality; })
      .def_property_readonly("diagonal_weight", [](const TrainReport& r) { return r.shape.diagonal_weight; })
      .def_readonly("steps", &TrainReport::steps)
      .def_readonly("seconds", &TrainReport::seconds)
      .def_readonly("history", &TrainReport::history);
}

}  // namespace

void bind_train(py::module_& module) {
  bind_request(module);
  bind_report(module);
  module.def("check_out", check_out, py::arg("out"), py::arg("prior"), py::arg("request"));
  module.def("train", train_model, py::arg("request"), py::arg("data"), py::arg("test"));
  module.def("stages_for_rate", stages_for_rate, py::arg("rate"), py::arg("dim"));
}

}  // namespace signfold::python
