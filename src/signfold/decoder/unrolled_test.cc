#include "signfold/decoder/unrolled.h"

#include <gtest/gtest.h>

#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/decoder/decoder.h"

namespace signfold {
namespace {

constexpr std::size_t kDim = 64;

Network network_of(const EncoderPtr& encoder, const NetworkParameters& from, bool unrolled) {
  NetworkParameters parameters;
  parameters.linear_gain = from.linear_gain;
  parameters.prior = from.prior;
  if (unrolled) {
    parameters.unrolled = unroll(from.schedule);
  } else {
    parameters.schedule = from.schedule;
  }
  return {encoder, make_basis("identity", kDim), std::move(parameters)};
}

class Unrolled : public testing::TestWithParam<double> {};

// The same sums in another order: float32 roundings of numbers of size 1, amplified by a few layers. Damping (layers 3
// to 6 at this d) is part of it.
TEST_P(Unrolled, IsTheTwoTermFormBeforeTraining) {
  const double rate = GetParam();
  const EncoderPtr encoder = make_encoder("hadamard", shape_for_rate(kDim, rate), 1);
  const NetworkParameters from =
      compile_decoder(parse_decoder("rigamp:6"), *encoder, iid_prior(parse_prior("sparse-gaussian:0.2")));
  ASSERT_EQ(from.schedule.layers.size(), 6U);
  const Network theory = network_of(encoder, from, false);
  const Network trained = network_of(encoder, from, true);
  EXPECT_EQ(decoder_form(trained.parameters()), "network:6");
  Matrix<float> x(50, kDim);
  for (std::size_t i = 0; i < x.rows(); ++i) sample_row(*from.prior.shapes[0], 5, i, x.row(i));
  Matrix<std::uint8_t> codes(x.rows(), code_bytes(encoder->bits()));
  encoder->encode(x, codes);
  const std::vector<float> ones(x.rows(), 1.0F);
  Matrix<float> a(x.rows(), kDim);
  Matrix<float> b(x.rows(), kDim);
  for (int layer = 0; layer <= 6; ++layer) {
    theory.decode(codes, ones, layer, a);
    trained.decode(codes, ones, layer, b);
    for (std::size_t k = 0; k < a.size(); ++k) ASSERT_NEAR(a.data()[k], b.data()[k], 2e-3) << "layer " << layer;
    if (layer > 0) {
      EXPECT_EQ(theory.predicted_risk(layer), trained.predicted_risk(layer));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rates, Unrolled, testing::Values(0.5, 1.0, 2.0));

TEST(Unrolled, RefusesLayersThatMakeNoSense) {
  const EncoderPtr encoder = make_encoder("hadamard", shape_for_rate(kDim, 1), 1);
  const auto refuse = [&](const auto& spoil) {
    NetworkParameters parameters;
    parameters.prior = iid_prior(parse_prior("gaussian"));
    parameters.unrolled.layers.resize(2);
    spoil(parameters);
    EXPECT_THROW(Network(encoder, make_basis("identity", kDim), std::move(parameters)), Error);
  };
  refuse([](NetworkParameters& p) { p.unrolled.layers[1].width = 0; });
  refuse([](NetworkParameters& p) { p.unrolled.layers[0].precision = -1; });
  refuse([](NetworkParameters& p) { p.unrolled.layers[0].onsager = std::nan(""); });
  refuse([](NetworkParameters& p) { p.unrolled.matrix = Matrix<float>(3, kDim); });
  refuse([](NetworkParameters& p) { p.unrolled.matrix = Matrix<float>(kDim, kDim); });  // rows of 0
  refuse([](NetworkParameters& p) { p.schedule.layers.resize(1); });
  refuse([](NetworkParameters& p) {
    p.unrolled.layers.clear();
    p.unrolled.matrix = Matrix<float>(kDim, kDim);
  });
}

TEST(Unrolled, NamesItsLayers) {
  EXPECT_EQ(parse_decoder("network:3").kind, DecoderChoice::Kind::network);
  EXPECT_EQ(parse_decoder("network:3").layers, 3);
  for (const char* wrong : {"network", "network:", "network:0", "network:65", "network:2x"}) {
    EXPECT_THROW(parse_decoder(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace signfold
