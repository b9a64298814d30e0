#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "array_source.h"
#include "bindings.h"
#include "interrupt_guard.h"
#include "risk_tuples.h"
#include "signfold/codec/blocks.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/model.h"
#include "signfold/decoder/decoder.h"
#include "views.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

/// Where the codes of a source go.
struct CodesOut {
  MatrixView<std::uint8_t> codes;
  std::span<float> scales;  // empty for ScaleKind::none

  CodesOut rows(std::size_t begin, std::size_t count) const {
    return {codes.row_range(begin, count), scales.empty() ? scales : scales.subspan(begin, count)};
  }
};

/// Reads, converts and encodes block by block: what arrays of other types, and files, take.
void encode_blocks(const Model& model, Source& source, const CodesOut& out, const RunOptions& options) {
  Matrix<float> x(std::min<std::uint64_t>(chunk_rows(model.dim()), source.rows()), model.dim());
  std::size_t done = 0;
  for (std::size_t rows = source.read(x); rows > 0; rows = source.read(x)) {
    const CodesOut block = out.rows(done, rows);
    try {
      encode_rows(model, x.view().row_range(0, rows), block.codes, block.scales, options);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::invalid) throw;
      fail("{}, vectors from {} on: {}", source.description(), done, e.what());
    }
    done += rows;
  }
}

/// Throws Error where a value is not finite: with its row and column, which encode_rows does not look for.
void check_values(Source& source) {
  Matrix<float> x(std::min<std::uint64_t>(chunk_rows(source.dim()), source.rows()), source.dim());
  source.rewind();
  while (source.read(x) > 0) continue;
}

void encode_in_place(const Model& model, Source& source, MatrixView<const float> x, const CodesOut& out,
                     const RunOptions& options) {
  try {
    encode_rows(model, x, out.codes, out.scales, options);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::invalid) throw;
    check_values(source);
    fail("{}: {}", source.description(), e.what());
  }
}

py::tuple encode(const Model& model, Source& source, int threads, std::optional<std::size_t> search) {
  check_dimension(model, source);
  const auto rows = static_cast<py::ssize_t>(source.rows());
  const bool scaled = model.scale != ScaleKind::none;
  py::array_t<std::uint8_t> bits({rows, static_cast<py::ssize_t>(code_bytes(model.bits()))});
  py::array_t<float> scales(scaled ? rows : 0);
  const CodesOut out = {mutable_matrix_view(bits), {scales.mutable_data(), static_cast<std::size_t>(scales.size())}};
  const auto* array = dynamic_cast<const ArraySource*>(&source);
  const std::optional<MatrixView<const float>> view = array != nullptr ? array->view() : std::nullopt;
  const RunOptions options{threads, {}, search};
  long_call(
      [&] { view ? encode_in_place(model, source, *view, out, options) : encode_blocks(model, source, out, options); });
  return py::make_tuple(bits, scaled ? py::object(scales) : py::none());
}

void decode(const Model& model, const py::array_t<std::uint8_t>& bits, const py::object& scales, int depth,
            py::array_t<float>& out, int threads) {
  const MatrixView<const std::uint8_t> codes = matrix_view(bits);
  const std::span<const float> factors = scales_view(scales);
  const MatrixView<float> x = mutable_matrix_view(out);
  long_call([&] { decode_rows(model, codes, factors, depth, x, {threads, {}}); });
}

py::tuple evaluation_tuple(const Evaluation& evaluation) {
  return py::make_tuple(evaluation.vectors, risk_tuples(evaluation.layers), risk_tuples(evaluation.prefixes),
                        evaluation.encode_seconds, evaluation.decode_seconds);
}

// A staged model has stages in place of the network that other models decode with, and a model for encoding alone has
// neither.

std::string decoder_name(const Model& model) {
  if (model.staged) return "one for each stage";
  return model.network ? decoder_form(model.network->parameters()) : "none";
}

py::dict metadata(const Model& model) {
  py::dict all;
  for (const auto& [name, value] : model.metadata) all[to_text(name)] = to_text(value);
  return all;
}

std::string basis_name(const Model& model) { return model.network ? model.network->basis().name() : "identity"; }

double predicted_risk(const Model& model, int depth) {
  if (!model.can_decode()) fail("the model has no decoder");
  return model.predicted_risk(depth);
}

py::bytes to_bytes(const Model& model) {
  const std::vector<std::byte> bytes = long_call([&] { return model_to_bytes(model); });
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Model from_bytes(const py::bytes& bytes) {
  const auto text = static_cast<std::string_view>(bytes);
  return long_call([&] { return model_from_bytes(std::as_bytes(std::span(text)), "a pickled model"); });
}

}  // namespace

void bind_model(py::module_& module) {
  py::class_<Model>(module, "Model")
      .def_property_readonly("dim", &Model::dim)
      .def_property_readonly("bits", &Model::bits)
      .def_property_readonly("bits_per_vector", &Model::bits_per_vector)
      .def_property_readonly("scale", [](const Model& model) { return to_string(model.scale); })
      .def_property_readonly("search_rounds", [](const Model& model) { return model.search_rounds; })
      .def_property_readonly("unit", [](const Model& model) { return model.unit; })
      .def_property_readonly("staged", [](const Model& model) { return model.staged != nullptr; })
      .def_property_readonly("stages", &Model::stage_bits)
      .def_property_readonly("depth", [](const Model& model) { return model.can_decode() ? model.depth() : 0; })
      .def_property_readonly("encoder", &Model::encoder_name)
      .def_property_readonly("seed", &Model::seed)
      .def_property_readonly("decoder", decoder_name)
      .def_property_readonly("basis", basis_name)
      .def_property_readonly("item_shape", [](const Model& model) { return model.item_shape; })
      .def_property_readonly("metadata", metadata)
      .def_property_readonly("fingerprint", [](const Model& model) { return fingerprint(model); })
      .def("predicted_risk", predicted_risk, py::arg("depth"))
      .def(
          "save", [](const Model& model, const Bytes& path) { long_call([&] { save_model(model, path); }); },
          py::arg("path"))
      .def_static(
          "load", [](const Bytes& path) { return long_call([&] { return load_model(path); }); }, py::arg("path"))
      .def("to_bytes", to_bytes)
      .def_static("from_bytes", from_bytes, py::arg("data"))
      .def("encode", encode, py::arg("source"), py::arg("threads"), py::arg("search"))
      .def("decode", decode, py::arg("bits").noconvert(), py::arg("scales"), py::arg("depth"),
           py::arg("out").noconvert(), py::arg("threads"))
      .def(
          "encode_file",
          [](const Model& model, Source& source, const Bytes& path, int threads, const Progress& progress,
             std::optional<std::size_t> search) {
            return long_call([&] { return encode_file(model, source, path, {threads, progress, search}); });
          },
          py::arg("source"), py::arg("path"), py::arg("threads"), py::arg("progress"), py::arg("search"))
      .def(
          "decode_file",
          [](const Model& model, const Bytes& codes, const Bytes& path, int depth, int threads,
             const Progress& progress) {
            return long_call([&] { return decode_file(model, codes, path, depth, {threads, progress}); });
          },
          py::arg("codes"), py::arg("path"), py::arg("depth"), py::arg("threads"), py::arg("progress"))
      .def(
          "evaluate",
          [](const Model& model, Source& source, int threads, const Progress& progress,
             std::optional<std::size_t> search) {
            return evaluation_tuple(long_call([&] { return evaluate(model, source, {threads, progress, search}); }));
          },
          py::arg("source"), py::arg("threads"), py::arg("progress"), py::arg("search"));
}

}  // namespace signfold::python
