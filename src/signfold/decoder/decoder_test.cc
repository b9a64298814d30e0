#include "signfold/decoder/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/encoder/dense.h"
#include "signfold/encoder/hadamard.h"
#include "signfold/encoder/mixed.h"
#include "signfold/prior/mixture.h"
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

TEST(CompileDecoder, NonOrthonormalEncodersAreDenoisedOnly) {
  Matrix<float> b(64, 64);
  RandomStream stream(31, Purpose::test);
  for (float& v : b.values()) v = static_cast<float>(stream.normal());
  const EncoderPtr gaussian = make_dense(b);
  const VectorPrior prior = iid_prior(make_sparse_gaussian(0.1));
  EXPECT_EQ(compile_decoder(parse_decoder("auto"), *gaussian, prior).schedule.layers.size(), 1U);
  EXPECT_THROW(compile_decoder(parse_decoder("rigamp:3"), *gaussian, prior), Error);
}

TEST(DefaultLayers, DeeperForLargerVectorsAndSparserPriors) {
  const Schedule sparse = state_evolution(iid_prior(make_sparse_gaussian(0.05)), 0.5, 64);
  const Schedule dense = state_evolution(iid_prior(make_sparse_gaussian(0.6)), 0.5, 64);
  EXPECT_LT(default_layers(sparse, 64), default_layers(sparse, 4096));
  EXPECT_LT(default_layers(dense, 4096), default_layers(sparse, 4096));
  EXPECT_GE(default_layers(dense, 1), 1);
}

}  // namespace
}  // namespace signfold
