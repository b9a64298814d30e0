#include "signfold/experiment/figures.h"

#include <algorithm>
#include <array>

#include "signfold/base/error.h"

namespace signfold::experiment {

std::span<const Figure> figures() {
  static const std::array all = {
      gaussian_value_figure(), phase_transition_figure(), denoiser_figure(), depth_figure(), cifar_figure(),
      mnist_figure(),          beyond_figure(),           staged_figure()};
  return all;
}

const Figure& figure_named(const std::string& name) {
  std::string names;
  for (const Figure& figure : figures()) {
    if (name == figure.name) return figure;
    names += (names.empty() ? "" : ", ") + std::string(figure.name);
  }
  fail("unknown figure '{}'; known: {}", name, names);
}

}  // namespace signfold::experiment
