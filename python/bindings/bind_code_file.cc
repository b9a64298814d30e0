#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "bindings.h"
#include "interrupt_guard.h"
#include "signfold/base/interrupt.h"
#include "signfold/codec/code_file.h"
#include "views.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

void write_codes(const Bytes& path, std::uint64_t fingerprint, std::uint64_t dim, std::uint64_t bits_per_code,
                 const std::vector<std::size_t>& stages, bool staged, const std::string& scale,
                 const py::array_t<std::uint8_t>& bits, const py::object& scales) {
  CodeHeader header;
  header.fingerprint = fingerprint;
  header.dim = dim;
  header.bits = bits_per_code;
  if (staged || stages.size() > 1) header.stages = stages;
  header.staged = staged;
  header.scale = parse_scale(scale);
  const MatrixView<const std::uint8_t> codes = matrix_view(bits);
  const std::span<const float> factors = scales_view(scales);
  if (!scales.is_none() && factors.size() != codes.rows) {
    fail("{}: {} scales for {} codes", path, factors.size(), codes.rows);
  }
  header.count = codes.rows;
  long_call([&] {
    CodeWriter writer(path, header);
    constexpr std::size_t kRows = 4096;  // between two looks for an interrupt
    for (std::size_t begin = 0; begin < codes.rows; begin += kRows) {
      const std::size_t rows = std::min(kRows, codes.rows - begin);
      throw_if_interrupted();
      writer.write(codes.row_range(begin, rows), factors.empty() ? factors : factors.subspan(begin, rows));
    }
    writer.commit();
  });
}

py::tuple read_codes(const Bytes& path) {
  CodeReader reader(path);
  const CodeHeader& header = reader.header();
  const bool scaled = header.scale != ScaleKind::none;
  const auto rows = static_cast<py::ssize_t>(header.count);
  py::array_t<std::uint8_t> bits({rows, static_cast<py::ssize_t>(code_bytes(header.bits))});
  py::array_t<float> scales(scaled ? rows : 0);
  std::uint8_t* to = bits.mutable_data();
  float* scale_to = scales.mutable_data();
  long_call([&] {
    for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
      to = std::ranges::copy(block.codes.values(), to).out;
      scale_to = std::ranges::copy(block.scales, scale_to).out;
      throw_if_interrupted();
    }
  });
  return py::make_tuple(header.fingerprint, header.dim, header.bits, stages_of(header), header.staged,
                        to_string(header.scale), bits, scaled ? py::object(scales) : py::none());
}

}  // namespace

void bind_code_file(py::module_& module) {
  module.def("write_codes", write_codes, py::arg("path"), py::arg("fingerprint"), py::arg("dim"),
             py::arg("bits_per_code"), py::arg("stages"), py::arg("staged"), py::arg("scale"),
             py::arg("bits").noconvert(), py::arg("scales"));
  module.def("read_codes", read_codes, py::arg("path"));
}

}  // namespace signfold::python
