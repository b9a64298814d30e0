// The full-memory decoder in simulation: encoders of any spectrum follow their own state evolution (docs/rigamp.md
// section 7, "General B").
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "signfold/base/random.h"
#include "signfold/decoder/decoder.h"
#include "signfold/encoder/dense.h"
#include "signfold/prior/mixture.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 20240702;

/// A rotation plus `noise` times a Gaussian matrix; infinite noise = the Gaussian matrix.
EncoderPtr noisy_rotation(EncoderShape shape, double noise) {
  const bool gaussian = std::isinf(noise);
  Matrix<float> b = gaussian ? Matrix<float>(shape.bits, shape.dim) : explicit_matrix(*make_haar(shape, kSeed));
  const double size = (gaussian ? 1 : noise) / std::sqrt(static_cast<double>(shape.dim));
  RandomStream stream(kSeed, Purpose::test);
  for (float& v : b.values()) v += static_cast<float>(size * stream.normal());
  return make_dense(b);
}

struct Measured {
  double risk = 0;
  double standard_error = 0;
};

/// Risk of every layer on vectors scaled to ‖x‖² = d: what is predicted then has no error of the norm's (section 6).
std::vector<Measured> measure(const Network& network, const Prior& prior, std::size_t samples) {
  const std::size_t d = network.encoder().dim();
  Matrix<float> x(samples, d);
  for (std::size_t i = 0; i < samples; ++i) {
    sample_row(prior, kSeed + 1, i, x.row(i));
    double energy = 0;
    for (const float v : x.row(i)) energy += static_cast<double>(v) * v;
    for (float& v : x.row(i)) v *= static_cast<float>(std::sqrt(static_cast<double>(d) / energy));
  }
  Matrix<std::uint8_t> codes(samples, code_bytes(network.encoder().bits()));
  network.encoder().encode(x, codes);
  std::vector<double> sum(static_cast<std::size_t>(network.layers()) + 1, 0.0);
  std::vector<double> squares = sum;
  network.decode_layers(codes, std::vector<float>(samples, 1.0F),
                        [&](int layer, std::size_t first, MatrixView<const float> estimate) {
                          for (std::size_t i = 0; i < estimate.rows; ++i) {
                            double error = 0;
                            for (std::size_t j = 0; j < d; ++j) error += std::pow(estimate(i, j) - x(first + i, j), 2);
                            error /= static_cast<double>(d);
                            sum[static_cast<std::size_t>(layer)] += error;
                            squares[static_cast<std::size_t>(layer)] += error * error;
                          }
                        });
  std::vector<Measured> measured;
  const auto n = static_cast<double>(samples);
  for (std::size_t t = 0; t < sum.size(); ++t) {
    const double mean = sum[t] / n;
    measured.push_back({mean, std::sqrt((squares[t] / n - mean * mean) / (n - 1))});
  }
  return measured;
}

struct Case {
  const char* prior;
  double rate;
  double noise;
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.prior << " r=" << c.rate << " noise=" << c.noise; }

/// No layer is further from its prediction than 5 standard errors or the relative tolerance.
void expect_predicted(const Network& network, const std::vector<Measured>& measured, double relative) {
  for (std::size_t t = 0; t < measured.size(); ++t) {
    const double predicted = network.predicted_risk(static_cast<int>(t));
    EXPECT_NEAR(measured[t].risk, predicted, std::max(relative * predicted, 5 * measured[t].standard_error))
        << "layer " << t << ", seed " << kSeed;
  }
}

class GeneralEncoder : public testing::TestWithParam<Case> {};

TEST_P(GeneralEncoder, FollowsItsOwnStateEvolution) {
  const Case c = GetParam();
  constexpr std::size_t kDim = 800;
  const PriorPtr prior = parse_prior(c.prior);
  const EncoderPtr encoder = noisy_rotation(shape_for_rate(kDim, c.rate), c.noise);
  const Network network(encoder, make_basis("identity", kDim),
                        compile_decoder(parse_decoder("rigamp:8"), *encoder, iid_prior(prior)));
  ASSERT_EQ(decoder_form(network.parameters()), "full-memory");
  expect_predicted(network, measure(network, *prior, 256), 0);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* prior : {"sparse-gaussian:0.3", "sparse-rademacher:0.5"}) {
    for (const double rate : {0.5, 1.0, 2.0}) {
      for (const double noise : {0.1, 0.3, static_cast<double>(INFINITY)}) cases.push_back({prior, rate, noise});
    }
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Encoders, GeneralEncoder, testing::ValuesIn(all_cases()));

TEST(SmallGaussianEncoder, FollowsItsOwnStateEvolutionWithinThreePerCent) {
  const PriorPtr prior = make_sparse_gaussian(0.3);
  const EncoderPtr encoder = noisy_rotation({200, 200}, INFINITY);
  const Network network(encoder, make_basis("identity", 200),
                        compile_decoder(parse_decoder("auto"), *encoder, iid_prior(prior)));
  EXPECT_EQ(decoder_form(network.parameters()), "full-memory");
  EXPECT_GE(network.layers(), 4);
  expect_predicted(network, measure(network, *prior, 4000), 0.03);
}

}  // namespace
}  // namespace signfold
