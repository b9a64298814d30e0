#include "signfold/decoder/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/encoder/dense.h"
#include "signfold/encoder/hadamard.h"
#include "signfold/encoder/mixed.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/free_cumulants.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"

namespace signfold {
namespace {

using Kind = DecoderChoice::Kind;

TEST(ParseDecoder, KnowsEveryName) {
  EXPECT_EQ(parse_decoder("auto").kind, Kind::automatic);
  EXPECT_EQ(parse_decoder("linear").kind, Kind::linear);
  EXPECT_EQ(parse_decoder("affine").kind, Kind::affine);
  EXPECT_EQ(parse_decoder("denoise").kind, Kind::denoise);
  EXPECT_EQ(parse_decoder("rigamp").layers, 0);
  EXPECT_EQ(parse_decoder("rigamp:7").layers, 7);
}

TEST(ParseDecoder, RefusesEverythingElse) {
  for (const char* text :
       {"", "lin", "rigamp:", "rigamp:0", "rigamp:65", "rigamp:-1", "rigamp:3x", "rigamp:99999999999"}) {
    EXPECT_THROW(parse_decoder(text), Error) << text;
  }
}

TEST(CompileDecoder, DenoiseIsLayerOneOfRigamp) {
  for (const double rate : {0.5, 1.0, 2.0}) {
    const EncoderPtr encoder = make_hadamard(shape_for_rate(64, rate), 1);
    const VectorPrior prior = iid_prior(make_sparse_gaussian(0.1));
    const NetworkParameters denoise = compile_decoder(parse_decoder("denoise"), *encoder, prior);
    const NetworkParameters rigamp = compile_decoder(parse_decoder("rigamp:3"), *encoder, prior);
    ASSERT_EQ(denoise.schedule.layers.size(), 1U);
    // Two formulas of one number: double precision rounding only.
    EXPECT_NEAR(denoise.schedule.layers[0].precision, rigamp.schedule.layers[0].precision, 1e-12);
    EXPECT_NEAR(denoise.schedule.layers[0].risk, rigamp.schedule.layers[0].risk, 1e-12);
    EXPECT_NEAR(denoise.linear_risk, linear_risk_limit(rate), 1e-12);
  }
}

TEST(CompileDecoder, AlignedEncodersHaveALinearDecoderOnly) {
  const PriorPtr prior = make_sparse_rademacher(0.8);
  const EncoderPtr encoder = make_mixed({64, 64}, 0.985, 1);
  const NetworkParameters network = compile_decoder(parse_decoder("rigamp:4"), *encoder, iid_prior(prior));
  EXPECT_TRUE(network.schedule.layers.empty());
  EXPECT_DOUBLE_EQ(network.linear_risk, mixed_risk(*prior, 0.985, 1));
}

EncoderPtr gaussian_encoder(std::size_t bits, std::size_t dim) {
  Matrix<float> b(bits, dim);
  RandomStream stream(31, Purpose::test);
  for (float& v : b.values()) v = static_cast<float>(stream.normal());
  return make_dense(b);
}

TEST(CompileDecoder, NonOrthonormalEncodersRememberAllLayers) {
  const VectorPrior prior = iid_prior(make_sparse_gaussian(0.1));
  const EncoderPtr encoder = gaussian_encoder(128, 128);
  for (const char* name : {"auto", "rigamp", "rigamp:3"}) {
    const NetworkParameters network = compile_decoder(parse_decoder(name), *encoder, prior);
    EXPECT_TRUE(network.schedule.layers.empty()) << name;
    EXPECT_GE(network.layers(), 3U) << name;
    EXPECT_EQ(decoder_form(network), "full-memory") << name;
    for (std::size_t t = 1; t < network.layers(); ++t) {
      EXPECT_LT(network.memory.layers[t].risk, network.memory.layers[t - 1].risk) << name;
    }
  }
  // Layer 1 is the denoiser, and is stored as it.
  for (const char* name : {"denoise", "rigamp:1"}) {
    const NetworkParameters network = compile_decoder(parse_decoder(name), *encoder, prior);
    EXPECT_EQ(decoder_form(network), "denoiser") << name;
    EXPECT_EQ(network.layers(), 1U) << name;
  }
}

TEST(CompileDecoder, LateLayersAreDamped) {  // guard G4
  const VectorPrior prior = iid_prior(make_sparse_gaussian(0.1));
  const EncoderPtr encoder = gaussian_encoder(128, 128);
  const auto damped = compile_decoder(parse_decoder("rigamp:4"), *encoder, prior).memory.layers;
  const std::vector<double> kappa = free_cumulants(encoder->spectrum(), 1, cumulants_for(4));
  const auto plain = full_memory_evolution(prior, 1, kappa, 4).layers;
  ASSERT_EQ(damped.size(), 4U);
  ASSERT_EQ(plain.size(), 4U);
  EXPECT_EQ(damped[1].inputs, plain[1].inputs);
  std::vector<double> expected = plain[1].inputs;  // of y_2; then y_t ← 0.9 y_t + 0.1 y_{t−1}
  for (std::size_t t = 2; t < 4; ++t) {
    expected.push_back(0);
    for (std::size_t i = 0; i <= t; ++i) expected[i] = 0.9 * plain[t].inputs[i] + 0.1 * expected[i];
    for (std::size_t i = 0; i <= t; ++i) EXPECT_NEAR(damped[t].inputs[i], expected[i], 1e-14) << t << " " << i;
    EXPECT_DOUBLE_EQ(damped[t].outputs.back(), 0.9 * plain[t].outputs.back()) << t;
    EXPECT_EQ(damped[t].onsager, plain[t].onsager) << t;
  }
}

TEST(CompileDecoder, NoLayersBeyondTheDenoiserWhereNoneGains) {
  // A Gaussian source at a low rate: layers beyond the first gain less than 1 % in 64 dimensions.
  const EncoderPtr encoder = gaussian_encoder(6, 64);
  const NetworkParameters network = compile_decoder(parse_decoder("auto"), *encoder, iid_prior(make_gaussian()));
  EXPECT_EQ(decoder_form(network), "denoiser");
}

TEST(CompileDecoder, NearlyOrthonormalEncodersKeepTheTwoTermFormWhereItIsValid) {  // guard G5
  const Matrix<float> rotation = explicit_matrix(*make_haar({128, 128}, 7));
  const auto disturbed = [&](float epsilon) {
    Matrix<float> b = rotation.clone();
    RandomStream stream(33, Purpose::test);
    for (float& v : b.values()) v += epsilon / std::sqrt(128.0F) * static_cast<float>(stream.normal());
    return make_dense(b);
  };
  const auto form = [&](float epsilon, const PriorPtr& prior) {
    return decoder_form(compile_decoder(parse_decoder("rigamp:4"), *disturbed(epsilon), iid_prior(prior)));
  };
  // m_4 − 1 is about 2 ε². Small memories (SG .1: b ≤ 1.26) tolerate 5e-3, large ones (SR .5: b = 2.6) nothing.
  EXPECT_EQ(form(0.02F, make_sparse_gaussian(0.1)), "two-term");
  EXPECT_EQ(form(0.1F, make_sparse_gaussian(0.1)), "full-memory");
  EXPECT_EQ(form(0.02F, make_sparse_rademacher(0.5)), "full-memory");
}

TEST(DecoderForm, NamesTheOthers) {
  const EncoderPtr encoder = make_hadamard({64, 64}, 1);
  const VectorPrior prior = iid_prior(make_sparse_gaussian(0.1));
  EXPECT_EQ(decoder_form(compile_decoder(parse_decoder("linear"), *encoder, prior)), "linear");
  EXPECT_EQ(decoder_form(compile_decoder(parse_decoder("denoise"), *encoder, prior)), "denoiser");
  EXPECT_EQ(decoder_form(compile_decoder(parse_decoder("rigamp:3"), *encoder, prior)), "two-term");
  NetworkParameters affine = compile_decoder(parse_decoder("affine"), *encoder, prior);
  affine.affine.matrix = Matrix<float>(64, 64);
  EXPECT_EQ(decoder_form(affine), "affine");
}

std::vector<double> risks(double p) {
  std::vector<double> out;
  for (const LayerScalars& layer : state_evolution(iid_prior(make_sparse_gaussian(p)), 0.5, 64).layers) {
    out.push_back(layer.risk);
  }
  return out;
}

TEST(DefaultLayers, DeeperForLargerVectorsAndSparserPriors) {
  const std::vector<double> sparse = risks(0.05);
  const std::vector<double> dense = risks(0.6);
  EXPECT_LT(default_layers(sparse, 64), default_layers(sparse, 4096));
  EXPECT_LT(default_layers(dense, 4096), default_layers(sparse, 4096));
  EXPECT_GE(default_layers(dense, 1), 1);
}

}  // namespace
}  // namespace signfold
