#include "signfold/training/straight_through.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/training/plain_straight_through_for_test.h"

namespace signfold {
namespace {

using testing::Bits;
using testing::gaussian;
using ::testing::HasSubstr;
using testing::PlainNet;
using testing::random_net;
using testing::shaped;
using ::testing::ThrowsMessage;
using testing::to_double;
using testing::to_plain;

constexpr std::uint64_t kSeed = 17;

struct Shape {
  std::size_t batch;
  std::size_t bits;
  std::size_t dim;
};

/// Batches around bytes, blocks of rows of one and of several threads, single numbers, rates below and above 1.
constexpr Shape kShapes[] = {{1, 1, 1},    {1, 5, 3},    {3, 1, 8},     {8, 8, 8},     {13, 9, 20},
                             {37, 20, 11}, {64, 33, 40}, {100, 30, 30}, {531, 18, 25}, {20, 70, 16}};

class StraightThroughOf : public ::testing::TestWithParam<TrainedDecoder> {};

/// No bit of the oracle may depend on the rounding of float32 products.
void expect_clear_signs(const PlainNet& net, const Matrix<double>& x) {
  for (std::size_t s = 0; s < x.rows(); ++s) {
    for (std::size_t i = 0; i < net.encoder.rows(); ++i) {
      ASSERT_GT(std::abs(testing::inner(net.encoder.row(i), x.row(s))), 3e-6) << "seed " << kSeed << ": take another";
    }
  }
}

/// Rounding: every entry is a sum over the batch of terms of size up to `size`, which float32 products, residuals
/// and the derivative of the sign know to about 2e-6 of it.
void expect_close(std::span<const float> actual, std::span<const double> expected, double size, const char* what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t k = 0; k < actual.size(); ++k) {
    ASSERT_NEAR(actual[k], expected[k], 2e-6 * size) << what << ", number " << k;
  }
}

/// The largest entry, or what rounding sees instead where all entries cancel: the residual's own size.
double size_of(std::span<const double> values) {
  double most = 1;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

TEST_P(StraightThroughOf, IsTheFormulaInDoublePrecision) {
  for (const Shape& shape : kShapes) {
    for (const double tau : {0.5, 1.0, 3.0}) {
      SCOPED_TRACE(::testing::Message() << shape.batch << " x " << shape.dim << ", " << shape.bits << " bits, tau "
                                        << tau);
      Team team(2);
      Autoencoder net = random_net(GetParam(), shape.bits, shape.dim, kSeed);
      const Matrix<float> x = gaussian(shape.batch, shape.dim, kSeed + 1);
      const Matrix<double> samples = to_double(x);
      expect_clear_signs(to_plain(net), samples);

      Gradient gradient = shaped(GetParam(), shape.bits, shape.dim);
      StraightThrough pass(GetParam(), shape.bits, shape.dim, shape.batch, team);
      const double loss = pass.gradient(net, x, tau, gradient);

      if (GetParam() == TrainedDecoder::tied) {
        const double best = testing::best_gain(to_plain(net), samples);
        ASSERT_NEAR(net.gain.at(0), best, 1e-6 * std::abs(best));  // sums of squares in float32, in double over rows
      }
      const PlainNet plain = to_plain(net);  // the gain as rounded to float32
      const PlainNet expected = testing::plain_gradient(plain, samples, tau);
      const double energy = testing::inner(samples.values(), samples.values()) / static_cast<double>(shape.batch);
      EXPECT_NEAR(loss, testing::loss(plain, samples), 1e-6 * energy);
      expect_close(gradient.encoder.values(), expected.encoder.values(), size_of(expected.encoder.values()), "encoder");
      expect_close(gradient.decoder.values(), expected.decoder.values(), size_of(expected.decoder.values()), "decoder");
      if (GetParam() == TrainedDecoder::tied_rows) {
        expect_close(gradient.gain, expected.gain, size_of(expected.gain), "gain");
      }
    }
  }
}

/// (f(v + h) − f(v − h))/2h in one of the numbers that f depends on.
double central_difference(double& v, double h, const std::function<double()>& f) {
  const double here = v;
  v = here + h;
  const double above = f();
  v = here - h;
  const double below = f();
  v = here;
  return (above - below) / (2 * h);
}

struct Differentiated {
  Gradient gradient;
  PlainNet net;
  Matrix<double> x;
};

Differentiated differentiate(TrainedDecoder kind, const Shape& shape, double tau) {
  Team team(2);
  Autoencoder net = random_net(kind, shape.bits, shape.dim, kSeed);
  const Matrix<float> x = gaussian(shape.batch, shape.dim, kSeed + 1);
  Gradient gradient = shaped(kind, shape.bits, shape.dim);
  StraightThrough(kind, shape.bits, shape.dim, shape.batch, team).gradient(net, x, tau, gradient);
  return {std::move(gradient), to_plain(net), to_double(x)};
}

/// The loss is quadratic in A and in the gains while the signs stay: central differences are exact.
TEST(StraightThroughDifferences, OfTheTrueLossInTheDecoder) {
  Differentiated d = differentiate(TrainedDecoder::untied, {37, 12, 9}, 1.0);
  for (std::size_t k = 0; k < d.net.decoder.size(); ++k) {
    const double slope = central_difference(d.net.decoder.values()[k], 0.1, [&] { return testing::loss(d.net, d.x); });
    EXPECT_NEAR(d.gradient.decoder.values()[k], slope, 4e-6) << "entry " << k;  // float32, entries of size 1
  }
}

TEST(StraightThroughDifferences, OfTheTrueLossInTheGains) {
  Differentiated d = differentiate(TrainedDecoder::tied_rows, {37, 12, 9}, 1.0);
  for (std::size_t i = 0; i < d.net.gain.size(); ++i) {
    const double slope = central_difference(d.net.gain[i], 0.1, [&] { return testing::loss(d.net, d.x); });
    EXPECT_NEAR(d.gradient.gain[i], slope, 4e-6) << "gain " << i;
  }
}

TEST(StraightThroughDifferences, TheTiedGainIsTheBest) {
  Differentiated d = differentiate(TrainedDecoder::tied, {37, 12, 9}, 1.0);
  const double slope = central_difference(d.net.gain[0], 0.1, [&] { return testing::loss(d.net, d.x); });
  EXPECT_NEAR(slope, 0, 4e-6 * testing::loss(d.net, d.x)) << "a float32 gain next to the best one";
}

/// The derivative of the sign that training uses is the true one of z₀ + tanh(u/τ) − tanh(u₀/τ), which is the sign at
/// the point u₀ where we are. A tied gain follows to its best value.
TEST_P(StraightThroughOf, IsTheTrueGradientOfTheSurrogate) {
  for (const double tau : {0.5, 1.0, 2.0}) {
    Differentiated d = differentiate(GetParam(), {37, 12, 9}, tau);
    const Matrix<double> here = d.net.encoder.clone();
    const Bits surrogate = [&](std::size_t sample, std::size_t i, double u) {
      const double u0 = testing::inner(here.row(i), d.x.row(sample));
      return testing::sign_bit(sample, i, u0) + std::tanh(u / tau) - std::tanh(u0 / tau);
    };
    const auto loss = [&] {
      if (GetParam() == TrainedDecoder::tied) d.net.gain[0] = testing::best_gain(d.net, d.x, surrogate);
      return testing::loss(d.net, d.x, surrogate);
    };
    for (std::size_t k = 0; k < here.size(); ++k) {
      // h = 1e-4: the third derivative, of size up to |x|³/τ³, costs 1e-8 · 100; the gradient itself is float32.
      const double slope = central_difference(d.net.encoder.values()[k], 1e-4, loss);
      EXPECT_NEAR(d.gradient.encoder.values()[k], slope, 8e-6) << "entry " << k << ", tau " << tau;
    }
  }
}

std::string bytes_of(const Gradient& g) {
  std::string bytes;
  const auto append = [&](std::span<const float> values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  append(g.encoder.values());
  append(g.gain);
  append(g.decoder.values());
  return bytes;
}

TEST_P(StraightThroughOf, IsTheSameForAnyNumberOfThreadsAndAnyWorkspace) {
  constexpr Shape kShape{531, 37, 29};
  const Matrix<float> x = gaussian(kShape.batch, kShape.dim, kSeed);
  std::string expected;
  double expected_loss = 0;
  for (const int threads : {1, 2, 3, 4}) {
    for (const std::size_t room : {kShape.batch, kShape.batch + 300}) {
      Team team(threads);
      StraightThrough pass(GetParam(), kShape.bits, kShape.dim, room, team);
      Autoencoder net = random_net(GetParam(), kShape.bits, kShape.dim, kSeed);
      Gradient gradient = shaped(GetParam(), kShape.bits, kShape.dim);
      if (room > kShape.batch) {  // what a larger batch leaves behind must not shine through
        Autoencoder other = random_net(GetParam(), kShape.bits, kShape.dim, kSeed + 1);
        pass.gradient(other, gaussian(room, kShape.dim, kSeed + 1), 1, gradient);
      }
      const double loss = pass.gradient(net, x, 0.7, gradient);
      if (expected.empty()) {
        expected = bytes_of(gradient);
        expected_loss = loss;
      }
      EXPECT_EQ(loss, expected_loss) << threads << " threads, room for " << room;
      EXPECT_TRUE(bytes_of(gradient) == expected) << threads << " threads, room for " << room;
    }
  }
}

TEST_P(StraightThroughOf, ErrorsAreTheLossRowByRowAndChangeNothing) {
  constexpr Shape kShape{101, 20, 13};
  Team team(2);
  StraightThrough pass(GetParam(), kShape.bits, kShape.dim, kShape.batch, team);
  Autoencoder net = random_net(GetParam(), kShape.bits, kShape.dim, kSeed);
  Gradient gradient = shaped(GetParam(), kShape.bits, kShape.dim);
  const Matrix<float> x = gaussian(kShape.batch, kShape.dim, kSeed);
  const double loss = pass.gradient(net, x, 1, gradient);
  const std::string before = bytes_of(net);

  const std::vector<double> errors = pass.errors(net, x);
  ASSERT_EQ(errors.size(), kShape.batch);
  EXPECT_EQ(std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(kShape.batch), loss);
  EXPECT_EQ(bytes_of(net), before);

  const PlainNet plain = to_plain(net);
  const Matrix<double> samples = to_double(x);
  expect_clear_signs(plain, samples);
  for (std::size_t s = 0; s < errors.size(); ++s) {
    const std::vector<double> e =
        testing::residual(plain, samples.row(s), testing::bits_of(plain, samples, s, testing::sign_bit));
    EXPECT_NEAR(errors[s], testing::inner(e, e), 4e-6 * kShape.dim) << "row " << s;  // entries of size 1 in float32
  }

  const std::vector<double> some = pass.errors(net, x.view().row_range(40, 5));
  ASSERT_EQ(some.size(), 5U);
  // Another number of rows may take another kernel of BLAS, which adds in another order.
  for (std::size_t s = 0; s < some.size(); ++s) EXPECT_NEAR(some[s], errors[40 + s], 4e-6 * kShape.dim);
}

TEST(StraightThroughFit, IsWhatTheBestGainIsMadeOf) {
  constexpr Shape kShape{101, 20, 13};
  Team team(2);
  StraightThrough pass(TrainedDecoder::tied, kShape.bits, kShape.dim, kShape.batch, team);
  Autoencoder net = random_net(TrainedDecoder::tied, kShape.bits, kShape.dim, kSeed);
  const float before = net.gain.at(0);
  const Matrix<float> x = gaussian(kShape.batch, kShape.dim, kSeed);
  const StraightThrough::Fit fit = pass.fit(net, x);
  EXPECT_EQ(net.gain.at(0), before);
  expect_clear_signs(to_plain(net), to_double(x));
  const double best = testing::best_gain(to_plain(net), to_double(x));
  EXPECT_NEAR(fit.match / fit.energy, best, 1e-6 * best);  // sums of squares in float32, in double over rows

  // Of halves it adds up; 1e-6 as before, of sums without cancellation.
  const StraightThrough::Fit first = pass.fit(net, x.view().row_range(0, 40));
  const StraightThrough::Fit second = pass.fit(net, x.view().row_range(40, 61));
  EXPECT_NEAR(first.energy + second.energy, fit.energy, 1e-6 * fit.energy);
  EXPECT_NEAR(first.match + second.match, fit.match, 1e-6 * fit.energy);

  StraightThrough free(TrainedDecoder::untied, kShape.bits, kShape.dim, kShape.batch, team);
  const Autoencoder untied = random_net(TrainedDecoder::untied, kShape.bits, kShape.dim, kSeed);
  EXPECT_THAT([&] { free.fit(untied, x); }, ThrowsMessage<Error>(HasSubstr("only a tied decoder")));
}

TEST_P(StraightThroughOf, ReadsRowsOfAWiderMatrix) {
  constexpr Shape kShape{21, 7, 10};
  const Matrix<float> wide = gaussian(kShape.batch, kShape.dim + 3, kSeed);
  const MatrixView<const float> part(wide.data() + 2, kShape.batch, kShape.dim, kShape.dim + 3);
  Matrix<float> copy(kShape.batch, kShape.dim);
  for (std::size_t s = 0; s < kShape.batch; ++s) std::ranges::copy(part.row(s), copy.row(s).begin());
  Team team(1);
  StraightThrough pass(GetParam(), kShape.bits, kShape.dim, kShape.batch, team);
  Gradient of_part = shaped(GetParam(), kShape.bits, kShape.dim);
  Gradient of_copy = shaped(GetParam(), kShape.bits, kShape.dim);
  Autoencoder net = random_net(GetParam(), kShape.bits, kShape.dim, kSeed);
  EXPECT_EQ(pass.gradient(net, part, 1, of_part), pass.gradient(net, copy, 1, of_copy));
  EXPECT_TRUE(bytes_of(of_part) == bytes_of(of_copy));
}

TEST(StraightThroughGiven, GoesWithAFreeDecoderOfItsShape) {
  Team team(1);
  const EncoderPtr given = make_encoder("hadamard", {.dim = 6, .bits = 4}, kSeed);
  EXPECT_NO_THROW(StraightThrough(TrainedDecoder::untied, 4, 6, 8, team, given));
  EXPECT_THAT([&] { StraightThrough(TrainedDecoder::tied, 4, 6, 8, team, given); },
              ThrowsMessage<Error>(HasSubstr("does not go with a tied decoder")));
  EXPECT_THAT([&] { StraightThrough(TrainedDecoder::untied, 5, 6, 8, team, given); },
              ThrowsMessage<Error>(HasSubstr("a given encoder of 4 bits for 6 numbers")));
}

TEST_P(StraightThroughOf, VectorsOfZerosAreNoTrouble) {
  Team team(2);
  StraightThrough pass(GetParam(), 6, 5, 9, team);
  Autoencoder net = random_net(GetParam(), 6, 5, kSeed);
  Gradient gradient = shaped(GetParam(), 6, 5);
  EXPECT_TRUE(std::isfinite(pass.gradient(net, Matrix<float>(9, 5), 1, gradient)));
  for (const float v : gradient.encoder.values()) EXPECT_TRUE(std::isfinite(v));
  for (const float v : net.gain) EXPECT_TRUE(std::isfinite(v));
}

TEST_P(StraightThroughOf, RefusesWhatDoesNotFit) {
  Team team(1);
  StraightThrough pass(GetParam(), 9, 5, 8, team);
  Autoencoder net = random_net(GetParam(), 9, 5, kSeed);
  Gradient gradient = shaped(GetParam(), 9, 5);
  const auto differentiate_rows = [&](std::size_t rows, std::size_t cols) {
    pass.gradient(net, Matrix<float>(rows, cols), 1, gradient);
  };
  EXPECT_NO_THROW(differentiate_rows(8, 5));
  EXPECT_THAT([&] { differentiate_rows(9, 5); }, ThrowsMessage<Error>(HasSubstr("9 vectors of 5 numbers")));
  EXPECT_THAT([&] { differentiate_rows(0, 5); }, ThrowsMessage<Error>(HasSubstr("0 vectors")));
  EXPECT_THAT([&] { differentiate_rows(8, 4); }, ThrowsMessage<Error>(HasSubstr("of 4 numbers")));
  EXPECT_THAT([&] { pass.errors(net, Matrix<float>(9, 5)); }, ThrowsMessage<Error>(HasSubstr("9 vectors")));

  const Matrix<float> x(8, 5);
  Autoencoder other = random_net(GetParam(), 10, 5, kSeed);  // as many bytes of signs as 9 bits
  EXPECT_THAT([&] { pass.errors(other, x); },
              ThrowsMessage<Error>(HasSubstr("network is not a " + to_string(GetParam()))));
  EXPECT_THAT([&] { pass.gradient(net, x, 1, other); }, ThrowsMessage<Error>(HasSubstr("the gradient has not")));
  EXPECT_THAT([&] { StraightThrough(GetParam(), 9, 5, 0, team); }, ThrowsMessage<Error>(HasSubstr("0 vectors")));
}

INSTANTIATE_TEST_SUITE_P(EveryDecoder, StraightThroughOf,
                         ::testing::Values(TrainedDecoder::tied, TrainedDecoder::tied_rows, TrainedDecoder::untied),
                         [](const auto& test) {
                           return test.param == TrainedDecoder::tied_rows ? "tied_rows" : to_string(test.param);
                         });

}  // namespace
}  // namespace signfold
