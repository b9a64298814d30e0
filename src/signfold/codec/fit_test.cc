#include "signfold/codec/fit.h"

#include "signfold/codec/for_test.h"
#include "signfold/codec/learn_profile.h"
#include "signfold/codec/measured_gain.h"
#include "signfold/codec/stored_encoder.h"
#include "signfold/codec/train.h"
#include "signfold/decoder/fit_affine.h"
#include "signfold/encoder/dense.h"
#include "signfold/source/npy_writer.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

/// Rows μ_j + σ_j w_j with w sparse Gaussian; σ falls by a factor of 30.
Matrix<float> profile_rows(std::size_t rows, std::size_t dim, std::uint64_t seed, double mean) {
  const PriorPtr law = parse_prior("sparse-gaussian:0.2");
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    sample_row(*law, seed, i, x.row(i));
    for (std::size_t j = 0; j < dim; ++j) {
      const double scale = std::pow(30, -static_cast<double>(j) / static_cast<double>(dim));
      x(i, j) = static_cast<float>(mean + scale * x(i, j));
    }
  }
  return x;
}

Model fit_rows(const Matrix<float>& x, const FitOptions& options) { return fit(*matrix_source(x, "rows"), options); }

TEST(Fit, CentersWhenTheMeanCarriesMoreThanAHundredthOfTheEnergy) {
  FitOptions options;
  // Energy per coordinate is about 0.15 around the mean.
  EXPECT_TRUE(fit_rows(profile_rows(500, 32, 1, 0.01), options).transform.mean.empty());
  EXPECT_FALSE(fit_rows(profile_rows(500, 32, 1, 0.2), options).transform.mean.empty());
  options.center = Centering::never;
  EXPECT_TRUE(fit_rows(profile_rows(500, 32, 1, 0.2), options).transform.mean.empty());
  options.center = Centering::always;
  EXPECT_FALSE(fit_rows(profile_rows(500, 32, 1, 0.01), options).transform.mean.empty());
}

TEST(Fit, UnitMeanAndEnergyRatioAreThoseOfTheData) {
  const Matrix<float> x = profile_rows(400, 16, 2, 0.5);
  std::vector<double> mean(16);
  double energy = 0;
  double around = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    for (std::size_t j = 0; j < 16; ++j) mean[j] += x(i, j) / 400;
  }
  for (std::size_t i = 0; i < 400; ++i) {
    for (std::size_t j = 0; j < 16; ++j) energy += std::pow(x(i, j), 2), around += std::pow(x(i, j) - mean[j], 2);
  }
  FitOptions options;
  const Model centred = fit_rows(x, options);
  // float32 rounding of the centred values.
  EXPECT_NEAR(centred.unit, std::sqrt(around / 400 / 16), 1e-6);
  EXPECT_EQ(centred.energy_ratio, 1);
  EXPECT_TRUE(centred.training_mean.empty());
  options.center = Centering::never;
  const Model raw = fit_rows(x, options);
  EXPECT_NEAR(raw.unit, std::sqrt(energy / 400 / 16), 1e-6);
  EXPECT_NEAR(raw.energy_ratio, energy / around, 1e-6);
  for (std::size_t j = 0; j < 16; ++j) {
    EXPECT_NEAR(centred.transform.mean[j], mean[j], 1e-6);
    EXPECT_NEAR(raw.training_mean[j], mean[j], 1e-6);
  }
}

TEST(Fit, PredictsWhatItMeasures) {
  const Matrix<float> train = profile_rows(2000, 192, 3, 0.3);
  const Matrix<float> test = profile_rows(500, 192, 4, 0.3);
  SCOPED_TRACE("seeds 3 and 4");
  for (const bool pca : {true, false}) {
    FitOptions options;
    options.encoder = "hadamard";
    options.basis = pca ? "pca" : "identity";
    options.center = pca ? Centering::always : Centering::never;
    options.decoder = "rigamp:3";
    options.scale = ScaleKind::f32;
    const Model model = fit_rows(train, options);
    const Evaluation result = evaluate(model, *matrix_source(test, "rows"), {});
    for (std::size_t t = 0; t < result.layers.size(); ++t) {
      const LayerRisk& layer = result.layers[t];
      // 5 standard errors, and 8 % for d = 192 with a profile whose energy lies in few coordinates.
      EXPECT_NEAR(layer.measured, layer.predicted, 5 * layer.stderr_ + 0.08 * layer.predicted)
          << options.basis << " layer " << t;
    }
    EXPECT_LT(result.layers.back().measured, 0.6 * result.layers[0].measured);
  }
}

TEST(Fit, DepthIsMeasuredUnlessGiven) {
  const Matrix<float> train = profile_rows(2000, 48, 5, 0.3);
  FitOptions options;
  options.encoder = "hadamard";
  options.decoder = "rigamp:8";
  const Model deep = fit_rows(train, options);
  options.decoder = "auto";
  const Model open = fit_rows(train, options);
  const Evaluation measured = evaluate(deep, *matrix_source(train, "rows"), {});
  double best = 1;
  for (const LayerRisk& layer : measured.layers) best = std::min(best, layer.measured);
  const auto depth = static_cast<std::size_t>(open.network->layers());
  ASSERT_LT(depth, measured.layers.size());
  // Chosen on half of these rows, within 0.2 %: 2 % is far above what the other half changes.
  EXPECT_LT(measured.layers[depth].measured, 1.02 * best);
}

TEST(Fit, ReportsItsProgress) {
  FitOptions options;
  std::vector<std::size_t> steps;
  options.progress = [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(total, 4U);
    steps.push_back(done);
  };
  fit_rows(profile_rows(100, 16, 6, 0), options);
  EXPECT_EQ(steps, (std::vector<std::size_t>{1, 2, 3, 4}));
}

TEST(Fit, SaysWhatIsWrong) {
  const Matrix<float> x = profile_rows(50, 16, 6, 0);
  const auto with = [&](auto change) {
    FitOptions options;
    change(options);
    return [&x, options] { fit_rows(x, options); };
  };
  expect_error(with([](auto& o) { o.encoder = "spam"; }), "spam");
  expect_error(with([](auto& o) { o.encoder = "identity", o.basis = "pca"; }), "basis identity");
  expect_error(with([](auto& o) { o.encoder = "mixed", o.prior = "iid", o.basis = "pca"; }), "basis identity");
  expect_error(with([](auto& o) { o.basis = "dct2:3x5"; }), "dct2");
  expect_error(with([](auto& o) { o.decoder = "spam"; }), "spam");
  expect_error(with([](auto& o) { o.decoder = "affine", o.rate = 4; }), "50 vectors, 64 bits");
  expect_error(with([](auto& o) { o.prior = "spam"; }), "spam");
  expect_error(with([](auto& o) { o.rate = 0; }), "rate");
  Matrix<float> constant(10, 16);
  std::ranges::fill(constant.values(), 0.1F);
  expect_error([&] { fit_rows(constant, {}); }, "rows: all vectors are equal");
}

TEST(FitAffine, IsTheLeastSquaresSolution) {
  const Matrix<float> x = sparse_rows(500, 6, 1);
  const EncoderPtr encoder = make_encoder("hadamard", {6, 9}, 1);
  std::vector<double> weights(500);
  RandomStream stream(1, Purpose::test, 1000);
  for (double& w : weights) w = stream.uniform();
  const AffineFit affine = fit_affine(*encoder, x, weights);
  // At the optimum the weighted residual is orthogonal to every bit and to 1.
  Matrix<float> u(500, 9);
  encoder->apply(x, u);
  std::vector<double> products(60);  // of 9 bits and 1, with 6 coordinates
  double residual = 0;
  double energy = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      double r = x(i, j) - affine.decoder.offset[j];
      for (std::size_t b = 0; b < 9; ++b) r -= (u(i, b) >= 0 ? 1 : -1) * affine.decoder.matrix(b, j);
      for (std::size_t b = 0; b < 9; ++b) products[b * 6 + j] += weights[i] * r * (u(i, b) >= 0 ? 1 : -1);
      products[54 + j] += weights[i] * r;
      residual += weights[i] * r * r;
      energy += weights[i] * x(i, j) * x(i, j);
    }
  }
  // The ridge of 1e-6 leaves 1e-6·Σw·|A| ≈ 5e-4; float32 coefficients less.
  for (const double p : products) EXPECT_NEAR(p, 0, 2e-3);
  EXPECT_NEAR(affine.risk, residual / energy * (500 + 10) / (500 - 10), 1e-5);
}

TEST(FitAffine, PredictsTheRiskOnNewVectors) {
  FitOptions options;
  options.encoder = "hadamard";
  options.decoder = "affine";
  options.rate = 2;
  const Model model = fit_rows(profile_rows(1000, 64, 7, 0.2), options);
  const Evaluation result = evaluate(model, *matrix_source(profile_rows(1000, 64, 8, 0.2), "rows"), {});
  // 5 standard errors of the test set, twice: the training set is as random.
  EXPECT_NEAR(result.layers[0].measured, result.layers[0].predicted, 10 * result.layers[0].stderr_);
  EXPECT_LT(result.layers[0].measured, linear_risk_limit(2));
}

TEST(LearnProfile, FindsOffsetsAndScales) {
  const std::size_t rows = 4000;
  Matrix<float> x = profile_rows(rows, 32, 9, 0.1);
  double energy = 0;
  for (const float v : x.values()) energy += v * v / static_cast<double>(x.size());
  for (float& v : x.values()) v = static_cast<float>(v / std::sqrt(energy));
  const VectorPrior prior = learn_profile(x, std::vector<double>(rows, 1.0), {});
  check_vector_prior(prior, 32);
  EXPECT_NEAR(average_moments(prior).second, 1, 1e-3);  // shapes are standardised in float32 and binned
  for (std::size_t j = 0; j < 32; ++j) {
    const double scale = std::pow(30, -static_cast<double>(j) / 32) / std::sqrt(energy);
    const double offset = 0.1 / std::sqrt(energy);
    EXPECT_NEAR(prior.offset[j], offset, 5 * scale / std::sqrt(rows)) << "seed 9";
    // Standard error of a sample deviation: √((E w⁴ − 1)/(4 k)), E w⁴ = 3/0.2; 2 % for the shrinkage,
    // which adds 1/4001 to variances above 0.0077.
    EXPECT_NEAR(prior.scale[j], scale, scale * (5 * std::sqrt(14.0 / 4 / rows) + 0.02)) << "seed 9";
  }
}

TEST(LearnProfile, ShrinksWhatFewRowsCannotKnow) {
  const Matrix<float> x = profile_rows(6, 32, 10, 0);
  const VectorPrior prior = learn_profile(x, std::vector<double>(6, 1.0), {});
  for (const float s : prior.scale) EXPECT_GT(s, 0.1F);  // no coordinate is taken for constant
  EXPECT_THROW(learn_profile(x.view().row_range(0, 1), std::vector<double>{1.0}, {}), Error);
}

TEST(ResolveEncoder, ComparesPredictedRisks) {
  const VectorPrior sparse = iid_prior(parse_prior("sparse-gaussian:0.1"));
  const VectorPrior binary = iid_prior(parse_prior("sparse-rademacher:0.9"));
  const auto resolve = [](const char* name, const VectorPrior& prior) {
    return resolve_encoder(name, prior, *prior.shapes[0], 1);
  };
  EXPECT_EQ(resolve("auto", sparse), "hadamard");
  const std::string mixed = resolve("auto", binary);
  ASSERT_TRUE(mixed.starts_with("mixed:"));
  EXPECT_NEAR(std::stod(mixed.substr(6)), 0.997, 1e-3);  // docs/math.md section 4; the risk is flat there
  EXPECT_EQ(resolve("mixed", binary), mixed);
  EXPECT_EQ(resolve("haar", binary), "haar");
}

TEST(Fit, FindsTheMixedEncoderOnItsOwn) {
  // Coordinates that are ±1 or, one in five, 0: docs/math.md section 4 has 0.17454 for the mixed encoder of this law.
  SCOPED_TRACE("seeds 5 and 6");
  const PriorPtr law = parse_prior("sparse-rademacher:0.8");
  const auto train = synthetic_source(law, 2000, 128, 5);
  const auto test = synthetic_source(law, 1000, 128, 6);
  const Model model = fit(*train, {});
  EXPECT_TRUE(model.encoder->name().starts_with("mixed:")) << model.encoder->name();
  const Evaluation result = evaluate(model, *test, {});
  ASSERT_EQ(result.layers.size(), 1U);
  EXPECT_NEAR(result.layers[0].predicted, 0.1745, 0.004);  // the law is learned from 256000 values
  // 5 standard errors, and 3 % for the finite dimension.
  EXPECT_NEAR(result.layers[0].measured, result.layers[0].predicted,
              5 * result.layers[0].stderr_ + 0.03 * result.layers[0].predicted);
}

TEST(ModelForPrior, NeedsNoData) {
  FitOptions options;
  options.rate = 0.5;
  const Model model = model_for_prior(parse_prior("sparse-gaussian:0.1"), 64, options);
  EXPECT_EQ(model.bits(), 32U);
  EXPECT_EQ(model.unit, 1);
  EXPECT_TRUE(model.transform.identity());
  EXPECT_TRUE(model.reference_mean().empty());
  EXPECT_EQ(model.bits_per_vector(), 32U + 16U);
  options.decoder = "affine";
  EXPECT_THROW(model_for_prior(parse_prior("gaussian"), 64, options), Error);
}

using DenseFile = CodecFiles;

TEST_F(DenseFile, GivesTheEncoderItsMatrixAndRate) {
  const Matrix<float> b = sparse_rows(20, 16, 3);
  NpyWriter writer(path("B.npy"), 20, 16);
  writer.write(b);
  writer.commit();
  FitOptions options;
  options.encoder = "dense:" + path("B.npy");
  options.decoder = "linear";
  const Model model = fit_rows(profile_rows(50, 16, 6, 0), options);
  EXPECT_EQ(model.bits(), 20U);
  EXPECT_TRUE(std::ranges::equal(std::span(dense_matrix(*model.encoder).data, b.size()),
                                 std::span(dense_matrix(*make_dense(b)).data, b.size())));
  expect_error([&] { fit_rows(profile_rows(50, 17, 6, 0), options); }, "the vectors have 17");
}

/// A model whose encoder was trained on a law that draws its rows to the coordinate axes, for 32 coordinates.
Model trained_model() {
  TrainRequest request;
  request.prior = parse_prior("sparse-rademacher:0.8");
  request.dim = 32;
  request.steps = 400;
  request.batch = 128;
  request.threads = 1;
  return train(request).model;
}

TEST_F(DenseFile, MayBeAModelWithATrainedEncoder) {
  const Model trained = trained_model();
  save_model(trained, path("trained.sfm"));
  ASSERT_FALSE(trained.encoder->delocalised()) << "the axes attract the rows: see docs/math.md section 4";
  FitOptions options;
  options.encoder = "dense:" + path("trained.sfm");
  options.rate = 7;  // that of the model counts
  const auto data = synthetic_source(parse_prior("sparse-rademacher:0.8"), 2000, 32, 5);
  const auto test = synthetic_source(parse_prior("sparse-rademacher:0.8"), 2000, 32, 6);
  SCOPED_TRACE("seeds 1, 5 and 6");
  for (const char* basis : {"identity", "pca"}) {
    options.basis = basis;
    data->rewind();
    const Model model = fit(*data, options);
    EXPECT_TRUE(std::ranges::equal(stored_matrix(*model.encoder), stored_matrix(*trained.encoder)));
    // Theory does not know such an encoder, so its linear decoder is measured: on other vectors it does the same, up
    // to 5 standard errors of both measurements.
    test->rewind();
    const LayerRisk risk = evaluate(model, *test, {}).layers.front();
    EXPECT_NEAR(risk.measured, risk.predicted, 5 * std::sqrt(2.0) * risk.stderr_) << basis;
    EXPECT_LT(risk.measured, 0.3) << "a rotation has 0.363";
    EXPECT_NEAR(model.network->parameters().linear_gain, trained.network->parameters().linear_gain, 0.02);
  }
  expect_error([&] { fit_rows(profile_rows(50, 17, 6, 0), options); }, "trained.sfm is for 32 coordinates");
}

TEST_F(DenseFile, MayBeAModelWithAnyEncoder) {
  FitOptions options;
  options.rate = 1.5;
  const Model first = fit_rows(profile_rows(300, 16, 6, 0), options);
  save_model(first, path("first.sfm"));
  options.encoder = "dense:" + path("first.sfm");
  EXPECT_EQ(fingerprint(fit_rows(profile_rows(300, 16, 6, 0), options)), fingerprint(first));
}

TEST(MeasuredGain, IsTheBestAndItsRiskThatOfItsError) {
  const Matrix<float> x = sparse_rows(600, 6, 1);  // more than a block
  const EncoderPtr encoder = make_encoder("identity", {6, 9}, 1);
  std::vector<double> weights(600);
  RandomStream stream(1, Purpose::test, 1000);
  for (double& w : weights) w = stream.uniform();
  const MeasuredGain measured = measured_gain(*encoder, *make_basis("identity", 6), x, weights);
  const auto risk = [&](double gain) {
    double error = 0;
    double energy = 0;
    for (std::size_t i = 0; i < 600; ++i) {
      for (std::size_t j = 0; j < 6; ++j) {
        const double back = gain * (x(i, j) >= 0 ? 1 : -1) * (j < 3 ? 2 : 1);  // three coordinates have two bits
        error += weights[i] * std::pow(x(i, j) - back, 2);
        energy += weights[i] * std::pow(x(i, j), 2);
      }
    }
    return error / energy;
  };
  EXPECT_NEAR(measured.risk, risk(measured.gain), 1e-6);  // float32 vectors
  for (const double factor : {0.99, 1.01}) EXPECT_LT(measured.risk, risk(factor * measured.gain));
  const Matrix<float> zeros(3, 6);
  EXPECT_EQ(measured_gain(*encoder, *make_basis("identity", 6), zeros, std::vector<double>(3, 1.0)).risk, 1);
}

}  // namespace
}  // namespace signfold
