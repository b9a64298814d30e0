// docs/math.md section 9 in plain loops and double precision: the oracle of the straight-through gradient. Which bits a
// sample has is left open, so that the loss can also be taken at signs replaced by a smooth function.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "signfold/base/matrix.h"
#include "signfold/base/random.h"
#include "signfold/training/autoencoder.h"

namespace signfold::testing {

/// An Autoencoder in double precision; also what its gradient is kept in.
struct PlainNet {
  TrainedDecoder kind = TrainedDecoder::tied;
  Matrix<double> encoder;
  std::vector<double> gain;
  Matrix<double> decoder;
};

inline Matrix<double> to_double(MatrixView<const float> a) {
  Matrix<double> result(a.rows, a.cols);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) result(i, j) = a(i, j);
  }
  return result;
}

inline PlainNet to_plain(const Autoencoder& net) {
  return {net.kind, to_double(net.encoder), {net.gain.begin(), net.gain.end()}, to_double(net.decoder)};
}

inline double inner(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// What bit i adds to the estimate.
inline std::vector<double> decoder_row(const PlainNet& net, std::size_t i) {
  const std::span<const double> row = net.kind == TrainedDecoder::untied ? net.decoder.row(i) : net.encoder.row(i);
  std::vector<double> a(row.begin(), row.end());
  if (net.kind == TrainedDecoder::untied) return a;
  for (double& v : a) v *= net.kind == TrainedDecoder::tied ? net.gain[0] : net.gain[i];
  return a;
}

/// The value of bit i of a sample when its argument is u.
using Bits = std::function<double(std::size_t sample, std::size_t i, double u)>;
inline double sign_bit(std::size_t /*sample*/, std::size_t /*i*/, double u) { return u >= 0 ? 1 : -1; }

inline std::vector<double> bits_of(const PlainNet& net, const Matrix<double>& x, std::size_t sample, const Bits& bits) {
  std::vector<double> z(net.encoder.rows());
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = bits(sample, i, inner(net.encoder.row(i), x.row(sample)));
  return z;
}

/// x − x̂ of one sample.
inline std::vector<double> residual(const PlainNet& net, std::span<const double> x, const std::vector<double>& z) {
  std::vector<double> e(x.begin(), x.end());
  for (std::size_t i = 0; i < z.size(); ++i) {
    const std::vector<double> a = decoder_row(net, i);
    for (std::size_t j = 0; j < e.size(); ++j) e[j] -= z[i] * a[j];
  }
  return e;
}

/// The best common gain of a tied decoder on a batch: ⟨x, Bᵀz⟩/‖Bᵀz‖².
inline double best_gain(const PlainNet& net, const Matrix<double>& x, const Bits& bits = sign_bit) {
  double match = 0;
  double energy = 0;
  for (std::size_t s = 0; s < x.rows(); ++s) {
    const std::vector<double> z = bits_of(net, x, s, bits);
    std::vector<double> estimate(x.cols(), 0.0);
    for (std::size_t i = 0; i < z.size(); ++i) {
      for (std::size_t j = 0; j < estimate.size(); ++j) estimate[j] += z[i] * net.encoder(i, j);
    }
    match += inner(x.row(s), estimate);
    energy += inner(estimate, estimate);
  }
  return match / energy;
}

/// Mean of ‖x − x̂‖² over a batch, with the gain that `net` has.
inline double loss(const PlainNet& net, const Matrix<double>& x, const Bits& bits = sign_bit) {
  double sum = 0;
  for (std::size_t s = 0; s < x.rows(); ++s) {
    const std::vector<double> e = residual(net, x.row(s), bits_of(net, x, s, bits));
    sum += inner(e, e);
  }
  return sum / static_cast<double>(x.rows());
}

/// dz/du of the backward pass.
inline double slope(double u, double tau) {
  const double t = std::tanh(u / tau);
  return (1 - t * t) / tau;
}

/// The straight-through gradient of loss(), by the formulas of section 9.
inline PlainNet plain_gradient(const PlainNet& net, const Matrix<double>& x, double tau) {
  const std::size_t n = net.encoder.rows();
  const std::size_t d = net.encoder.cols();
  PlainNet g{net.kind, Matrix<double>(n, d), std::vector<double>(net.gain.size(), 0.0),
             Matrix<double>(net.decoder.rows(), net.decoder.cols())};
  const double factor = -2 / static_cast<double>(x.rows());
  for (std::size_t s = 0; s < x.rows(); ++s) {
    const std::vector<double> z = bits_of(net, x, s, sign_bit);
    const std::vector<double> e = residual(net, x.row(s), z);
    for (std::size_t i = 0; i < n; ++i) {
      const std::vector<double> a = decoder_row(net, i);
      const double through_bit = factor * inner(e, a) * slope(inner(net.encoder.row(i), x.row(s)), tau);
      for (std::size_t j = 0; j < d; ++j) {
        g.encoder(i, j) += through_bit * x(s, j);
        if (net.kind == TrainedDecoder::untied) g.decoder(i, j) += factor * z[i] * e[j];
        if (net.kind == TrainedDecoder::tied) g.encoder(i, j) += factor * net.gain[0] * z[i] * e[j];
        if (net.kind == TrainedDecoder::tied_rows) g.encoder(i, j) += factor * net.gain[i] * z[i] * e[j];
      }
      if (net.kind == TrainedDecoder::tied_rows) g.gain[i] += factor * z[i] * inner(e, net.encoder.row(i));
    }
  }
  return g;
}

inline std::size_t gain_count(TrainedDecoder kind, std::size_t bits) {
  if (kind == TrainedDecoder::tied) return 1;
  return kind == TrainedDecoder::tied_rows ? bits : 0;
}

/// A network, or a gradient, of the right shapes, all zero.
inline Autoencoder shaped(TrainedDecoder kind, std::size_t bits, std::size_t dim) {
  Autoencoder net;
  net.kind = kind;
  net.encoder = Matrix<float>(bits, dim);
  net.gain.assign(gain_count(kind, bits), 0.0F);
  if (kind == TrainedDecoder::untied) net.decoder = Matrix<float>(bits, dim);
  return net;
}

inline Matrix<float> gaussian(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> x(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    RandomStream stream(seed, Purpose::test, i);
    for (float& v : x.row(i)) v = static_cast<float>(stream.normal());
  }
  return x;
}

/// A random network with rows of unit norm and a decoder near, not at, a good one.
inline Autoencoder random_net(TrainedDecoder kind, std::size_t bits, std::size_t dim, std::uint64_t seed) {
  Autoencoder net = shaped(kind, bits, dim);
  net.encoder = gaussian(bits, dim, seed);
  for (std::size_t i = 0; i < bits; ++i) {
    double energy = 0;
    for (const float v : net.encoder.row(i)) energy += static_cast<double>(v) * static_cast<double>(v);
    for (float& v : net.encoder.row(i)) v = static_cast<float>(static_cast<double>(v) / std::sqrt(energy));
  }
  RandomStream stream(seed, Purpose::test, bits);
  for (float& gain : net.gain) gain = static_cast<float>(0.6 + 0.3 * stream.normal());
  for (std::size_t i = 0; i < net.decoder.rows(); ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      net.decoder(i, j) = net.encoder(i, j) * 0.7F + static_cast<float>(0.1 * stream.normal());
    }
  }
  return net;
}

}  // namespace signfold::testing
