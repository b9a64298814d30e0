#include "signfold/decoder/unrolled.h"

#include <algorithm>
#include <cmath>

#include "signfold/base/error.h"

namespace signfold {
namespace {

void check_layer(const UnrolledLayer& layer) {
  for (const double v : {layer.product, layer.onsager, layer.output_memory, layer.width, layer.height, layer.adjoint,
                         layer.estimate, layer.input_memory, layer.precision, layer.risk}) {
    if (!std::isfinite(v)) fail("decoder: a scalar of a trained layer is not a finite number");
  }
  for (const double v : {layer.width, layer.height, layer.precision}) {
    if (v <= 0) fail("decoder: width, height and precision of a trained layer must be positive");
  }
  check_spline(layer.score_spline, "a score");
  check_spline(layer.mean_spline, "a posterior mean");
}

}  // namespace

UnrolledDecoder unroll(const Schedule& schedule) {
  UnrolledDecoder out;
  for (std::size_t t = 0; t < schedule.layers.size(); ++t) {
    const LayerScalars& from = schedule.layers[t];
    const double rho = from.damping;
    const double carried = (1 - rho) - rho * (from.memory - 1);
    UnrolledLayer layer;
    if (t > 0) {
      layer.product = rho * from.memory;
      layer.onsager = -rho * from.memory * schedule.layers[t - 1].onsager;
      layer.output_memory = carried;
      layer.estimate = rho * from.memory;
      layer.input_memory = carried;
    }
    layer.width = std::sqrt(from.variance);
    layer.height = layer.width / from.information;
    layer.adjoint = rho / schedule.rate;
    layer.precision = from.precision;
    layer.risk = from.risk;
    out.layers.push_back(layer);
  }
  return out;
}

void check_unrolled(const UnrolledDecoder& decoder, std::size_t bits, std::size_t dim) {
  for (const UnrolledLayer& layer : decoder.layers) check_layer(layer);
  if (decoder.matrix.empty()) return;
  if (decoder.layers.empty()) fail("decoder: a matrix of trained layers without layers");
  if (decoder.matrix.rows() != bits || decoder.matrix.cols() != dim) {
    fail("decoder: the matrix of the trained layers is {} x {}, the encoder's {} x {}", decoder.matrix.rows(),
         decoder.matrix.cols(), bits, dim);
  }
  if (!std::ranges::all_of(decoder.matrix.values(), [](float v) { return std::isfinite(v); })) {
    fail("decoder: the matrix of the trained layers holds a number that is not finite");
  }
}

}  // namespace signfold
