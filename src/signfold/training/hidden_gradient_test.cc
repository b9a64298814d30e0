// The gradient of a network decoder against differences of the loss, and through the bits against the rule written out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "signfold/base/random.h"
#include "signfold/encoder/dense.h"
#include "signfold/training/straight_through.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 1812;
constexpr std::size_t kBits = 11;
constexpr std::size_t kDim = 7;
constexpr std::size_t kHidden = 19;
constexpr std::size_t kBatch = 23;

void fill(std::span<float> values, double size, std::uint64_t index) {
  RandomStream stream(kSeed, Purpose::test, index);
  for (float& v : values) v = static_cast<float>(size * stream.normal());
}

Autoencoder network() {
  Autoencoder net;
  net.kind = TrainedDecoder::network;
  net.encoder = Matrix<float>(kBits, kDim);
  net.decoder = Matrix<float>(kBits, kDim);
  net.hidden = {Matrix<float>(kBits, kHidden), std::vector<float>(kHidden), Matrix<float>(kHidden, kDim),
                std::vector<float>(kDim)};
  return net;
}

struct Case {
  Team team{1};
  StraightThrough pass{{TrainedDecoder::network, kHidden}, kBits, kDim, kBatch, team};
  Autoencoder net = network();
  Gradient gradient = network();
  Matrix<float> x{kBatch, kDim};

  Case() {
    fill(net.encoder.values(), 0.4, 1);
    fill(net.decoder.values(), 0.2, 2);
    fill(net.hidden.in.values(), 0.4, 3);
    fill(net.hidden.bias, 0.5, 4);
    fill(net.hidden.out.values(), 0.2, 5);
    fill(net.hidden.offset, 0.2, 6);
    fill(x.values(), 1, 7);
  }
  double loss() {
    const std::vector<double> errors = pass.errors(net, x);
    return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(kBatch);
  }
};

/// Central differences in every parameter of one array. The step is small enough to cross few kinks of the rectifier,
/// and large for a loss of float32 sums: of size 10, rounding 1e-6 over 6e-4, averaged over the batch.
void expect_differences(Case& c, std::span<float> parameters, std::span<const float> gradient, const char* name) {
  constexpr float kStep = 3e-4F;
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const float before = parameters[i];
    parameters[i] = before + kStep;
    const double above = c.loss();
    parameters[i] = before - kStep;
    const double below = c.loss();
    parameters[i] = before;
    const double difference = (above - below) / (2 * static_cast<double>(kStep));
    error += std::pow(difference - static_cast<double>(gradient[i]), 2);
    size += difference * difference;
  }
  EXPECT_LT(std::sqrt(error), 0.01 * std::sqrt(size)) << name;  // a wrong factor or a missing term is tens of percent
}

TEST(HiddenGradient, AgreesWithDifferencesOfTheLoss) {
  Case c;
  const double loss = c.pass.gradient(c.net, c.x, 1.0, c.gradient);
  EXPECT_NEAR(loss, c.loss(), 1e-5 * loss);
  expect_differences(c, c.net.decoder.values(), c.gradient.decoder.values(), "linear part");
  expect_differences(c, c.net.hidden.in.values(), c.gradient.hidden.in.values(), "into the hidden units");
  expect_differences(c, c.net.hidden.bias, c.gradient.hidden.bias, "bias");
  expect_differences(c, c.net.hidden.out.values(), c.gradient.hidden.out.values(), "out of the hidden units");
  expect_differences(c, c.net.hidden.offset, c.gradient.hidden.offset, "offset");
}

/// The rule of docs/math.md section 9 with dloss/dz of the network by the chain rule, in double precision.
TEST(HiddenGradient, TheEncoderSeesTheNetworkThroughTheSmoothedSign) {
  Case c;
  constexpr double kTau = 0.7;
  c.pass.gradient(c.net, c.x, kTau, c.gradient);
  const HiddenLayer& hidden = c.net.hidden;
  Matrix<double> expected(kBits, kDim);
  for (std::size_t s = 0; s < kBatch; ++s) {
    std::vector<double> u(kBits);
    for (std::size_t i = 0; i < kBits; ++i) {
      for (std::size_t j = 0; j < kDim; ++j) u[i] += static_cast<double>(c.net.encoder(i, j)) * c.x(s, j);
    }
    std::vector<double> unit(hidden.bias.begin(), hidden.bias.end());
    std::vector<double> error(kDim);
    for (std::size_t j = 0; j < kDim; ++j) error[j] = static_cast<double>(c.x(s, j)) - hidden.offset[j];
    for (std::size_t i = 0; i < kBits; ++i) {
      const double z = u[i] >= 0 ? 1 : -1;
      for (std::size_t h = 0; h < kHidden; ++h) unit[h] += z * hidden.in(i, h);
      for (std::size_t j = 0; j < kDim; ++j) error[j] -= z * c.net.decoder(i, j);
    }
    for (std::size_t h = 0; h < kHidden; ++h) {
      for (std::size_t j = 0; j < kDim; ++j) error[j] -= std::max(0.0, unit[h]) * hidden.out(h, j);
    }
    for (std::size_t i = 0; i < kBits; ++i) {
      double in_z = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        double reach = c.net.decoder(i, j);
        for (std::size_t h = 0; h < kHidden; ++h) {
          if (unit[h] > 0) reach += static_cast<double>(hidden.in(i, h)) * hidden.out(h, j);
        }
        in_z -= 2 * error[j] * reach / static_cast<double>(kBatch);
      }
      const double slope = (1 - std::pow(std::tanh(u[i] / kTau), 2)) / kTau;
      for (std::size_t j = 0; j < kDim; ++j) expected(i, j) += in_z * slope * static_cast<double>(c.x(s, j));
    }
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(c.gradient.encoder.data()[i], expected.data()[i], 1e-4) << "entry " << i;  // float32 sums of size 1
  }
}

TEST(HiddenGradient, DoesNotDependOnTheNumberOfThreads) {
  Case c;
  c.pass.gradient(c.net, c.x, 1.0, c.gradient);
  Team team(3);
  StraightThrough pass({TrainedDecoder::network, kHidden}, kBits, kDim, kBatch, team);
  Gradient other = network();
  pass.gradient(c.net, c.x, 1.0, other);
  EXPECT_TRUE(std::ranges::equal(other.encoder.values(), c.gradient.encoder.values()));
  EXPECT_TRUE(std::ranges::equal(other.hidden.in.values(), c.gradient.hidden.in.values()));
  EXPECT_TRUE(std::ranges::equal(other.hidden.out.values(), c.gradient.hidden.out.values()));
  EXPECT_EQ(other.hidden.bias, c.gradient.hidden.bias);
}

TEST(HiddenGradient, OfAGivenEncoderIsThatOfItsMatrixWithoutTheEncodersPart) {
  Case c;
  const EncoderPtr given = make_encoder("hadamard", {.dim = kDim, .bits = kBits}, kSeed);
  c.net.encoder = explicit_matrix(*given);
  const double loss = c.pass.gradient(c.net, c.x, 1.0, c.gradient);
  Team team(2);
  StraightThrough pass({TrainedDecoder::network, kHidden}, kBits, kDim, kBatch, team, given);
  c.net.encoder = {};
  Gradient other = network();
  other.encoder = {};
  EXPECT_EQ(pass.gradient(c.net, c.x, 1.0, other), loss);
  EXPECT_TRUE(std::ranges::equal(other.decoder.values(), c.gradient.decoder.values()));
  EXPECT_TRUE(std::ranges::equal(other.hidden.in.values(), c.gradient.hidden.in.values()));
  EXPECT_TRUE(std::ranges::equal(other.hidden.out.values(), c.gradient.hidden.out.values()));
  EXPECT_EQ(other.hidden.bias, c.gradient.hidden.bias);
  EXPECT_EQ(other.hidden.offset, c.gradient.hidden.offset);
  EXPECT_TRUE(other.encoder.empty());
}

}  // namespace
}  // namespace signfold
