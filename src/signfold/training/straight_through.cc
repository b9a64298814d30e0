#include "signfold/training/straight_through.h"

#include <algorithm>
#include <array>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/matrix_product.h"
#include "signfold/simd/rows.h"
#include "signfold/simd/sign_product.h"
#include "signfold/training/blocks.h"

namespace signfold {

StraightThrough::StraightThrough(TrainedDecoderChoice decoder, std::size_t bits, std::size_t dim, std::size_t batch,
                                 Team& team, EncoderPtr given, Ranks* ranks)
    : kind_(decoder.kind),
      given_(std::move(given)),
      team_(&team),
      ranks_(ranks),
      bits_(bits),
      estimate_(batch, dim),
      codes_(batch, code_bytes(bits)),
      match_(batch),
      energy_(batch) {
  if (bits == 0 || dim == 0 || batch == 0) fail("straight-through: {} bits, {} numbers, {} vectors", bits, dim, batch);
  const bool free = kind_ == TrainedDecoder::untied || kind_ == TrainedDecoder::network;
  if (given_ && (!free || given_->bits() != bits || given_->dim() != dim)) {
    fail("straight-through: a given encoder of {} bits for {} numbers does not go with a {} decoder of {} bits for {}",
         given_->bits(), given_->dim(), to_string(decoder), bits, dim);
  }
  if (!given_) {
    u_ = Matrix<float>(batch, bits);
    slope_ = Matrix<float>(batch, bits);
  }
  if (kind_ == TrainedDecoder::tied_rows) scaled_ = Matrix<float>(bits, dim);
  if (kind_ == TrainedDecoder::network) {
    hidden_ = Matrix<float>(batch, decoder.hidden);
    hidden_slope_ = Matrix<float>(batch, decoder.hidden);
  }
}

/// Whether a network, or its gradient, has the shapes that autoencoder.h promises for its decoder.
bool StraightThrough::fits(const Autoencoder& net) const {
  const std::size_t dim = estimate_.cols();
  const std::size_t hidden = hidden_.cols();
  const auto is = [](const Matrix<float>& a, std::size_t rows, std::size_t cols) {
    return a.rows() == rows && a.cols() == cols;
  };
  if (given_ ? !net.encoder.empty() : !is(net.encoder, bits_, dim)) return false;
  if (kind_ == TrainedDecoder::tied) return net.gain.size() == 1;
  if (kind_ == TrainedDecoder::tied_rows) return net.gain.size() == bits_;
  if (!is(net.decoder, bits_, dim)) return false;
  return kind_ == TrainedDecoder::untied || (is(net.hidden.in, bits_, hidden) && is(net.hidden.out, hidden, dim) &&
                                             net.hidden.bias.size() == hidden && net.hidden.offset.size() == dim);
}

MatrixView<const float> StraightThrough::decoder(const Autoencoder& net) const {
  if (kind_ == TrainedDecoder::tied) return net.encoder;
  return kind_ == TrainedDecoder::tied_rows ? scaled_ : net.decoder;
}

void StraightThrough::scale_decoder(const Autoencoder& net) {
  team_->run(net.bits(), grain_of(net.bits()), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      std::ranges::copy(net.encoder.row(i), scaled_.row(i).begin());
      simd::scale(scaled_.row(i), net.gain[i]);
    }
  });
}

void StraightThrough::encode(const Autoencoder& net, MatrixView<const float> x, std::size_t begin, std::size_t count) {
  if (given_) return given_->encode(x.row_range(begin, count), codes_.view().row_range(begin, count));
  simd::matrix_product(false, true, x.row_range(begin, count), net.encoder, 0.0F, u_.view().row_range(begin, count));
  for (std::size_t i = begin; i < begin + count; ++i) simd::pack_signs(u_.row(i), codes_.row(i));
}

void StraightThrough::forward(const Autoencoder& net, MatrixView<const float> x) {
  if (x.rows == 0 || x.rows > codes_.rows() || x.cols != estimate_.cols()) {
    fail("straight-through: a batch of {} vectors of {} numbers does not fit a workspace for {} of {}", x.rows, x.cols,
         codes_.rows(), estimate_.cols());
  }
  if (!fits(net)) {
    fail("straight-through: the network is not a {} one of {} bits for {} numbers", to_string({kind_, hidden_.cols()}),
         bits_, estimate_.cols());
  }
  rows_ = x.rows;
  if (kind_ == TrainedDecoder::tied_rows) scale_decoder(net);
  team_->run(rows_, grain_of(rows_), [&](std::size_t begin, std::size_t end) {
    const std::size_t count = end - begin;
    encode(net, x, begin, count);
    simd::sign_product(codes_.view().row_range(begin, count), decoder(net), false,
                       estimate_.view().row_range(begin, count));
    if (kind_ == TrainedDecoder::network) forward_hidden(net.hidden, begin, count);
    if (kind_ != TrainedDecoder::tied) return;
    for (std::size_t i = begin; i < end; ++i) {
      match_[i] = static_cast<double>(simd::dot(x.row(i), estimate_.row(i)));
      energy_[i] = static_cast<double>(simd::dot(estimate_.row(i), estimate_.row(i)));
    }
  });
}

StraightThrough::Fit StraightThrough::fit(const Autoencoder& net, MatrixView<const float> x) {
  if (kind_ != TrainedDecoder::tied) fail("straight-through: only a tied decoder has one best gain");
  forward(net, x);
  return {sum(match_, rows_), sum(energy_, rows_)};
}

/// The derivative of the loss in the bits, times −batch/2.
void StraightThrough::backward_bits(const Autoencoder& net, std::size_t begin, std::size_t count) {
  const MatrixView<float> slope = slope_.view().row_range(begin, count);
  simd::matrix_product(false, true, estimate_.view().row_range(begin, count), decoder(net), 0.0F, slope);
  if (kind_ != TrainedDecoder::network) return;
  simd::matrix_product(false, true, hidden_slope_.view().row_range(begin, count), net.hidden.in, 1.0F, slope);
}

double StraightThrough::backward(const Autoencoder& net, MatrixView<const float> x, double tau) {
  const float gain = kind_ == TrainedDecoder::tied ? net.gain[0] : 1.0F;
  const float factor = -2 * gain / static_cast<float>(static_cast<double>(whole_) * tau);
  const MatrixView<std::uint8_t> transposed{transposed_.data(), net.bits(), code_bytes(rows_), transposed_.cols()};
  team_->run(rows_, grain_of(rows_), [&](std::size_t begin, std::size_t end) {
    const std::size_t count = end - begin;
    for (std::size_t i = begin; i < end; ++i) {
      energy_[i] = static_cast<double>(simd::residual(x.row(i), gain, estimate_.row(i)));
    }
    if (kind_ == TrainedDecoder::network) backward_hidden(net.hidden, begin, count);
    if (!given_) backward_bits(net, begin, count);
    for (std::size_t i = begin; i < end && !given_; ++i) {
      simd::times_sign_slope(u_.row(i), static_cast<float>(tau), factor, slope_.row(i));
    }
    simd::transpose_bits(codes_.view().row_range(begin, count), net.bits(),
                         columns(transposed, begin / 8, code_bytes(count)));
  });
  return sum(energy_, rows_) / static_cast<double>(whole_);
}

void StraightThrough::collect(const Autoencoder& net, MatrixView<const float> x, Gradient& gradient) {
  const float factor = -2 / static_cast<float>(whole_);
  const MatrixView<const float> error = estimate_.view().row_range(0, rows_);
  const MatrixView<const float> slope = given_ ? MatrixView<const float>{} : slope_.view().row_range(0, rows_);
  const MatrixView<const std::uint8_t> transposed{transposed_.data(), net.bits(), code_bytes(rows_),
                                                  transposed_.cols()};
  const bool free = kind_ == TrainedDecoder::untied || kind_ == TrainedDecoder::network;
  Matrix<float>& through_decoder = free ? gradient.decoder : gradient.encoder;
  team_->run(net.bits(), grain_of(net.bits()), [&](std::size_t begin, std::size_t end) {
    const std::size_t count = end - begin;
    simd::sign_product(transposed.row_range(begin, count), error, false,
                       through_decoder.view().row_range(begin, count));
    float keep = kind_ == TrainedDecoder::tied ? factor * net.gain[0] : 0.0F;
    for (std::size_t i = begin; i < end && kind_ != TrainedDecoder::tied; ++i) {
      if (free) {
        simd::scale(gradient.decoder.row(i), factor);
      } else {
        gradient.gain[i] = factor * simd::dot(gradient.encoder.row(i), net.encoder.row(i));
        simd::scale(gradient.encoder.row(i), factor * net.gain[i]);
        keep = 1;
      }
    }
    if (given_) return;
    simd::matrix_product(true, false, columns(slope, begin, count), x, keep,
                         gradient.encoder.view().row_range(begin, count));
  });
}

void StraightThrough::forward_hidden(const HiddenLayer& layer, std::size_t begin, std::size_t count) {
  const MatrixView<float> hidden = hidden_.view().row_range(begin, count);
  const MatrixView<float> estimate = estimate_.view().row_range(begin, count);
  simd::sign_product(codes_.view().row_range(begin, count), layer.in, false, hidden);
  for (std::size_t i = 0; i < count; ++i) {
    simd::rectify(layer.bias, hidden.row(i));
    simd::add_scaled(1.0F, layer.offset, estimate.row(i));
  }
  simd::matrix_product(false, false, hidden, layer.out, 1.0F, estimate);
}

void StraightThrough::backward_hidden(const HiddenLayer& layer, std::size_t begin, std::size_t count) {
  const MatrixView<float> slope = hidden_slope_.view().row_range(begin, count);
  simd::matrix_product(false, true, estimate_.view().row_range(begin, count), layer.out, 0.0F, slope);
  for (std::size_t i = 0; i < count; ++i) simd::times_rectifier_slope(hidden_.row(begin + i), slope.row(i));
}

void StraightThrough::collect_hidden(HiddenLayer& gradient) {
  const float factor = -2 / static_cast<float>(whole_);
  const MatrixView<const float> error = estimate_.view().row_range(0, rows_);
  const MatrixView<const float> hidden = hidden_.view().row_range(0, rows_);
  const MatrixView<const float> slope = hidden_slope_.view().row_range(0, rows_);
  const MatrixView<const std::uint8_t> transposed{transposed_.data(), bits_, code_bytes(rows_), transposed_.cols()};
  team_->run(bits_, grain_of(bits_), [&](std::size_t begin, std::size_t end) {
    simd::sign_product(transposed.row_range(begin, end - begin), slope, false,
                       gradient.in.view().row_range(begin, end - begin));
    for (std::size_t i = begin; i < end; ++i) simd::scale(gradient.in.row(i), factor);
  });
  team_->run(hidden.cols, grain_of(hidden.cols), [&](std::size_t begin, std::size_t end) {
    simd::matrix_product(true, false, columns(hidden, begin, end - begin), error, 0.0F,
                         gradient.out.view().row_range(begin, end - begin));
    for (std::size_t i = begin; i < end; ++i) simd::scale(gradient.out.row(i), factor);
  });
  std::ranges::fill(gradient.bias, 0.0F);
  std::ranges::fill(gradient.offset, 0.0F);
  for (std::size_t i = 0; i < rows_; ++i) {
    simd::add_scaled(factor, slope.row(i), gradient.bias);
    simd::add_scaled(factor, error.row(i), gradient.offset);
  }
}

/// What the backward pass must know of the whole batch: its best gain, and how many rows it has.
StraightThrough::Fit StraightThrough::sums_over_ranks(Fit own) {
  whole_ = rows_;
  if (!several(ranks_)) return own;
  std::array<double, 3> sums = {own.match, own.energy, static_cast<double>(rows_)};
  ranks_->sum(std::span<double>(sums));
  whole_ = static_cast<std::size_t>(sums[2]);
  return {sums[0], sums[1]};
}

/// Every rank has divided by the rows of all, so that parts only need to be added.
void StraightThrough::sum_over_ranks(Gradient& gradient, double& loss) {
  ranks_->sum(std::span<double>(&loss, 1));
  ranks_->sum(gradient.encoder.values());
  if (kind_ == TrainedDecoder::tied) return;  // its gain has no gradient
  HiddenLayer& hidden = gradient.hidden;
  for (const std::span<float> part :
       {std::span<float>(gradient.gain), gradient.decoder.values(), hidden.in.values(), std::span<float>(hidden.bias),
        hidden.out.values(), std::span<float>(hidden.offset)}) {
    ranks_->sum(part);
  }
}

double StraightThrough::gradient(Autoencoder& net, MatrixView<const float> x, double tau, Gradient& gradient) {
  if (!fits(gradient)) {
    fail("straight-through: the gradient has not the shapes of a {} network of {} bits for {} numbers",
         to_string({kind_, hidden_.cols()}), bits_, estimate_.cols());
  }
  if (transposed_.empty()) transposed_ = Matrix<std::uint8_t>(bits_, code_bytes(codes_.rows()));
  forward(net, x);
  const bool tied = kind_ == TrainedDecoder::tied;
  const Fit best = sums_over_ranks(tied ? Fit{sum(match_, rows_), sum(energy_, rows_)} : Fit{});
  if (tied) net.gain = {best.energy > 0 ? static_cast<float>(best.match / best.energy) : 0.0F};
  double loss = backward(net, x, tau);
  collect(net, x, gradient);
  if (kind_ == TrainedDecoder::network) collect_hidden(gradient.hidden);
  if (several(ranks_)) sum_over_ranks(gradient, loss);
  return loss;
}

std::vector<double> StraightThrough::errors(const Autoencoder& net, MatrixView<const float> x) {
  forward(net, x);
  const float gain = kind_ == TrainedDecoder::tied ? net.gain[0] : 1.0F;
  team_->run(rows_, grain_of(rows_), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      energy_[i] = static_cast<double>(simd::residual(x.row(i), gain, estimate_.row(i)));
    }
  });
  return {energy_.begin(), energy_.begin() + static_cast<std::ptrdiff_t>(rows_)};
}

}  // namespace signfold
