// Stages of fast rotations through names, models, code files, prediction and fit.
#include "signfold/codec/rotated.h"

#include <algorithm>
#include <bit>

#include "signfold/codec/for_test.h"
#include "signfold/codec/predict.h"
#include "signfold/codec/simulate.h"
#include "signfold/codec/truncate.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests
using Bits = std::vector<std::size_t>;

TEST(RotatedNames, AreReadAndCut) {
  EXPECT_EQ(rotated_stage_count("rotated:8"), 8);
  EXPECT_EQ(rotated_stage_count("hadamard"), std::nullopt);
  for (const char* wrong : {"rotated:", "rotated:0", "rotated:65", "rotated:2x"}) {
    expect_error([&] { rotated_stage_count(wrong); }, "write rotated:S");
  }
  EXPECT_EQ(rotated_stage_bits(1024, 1024, 4), (Bits{256, 256, 256, 256}));
  EXPECT_EQ(rotated_stage_bits(1024, 2048, 2), (Bits{1024, 1024}));
  EXPECT_EQ(rotated_stage_bits(784, 784, 4), (Bits{196, 196, 196, 196}));
  EXPECT_EQ(rotated_stage_bits(100, 50, 4), (Bits{12, 13, 12, 13}));
  EXPECT_EQ(rotated_stage_bits(64, 160, 5), (Bits{32, 32, 32, 32, 32}));
  EXPECT_EQ(rotated_stage_bits(64, 192, 1), (Bits{64, 64, 64})) << "one for each rotation";
  EXPECT_EQ(rotated_stage_bits(7, 7, 3), (Bits{2, 2, 3}));
  EXPECT_EQ(rotated_stage_bits(2, 2, 3), (Bits{1, 1}));
  EXPECT_EQ(rotated_stage_bits(99, 198, 4), (Bits{49, 50, 49, 50}));
  const std::vector<RotationRows> rows = rotated_stage_rows(1.5, 3);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].rotation, 0U);
  EXPECT_EQ(rows[2].rotation, 1U);
  EXPECT_DOUBLE_EQ(rows[2].fraction, 0.5);
}

class RotatedFiles : public CodecFiles {
 protected:
  static constexpr std::size_t kDim = 60;
  Model model_ = [] {
    FitOptions options;
    options.encoder = "rotated:5";
    options.rate = 2.5;
    options.scale = ScaleKind::f16;
    return model_for_prior(parse_prior("sparse-gaussian:0.3"), kDim, options);
  }();
  Matrix<float> x_ = [] {
    Matrix<float> x(200, kDim);
    for (std::size_t i = 0; i < x.rows(); ++i) sample_row(*parse_prior("sparse-gaussian:0.3"), 4, i, x.row(i));
    std::ranges::fill(x.row(7), 0.0F);
    for (float& v : x.row(8)) v *= 1000;
    return x;
  }();
};

TEST_F(RotatedFiles, RowsOfAnySizeHaveTheSameSigns) {
  Model model = std::move(model_);
  model.scale = ScaleKind::f32;
  const Encoded plain = encode_all(model, x_);
  const auto encoded_as = [&](float size) {
    Matrix<float> scaled = x_.clone();
    for (float& v : scaled.values()) v *= size;
    return encode_all(model, scaled);
  };
  for (const float size : {0x1p-100F, 0x1p-40F, 0x1p80F}) {
    EXPECT_TRUE(std::ranges::equal(encoded_as(size).codes.values(), plain.codes.values())) << size;
  }
  // The inverse of these norms is beyond float32, and the numbers themselves are denormal: 19 bits are left of them.
  const Encoded smallest = encoded_as(0x1p-130F);
  std::size_t different = 0;
  for (std::size_t i = 0; i < plain.codes.size(); ++i) {
    different += std::popcount(static_cast<std::uint8_t>(plain.codes.data()[i] ^ smallest.codes.data()[i]));
  }
  EXPECT_LT(different, x_.rows() * model.bits() / 1000);
  Matrix<float> back(x_.rows(), kDim);
  decode_rows(model, plain.codes, plain.scales, -1, back);
  for (const float v : back.row(7)) EXPECT_TRUE(v == 0 && !std::signbit(v)) << "the row of zeros";
}

TEST_F(RotatedFiles, AModelIsReadAsItWasWritten) {
  const std::vector<std::byte> written = model_to_bytes(model_);
  const Model model = model_from_bytes(written, "model");
  EXPECT_EQ(model_to_bytes(model), written);
  EXPECT_EQ(model.stage_bits(), (Bits{30, 30, 30, 30, 30}));
  EXPECT_EQ(model.encoder_name(), "rotated:5");
  EXPECT_EQ(model.bits_per_vector(), 166U);
  EXPECT_EQ(model.depth(), 5);
  EXPECT_LT(model.predicted_risk(5), model.predicted_risk(4));
  const Encoded encoded = encode_all(model_, x_);
  const Encoded again = encode_all(model, x_);
  EXPECT_TRUE(std::ranges::equal(encoded.codes.values(), again.codes.values()));
  EXPECT_TRUE(same(decode_all(model_, encoded), decode_all(model, encoded)));
}

TEST_F(RotatedFiles, ItsFingerprintKnowsTheLawAndTheSeed) {
  FitOptions options;
  options.encoder = "rotated:5";
  options.rate = 2.5;
  const auto with = [&](const char* prior, std::uint64_t seed) {
    options.seed = seed;
    return fingerprint(model_for_prior(parse_prior(prior), kDim, options));
  };
  EXPECT_EQ(with("sparse-gaussian:0.3", 1), fingerprint(model_));
  EXPECT_NE(with("sparse-gaussian:0.31", 1), fingerprint(model_));
  EXPECT_NE(with("sparse-gaussian:0.3", 2), fingerprint(model_));
}

TEST_F(RotatedFiles, APrefixDecodesTheSameWhetherTheFileWasCutOrNot) {
  encode_file(model_, *matrix_source(x_, "rows"), path("C.sfc"), {});
  const Encoded encoded = encode_all(model_, x_, 3);
  for (const int stages : {1, 3, 5}) {
    truncate_codes(path("C.sfc"), static_cast<std::size_t>(stages), path("cut.sfc"), {});
    decode_file(model_, path("cut.sfc"), path("cut.npy"), -1, {});
    decode_file(model_, path("C.sfc"), path("whole.npy"), stages, {2, {}});
    const Matrix<float> cut = read_all(*open_source(path("cut.npy")));
    EXPECT_TRUE(same(cut, read_all(*open_source(path("whole.npy")))));
    EXPECT_TRUE(same(cut, decode_all(model_, encoded, stages)));
    for (const float v : cut.row(7)) EXPECT_EQ(v, 0) << "a vector of zeros";
  }
  Encoded scaled = encode_all(model_, x_.view().row_range(8, 1));
  double energy = 0;
  double error = 0;
  const Matrix<float> decoded = decode_all(model_, scaled);
  for (std::size_t j = 0; j < kDim; ++j) {
    energy += std::pow(x_(8, j), 2.0F);
    error += std::pow(x_(8, j) - decoded(0, j), 2.0F);
  }
  EXPECT_LT(error / energy, 0.1) << "a norm of a thousand is stored and given back";
}

TEST(Rotated, PredictionIsWhatTheModelAndASimulationSay) {
  const Prediction p = predict({.prior = "sparse-gaussian:0.3", .rate = 2, .encoder = "rotated:4"});
  ASSERT_EQ(p.prefixes.size(), 4U);
  EXPECT_DOUBLE_EQ(p.prefixes[1].rate, 1);
  SimulateOptions options;
  options.prior = "sparse-gaussian:0.3";
  options.rate = 2;
  options.encoder = "rotated:4";
  options.dim = 512;
  options.samples = 100;
  const Simulation simulation = simulate(options);
  ASSERT_EQ(simulation.evaluation.prefixes.size(), 4U);
  for (std::size_t s = 0; s < 4; ++s) {
    const LayerRisk& risk = simulation.evaluation.prefixes[s];
    EXPECT_NEAR(risk.predicted, p.prefixes[s].risk, 1e-9);
    // Finite d: a few times 10/d, relative (docs/rigamp.md section 6).
    EXPECT_NEAR(risk.measured, risk.predicted, 5 * risk.stderr_ + 0.04 * risk.predicted) << "stage " << s + 1;
  }
}

TEST(Rotated, ALawIsLearnedFromVectors) {
  Matrix<float> x(3000, 64);
  for (std::size_t i = 0; i < x.rows(); ++i) sample_row(*parse_prior("sparse-gaussian:0.2"), 5, i, x.row(i));
  FitOptions options;
  options.encoder = "rotated:4";
  options.rate = 1;
  const auto source = matrix_source(x, "sparse rows");
  const Model model = fit(*source, options);
  const Evaluation evaluation = evaluate(model, *matrix_source(x, "sparse rows"), {});
  const double known = predict({.prior = "sparse-gaussian:0.2", .rate = 1, .encoder = "rotated:4"}).prefixes[3].risk;
  EXPECT_NEAR(model.predicted_risk(4), known, 0.1 * known) << "the law of 192000 numbers";
  // d = 64: far from the limit of many coordinates, where 10/d would be 16 %.
  EXPECT_LT(evaluation.prefixes[3].measured, 2 * known);
  options.decoder = "linear";
  expect_error([&] { fit(*source, options); }, "has a decoder of its own");
  options.decoder = "auto";
  options.basis = "pca";
  expect_error([&] { fit(*source, options); }, "in the coordinates of the data");
}

TEST(Rotated, StagedEncodersAreNoEncodersForOthers) {
  expect_error([] { predict({.prior = "gaussian", .rate = 1, .encoder = "staged"}); }, "measured when it is trained");
  FitOptions options;
  options.encoder = "staged";
  expect_error([&] { model_for_prior(parse_prior("gaussian"), 16, options); }, "trained on vectors");
}

}  // namespace
}  // namespace signfold
