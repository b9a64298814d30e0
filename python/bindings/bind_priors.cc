#include <pybind11/numpy.h>

#include "bindings.h"
#include "interrupt_guard.h"
#include "signfold/base/parallel.h"
#include "signfold/codec/names.h"
#include "signfold/prior/prior.h"
#include "views.h"

namespace signfold::python {
namespace {

namespace py = pybind11;

py::array_t<float> sample(const Bytes& text, std::size_t rows, std::size_t dim, std::uint64_t seed, int threads) {
  const PriorPtr prior = read_prior(text);
  py::array_t<float> out({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(dim)});
  const MatrixView<float> x = mutable_matrix_view(out);
  long_call([&] {
    parallel_for(rows, 64, threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) sample_row(*prior, seed, i, x.row(i));
    });
  });
  return out;
}

using Doubles = py::array_t<double, py::array::c_style>;

/// Means and variances for many observations, in place. Throws Error for arrays of different sizes.
void posterior(const Bytes& text, const Doubles& y, double precision, Doubles& mean, Doubles& variance) {
  const PriorPtr prior = read_prior(text);
  if (mean.size() != y.size() || variance.size() != y.size()) {
    fail("{} means and {} variances for {} observations", mean.size(), variance.size(), y.size());
  }
  const double* from = y.data();
  double* mean_to = mean.mutable_data();
  double* variance_to = variance.mutable_data();
  const auto count = static_cast<std::size_t>(y.size());
  long_call([&] {
    parallel_for(count, 1024, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const Posterior p = prior->posterior(from[i], precision);
        mean_to[i] = p.mean;
        variance_to[i] = p.variance;
      }
    });
  });
}

}  // namespace

void bind_priors(py::module_& module) {
  module.def("prior_help", prior_help);
  module.def(
      "prior_name", [](const Bytes& prior) { return to_text(read_prior(prior)->name()); }, py::arg("prior"));
  module.def("sample", sample, py::arg("prior"), py::arg("rows"), py::arg("dim"), py::arg("seed"), py::arg("threads"));
  module.def("posterior", posterior, py::arg("prior"), py::arg("y").noconvert(), py::arg("precision"),
             py::arg("mean").noconvert(), py::arg("variance").noconvert());
  module.def(
      "mmse", [](const Bytes& prior, double precision) { return read_prior(prior)->mmse(precision); }, py::arg("prior"),
      py::arg("precision"));
}

}  // namespace signfold::python
