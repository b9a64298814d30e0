#include "signfold/codec/train.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "signfold/base/interrupt.h"
#include "signfold/codec/for_test.h"
#include "signfold/codec/stored_encoder.h"
#include "signfold/source/npy_writer.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"
#include "signfold/training/checkpoint.h"

namespace signfold {
namespace {

using ::testing::AllOf;
using testing::decode_all;
using testing::encode_all;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::sparse_rows;
using ::testing::ThrowsMessage;

constexpr std::size_t kSteps = 24;

TrainRequest on_prior(const std::string& prior, std::size_t dim, double rate) {
  TrainRequest request;
  request.prior = parse_prior(prior);
  request.dim = dim;
  request.rate = rate;
  request.steps = kSteps;
  request.batch = 16;
  request.threads = 1;
  return request;
}

class Training : public testing::CodecFiles {
 protected:
  void TearDown() override {
    clear_interrupt();
    CodecFiles::TearDown();
  }
  /// A file of 410 sparse vectors with a mean.
  std::string data(std::size_t dim, std::uint64_t seed = 1) const {
    const Matrix<float> rows = sparse_rows(410, dim, seed);
    NpyWriter writer(path("rows.npy"), rows.rows(), dim);
    writer.write(rows);
    writer.commit();
    return path("rows.npy");
  }
  TrainRequest on_data(std::size_t dim, double rate) const {
    TrainRequest request = on_prior("gaussian", dim, rate);
    request.prior = nullptr;
    request.dim = 0;
    request.data = data(dim);
    request.decoder = TrainedDecoder::untied;
    return request;
  }
  std::string checkpoint() const { return path("run.ckpt"); }
  std::size_t saved_step() const { return load_checkpoint(checkpoint()).progress.at("step"); }

  /// Trains until `step` is done and is interrupted there; the checkpoint must hold it.
  void train_until(TrainRequest request, std::size_t step) const {
    request.checkpoint = checkpoint();
    request.progress = [step](const TrainProgress& progress) {
      if (progress.step == step) request_interrupt();
    };
    try {
      train(request);
      ADD_FAILURE() << "was not interrupted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted);
      EXPECT_THAT(error.what(), AllOf(HasSubstr(fmt::format("stopped after step {} of ", step)),
                                      HasSubstr(checkpoint()), HasSubstr("resume")));
    }
    clear_interrupt();
    EXPECT_EQ(saved_step(), step);
  }
  std::vector<std::byte> resumed(TrainRequest request) const {
    request.checkpoint = checkpoint();
    request.resume = true;
    return model_to_bytes(train(request).model);
  }
};

double risk_on(const Model& model, Source& source) { return evaluate(model, source, {1, {}}).layers.back().measured; }

TEST_F(Training, OnAPriorReportsWhatItDid) {
  TrainRequest request = on_prior("sparse-rademacher:0.8", 24, 1);
  request.steps = 120;
  std::vector<std::size_t> steps;
  request.progress = [&](const TrainProgress& progress) {
    EXPECT_EQ(progress.steps, 120U);
    steps.push_back(progress.step);
  };
  const auto [model, report] = train(request);
  EXPECT_EQ(report.steps, 120U);
  EXPECT_EQ(steps.size(), 120U);
  EXPECT_EQ(steps.back(), 120U);
  EXPECT_GT(report.seconds, 0);
  EXPECT_EQ(report.rotation, linear_risk_limit(1));
  EXPECT_EQ(report.identity, mixed_risk(*request.prior, 1, 1));
  EXPECT_EQ(report.mixed, optimal_mix(*request.prior, 1).risk);
  EXPECT_EQ(report.mixed_m, optimal_mix(*request.prior, 1).m);
  EXPECT_EQ(report.alpha, model.network->parameters().linear_gain);
  EXPECT_LT(report.shape.orthogonality, 1e-2);
  EXPECT_GT(report.shape.diagonal_weight, 0.2);  // √(1/24) at least
  EXPECT_LE(report.shape.diagonal_weight, 1);

  ASSERT_GE(report.history.size(), 50U);
  EXPECT_EQ(report.history.front().first, 0U);
  EXPECT_EQ(report.history.back().first, 120U);
  EXPECT_TRUE(std::ranges::is_sorted(report.history));
  EXPECT_LT(report.history.back().second, report.history.front().second);
}

// The risk is that of the model on other vectors of the law, and what the model predicts of itself.
TEST_F(Training, ItsRiskIsThatOfTheModelOnFreshVectors) {
  for (const TrainedDecoderChoice decoder : {TrainedDecoderChoice(TrainedDecoder::tied),
                                             {TrainedDecoder::tied_rows},
                                             {TrainedDecoder::untied},
                                             {TrainedDecoder::network, 7}}) {
    TrainRequest request = on_prior("sparse-rademacher:0.8", 24, 1.5);
    request.decoder = decoder;
    const auto [model, report] = train(request);
    const auto fresh = synthetic_source(request.prior, 20000, 24, 77);
    const int trained = decoder.kind == TrainedDecoder::network ? 1 : 0;
    const LayerRisk measured = evaluate(model, *fresh, {1, {}}).layers.at(static_cast<std::size_t>(trained));
    EXPECT_GT(report.stderr_, 0);
    EXPECT_NEAR(report.risk, measured.measured, 5 * std::hypot(report.stderr_, measured.stderr_))
        << to_string(decoder) << ", seeds 1 and 77";
    EXPECT_EQ(model.predicted_risk(trained), report.risk);
    EXPECT_EQ(report.alpha.has_value(), decoder == TrainedDecoder::tied);
  }
}

TEST_F(Training, MakesAnOrdinaryModel) {
  TrainRequest request = on_data(12, 1.5);
  const Model model = train(request).model;
  EXPECT_EQ(model.encoder->name(), "trained");
  EXPECT_EQ(model.bits(), 18U);
  EXPECT_EQ(model.scale, ScaleKind::none);
  EXPECT_THAT(model.metadata.at("trained on"), HasSubstr("rows.npy"));
  EXPECT_EQ(model.metadata.at("training"), "straight-through, untied decoder");
  save_model(model, path("m.sfm"));
  const Model again = load_model(path("m.sfm"));
  EXPECT_EQ(model_to_bytes(again), model_to_bytes(model));
  const Matrix<float> x = sparse_rows(50, 12, 5);
  const testing::Encoded encoded = encode_all(model, x);
  EXPECT_TRUE(std::ranges::equal(encode_all(again, x).codes.values(), encoded.codes.values()));
  EXPECT_TRUE(testing::same(decode_all(again, encoded), decode_all(model, encoded)));
}

TEST_F(Training, KeepsAFrozenEncoder) {
  const Matrix<float> x = sparse_rows(50, 12, 5);
  TrainRequest request = on_data(12, 1.5);
  request.steps = 300;
  request.freeze_encoder = true;
  for (const TrainedDecoderChoice decoder :
       {TrainedDecoderChoice(TrainedDecoder::network, 40), TrainedDecoderChoice(TrainedDecoder::untied)}) {
    request.decoder = decoder;
    const auto [model, report] = train(request);
    EXPECT_EQ(model.encoder->name(), "hadamard");
    EXPECT_THAT(model.metadata.at("training"), HasSubstr("decoder, encoder kept"));
    Matrix<float> centred = x.clone();
    for (std::size_t i = 0; i < x.rows(); ++i) {
      for (std::size_t j = 0; j < 12; ++j) centred(i, j) -= static_cast<float>(model.transform.mean[j]);
    }
    Matrix<std::uint8_t> codes(50, code_bytes(18));
    make_encoder("hadamard", {.dim = 12, .bits = 18}, request.seed)->encode(centred, codes);
    const testing::Encoded encoded = encode_all(model, x);
    EXPECT_TRUE(std::ranges::equal(encoded.codes.values(), codes.values()));
    save_model(model, path("m.sfm"));
    EXPECT_TRUE(testing::same(decode_all(load_model(path("m.sfm")), encoded), decode_all(model, encoded)));
  }
}

TEST_F(Training, KeepsTheEncoderOfAFile) {
  TrainRequest request = on_data(12, 1.5);
  const Model first = train(request).model;
  save_model(first, path("first.sfm"));
  request.start = "dense:" + path("first.sfm");
  request.decoder = {TrainedDecoder::network, 10};
  request.network_step_size = 1e-3;  // small enough to gain in so few steps: the best state is not the first
  request.freeze_encoder = true;
  const Model second = train(request).model;
  EXPECT_TRUE(std::ranges::equal(stored_matrix(*second.encoder), stored_matrix(*first.encoder)));
  request.freeze_encoder = false;
  const Model third = train(request).model;
  EXPECT_FALSE(std::ranges::equal(stored_matrix(*third.encoder), stored_matrix(*first.encoder)));

  request.rate = 1;
  expect_error([&] { train(request); }, "first.sfm has 18 bits, a rate of 1 has 12: take rate 1.5");
  request.start = "dense:" + path("none.npy");
  expect_error([&] { train(request); }, "none.npy");
}

// The best step is chosen by vectors that neither training nor the final risk has seen.
TEST_F(Training, HoldsOtherVectorsOutForTheBestNetwork) {
  TrainRequest request = on_data(12, 1.5);
  request.decoder = {TrainedDecoder::network, 200};
  request.steps = 400;  // 16 passes over 369 vectors: enough for 200 hidden units to learn them by heart
  request.network_step_size = 0.02;
  request.decay = Decay::constant;
  const auto [model, report] = train(request);
  const auto best = std::ranges::min_element(report.history, {}, [](const auto& point) { return point.second; });
  ASSERT_LT(best->first, 300U) << "no overfitting, nothing to see";
  // 19 and 21 vectors say how well the chosen network does; the last one is clearly worse.
  EXPECT_LT(report.risk, (best->second + report.history.back().second) / 2 + 5 * report.stderr_);

  request.test = path("rows.npy");
  const Model all = train(request).model;
  // Every 20th of 410 vectors is held out, from the first on: 21 here, and 20 of the others above.
  const Matrix<float> rows = sparse_rows(410, 12, 1);
  double mean = 0;
  for (std::size_t i = 0; i < 410; ++i) {
    if (i % 20 != 0) mean += static_cast<double>(rows(i, 0)) / 389;
  }
  EXPECT_NEAR(all.transform.mean[0], mean, 1e-6);
}

TEST_F(Training, HoldsDataOut) {
  TrainRequest request = on_data(12, 1.5);
  const auto [model, report] = train(request);
  // Every 20th of 410 vectors, from the first on: 21. The mean and the unit are those of the 389 others.
  const Matrix<float> rows = sparse_rows(410, 12, 1);
  Matrix<float> held(21, 12);
  std::vector<double> mean(12);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (i % 20 == 0) std::ranges::copy(rows.row(i), held.row(i / 20).begin());
    for (std::size_t j = 0; j < 12 && i % 20 != 0; ++j) mean[j] += static_cast<double>(rows(i, j)) / 389;
  }
  double energy = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < 12 && i % 20 != 0; ++j)
      energy += std::pow(static_cast<double>(rows(i, j)) - mean[j], 2);
  }
  ASSERT_EQ(model.transform.mean.size(), 12U);
  for (std::size_t j = 0; j < 12; ++j) EXPECT_NEAR(model.transform.mean[j], mean[j], 1e-6);  // rounded to float32
  EXPECT_NEAR(model.unit, std::sqrt(energy / (389 * 12)), 1e-6);
  EXPECT_EQ(risk_on(model, *matrix_source(held, "held out")), report.risk);
  EXPECT_FALSE(report.rotation || report.identity || report.mixed || report.mixed_m || report.alpha);

  // With a file to measure on, no vector of the data is held out.
  request.test = data(12);
  std::filesystem::rename(request.test, path("test.npy"));
  request.test = path("test.npy");
  request.data = data(12, 2);
  const auto [whole, other] = train(request);
  EXPECT_EQ(risk_on(whole, *open_source(request.test)), other.risk);
  const Matrix<float> others = sparse_rows(410, 12, 2);
  double first = 0;
  for (std::size_t i = 0; i < 410; ++i) first += static_cast<double>(others(i, 0)) / 410;
  EXPECT_NEAR(whole.transform.mean[0], first, 1e-6);
}

TEST_F(Training, VectorsInMemoryTrainTheModelOfTheirFile) {
  TrainRequest request = on_data(12, 1.5);
  request.test = request.data;
  const Trained wanted = train(request);
  const Matrix<float> rows = sparse_rows(410, 12, 1);
  const auto source = matrix_source(rows, "rows");
  const auto test = matrix_source(rows, "rows");
  request.data = request.test = "";
  request.vectors = source.get();
  request.test_vectors = test.get();
  const Trained trained = train(request);
  EXPECT_EQ(fingerprint(trained.model), fingerprint(wanted.model));
  EXPECT_EQ(trained.report.risk, wanted.report.risk);
  EXPECT_EQ(trained.model.metadata.at("trained on"), "rows");
}

TEST_F(Training, DoesNotDependOnTheNumberOfThreads) {
  for (TrainRequest request : {on_prior("sparse-rademacher:0.5", 40, 1), on_data(12, 2)}) {
    const std::vector<std::byte> one = model_to_bytes(train(request).model);
    request.threads = 3;
    EXPECT_EQ(model_to_bytes(train(request).model), one);
  }
}

TEST_F(Training, InterruptedAndResumedEndsWithTheSameBytes) {
  TrainRequest population = on_prior("sparse-gaussian:0.3", 12, 1);
  population.method = TrainMethod::population;
  population.masks = 5;
  population.noise = 1e-3;
  TrainRequest rows = on_prior("sparse-rademacher:0.5", 16, 0.5);
  rows.decoder = TrainedDecoder::tied_rows;
  rows.optimizer = OptimizerKind::momentum;
  TrainRequest network = on_data(12, 2);
  network.decoder = {TrainedDecoder::network, 5};
  TrainRequest frozen = network;
  frozen.freeze_encoder = true;
  TrainRequest layers = on_prior("sparse-gaussian:0.2", 16, 1);
  layers.decoder = {TrainedDecoder::layers, 0, 2};
  layers.splines = true;
  TrainRequest frozen_layers = on_data(12, 1);
  frozen_layers.decoder = layers.decoder;
  frozen_layers.freeze_encoder = frozen_layers.own_matrix = true;
  for (const TrainRequest& request :
       {on_prior("sparse-rademacher:0.5", 16, 1), on_data(12, 2), std::move(rows), std::move(network),
        std::move(frozen), std::move(layers), std::move(frozen_layers), std::move(population)}) {
    SCOPED_TRACE(to_string(request.method) + " " + to_string(request.decoder));
    const std::vector<std::byte> whole = model_to_bytes(train(request).model);
    // In the middle; twice; and after the last step, while the decoder is refitted and the risk measured.
    train_until(request, 7);
    EXPECT_EQ(resumed(request), whole);
    EXPECT_EQ(resumed(request), whole) << "a checkpoint can be used again";
    TrainRequest second = request;
    second.resume = true;
    train_until(second, 15);
    EXPECT_EQ(resumed(request), whole);
    if (request.method == TrainMethod::straight_through) {
      train_until(second, kSteps);
      EXPECT_EQ(resumed(request), whole);
    }
    std::filesystem::remove(checkpoint());
  }
}

TEST_F(Training, SavingAlongTheWayChangesNothing) {
  TrainRequest request = on_prior("sparse-rademacher:0.5", 16, 1);
  const std::vector<std::byte> whole = model_to_bytes(train(request).model);
  request.checkpoint = checkpoint();
  request.checkpoint_seconds = 0;  // after every step
  std::size_t step = 0;
  request.progress = [&](const TrainProgress& progress) {
    EXPECT_EQ(saved_step(), progress.step);
    step = progress.step;
  };
  EXPECT_EQ(model_to_bytes(train(request).model), whole);
  EXPECT_EQ(step, kSteps);
  EXPECT_EQ(resumed(request), whole) << "from the very end";
}

TEST_F(Training, ANewRunDoesNotOverwriteAnother) {
  TrainRequest request = on_prior("sparse-rademacher:0.5", 16, 1);
  train_until(request, 5);
  request.checkpoint = checkpoint();
  expect_error([&] { train(request); }, "holds step 5 of a run that did not end: resume that run, or delete the file");
  EXPECT_EQ(saved_step(), 5U);
  testing::write_quickly(checkpoint(), std::as_bytes(std::span("precious", 8)));
  expect_error([&] { train(request); }, "is not a Signfold checkpoint");
}

TEST_F(Training, ResumesOnlyTheSameRun) {
  const TrainRequest request = on_prior("sparse-rademacher:0.5", 16, 1);
  train_until(request, 5);
  const auto expect_refusal = [&](const std::function<void(TrainRequest&)>& change, const std::string& text) {
    TrainRequest other = request;
    change(other);
    expect_error([&] { resumed(other); }, text);
  };
  expect_refusal([](auto& r) { r.seed = 2; }, "its seed is 1, this run's is 2");
  expect_refusal([](auto& r) { r.prior = parse_prior("gaussian"); }, "its vectors is \"sparse-rademacher:0.5\"");
  expect_refusal([](auto& r) { r.batch = 32; }, "its batch is 16, this run's is 32");
  expect_refusal([](auto& r) { r.steps = 30; }, "its steps is 24");
  expect_refusal([](auto& r) { r.decoder = TrainedDecoder::untied; }, "another run");
  expect_refusal([&](auto& r) { r = on_data(16, 1); }, "another run");
  expect_refusal([](auto& r) { r.method = TrainMethod::population, r.prior = parse_prior("gaussian"); }, "its method");
  EXPECT_NO_THROW(resumed(request));
  TrainRequest nowhere = request;
  nowhere.resume = true;
  expect_error([&] { train(nowhere); }, "resuming needs the checkpoint");
  std::filesystem::remove(checkpoint());
  expect_error([&] { resumed(request); }, "cannot read");
}

TEST_F(Training, DivergenceKeepsTheLastGoodCheckpoint) {
  TrainRequest request = on_prior("gaussian", 8, 1);
  request.decoder = TrainedDecoder::untied;
  request.optimizer = OptimizerKind::sgd;
  TrainRequest wild = request;
  wild.step_size = 1e5;
  wild.checkpoint = checkpoint();
  expect_error([&] { train(wild); },
               "take a smaller step size than 100000; " + checkpoint() + " holds the last good state, of step 0");
  // A good run, stopped; then on with a silly step size, saved after every step: the bad states are not.
  train_until(request, 9);
  wild.resume = true;
  wild.checkpoint_seconds = 0;
  expect_error([&] { train(wild); }, "diverged at step 10");
  EXPECT_EQ(saved_step(), 9U);
  EXPECT_EQ(resumed(request), model_to_bytes(train(request).model));
}

TEST_F(Training, WithoutACheckpointWritesNothing) {
  train(on_prior("gaussian", 8, 1));
  EXPECT_TRUE(empty());
  TrainRequest request = on_prior("gaussian", 8, 1);
  request.progress = [](const TrainProgress&) { request_interrupt(); };
  EXPECT_THAT([&] { train(request); }, ThrowsMessage<Error>(HasSubstr("interrupted")));
  EXPECT_TRUE(empty());
}

TEST_F(Training, OnThePopulationRiskNeedsNoSample) {
  TrainRequest request = on_prior("gaussian", 32, 0.5);
  request.method = TrainMethod::population;
  request.steps = 100;
  request.batch = std::nullopt;
  const auto [model, report] = train(request);
  EXPECT_NEAR(report.risk, linear_risk_limit(0.5), 1e-9);
  EXPECT_EQ(report.stderr_, 0);
  EXPECT_NEAR(*report.alpha, linear_gain_limit(0.5), 1e-6);
  EXPECT_LT(report.shape.orthogonality, 1e-4);
  EXPECT_EQ(report.history.back().first, report.steps);
  const auto normal = synthetic_source(request.prior, 20000, 32, 9);
  const LayerRisk linear = evaluate(model, *normal, {1, {}}).layers.front();
  EXPECT_NEAR(linear.measured, report.risk, 5 * linear.stderr_);

  // Stopped early, the best free decoder would be clearly better than the tied one that was asked for.
  TrainRequest early = on_prior("gaussian", 32, 2);
  early.method = TrainMethod::population;
  early.steps = 2;
  const auto [tied, early_report] = train(early);
  const auto many = synthetic_source(early.prior, 20000, 32, 9);
  const LayerRisk risk = evaluate(tied, *many, {1, {}}).layers.front();
  EXPECT_NEAR(risk.measured, early_report.risk, 5 * risk.stderr_);
  early.decoder = TrainedDecoder::untied;
  EXPECT_LT(train(early).report.risk, early_report.risk - 10 * risk.stderr_);

  TrainRequest sparse = on_prior("sparse-gaussian:0.5", 16, 2);
  sparse.method = TrainMethod::population;
  sparse.decoder = TrainedDecoder::untied;
  sparse.masks = 8;
  const auto [free, free_report] = train(sparse);
  EXPECT_FALSE(free_report.alpha);
  EXPECT_GT(free_report.stderr_, 0);
  EXPECT_EQ(free.predicted_risk(0), free_report.risk);
  const auto fresh = synthetic_source(sparse.prior, 20000, 16, 9);
  const LayerRisk measured = evaluate(free, *fresh, {1, {}}).layers.front();
  EXPECT_NEAR(measured.measured, free_report.risk, 5 * std::hypot(measured.stderr_, free_report.stderr_));
}

TEST_F(Training, RefusesWhatMakesNoSense) {
  const auto expect_refusal = [&](TrainRequest request, const std::function<void(TrainRequest&)>& change,
                                  const std::string& text) {
    change(request);
    expect_error([&] { train(request); }, text);
  };
  const TrainRequest prior = on_prior("sparse-rademacher:0.5", 8, 1);
  expect_refusal(
      prior, [](auto& r) { r.prior = nullptr; }, "either a prior or a file");
  expect_refusal(
      prior, [](auto& r) { r.data = "x.npy"; }, "either a prior or a file");
  expect_refusal(
      prior, [](auto& r) { r.dim = 0; }, "number of coordinates");
  expect_refusal(
      prior, [](auto& r) { r.test = "x.npy"; }, "goes with a file");
  expect_refusal(
      prior, [](auto& r) { r.rate = 0; }, "rate");
  expect_refusal(
      prior, [](auto& r) { r.start = "spam"; }, "unknown encoder 'spam'");
  expect_refusal(
      prior, [](auto& r) { r.step_size = -1; }, "step size");
  expect_refusal(
      prior, [](auto& r) { r.dim = 2000000; }, "GB are available; take a lower rate");
  expect_refusal(
      prior, [](auto& r) { r.method = TrainMethod::population; }, "sparse-rademacher:0.5 has no formula");
  const TrainRequest gaussian = on_prior("gaussian", 8, 1);
  expect_refusal(
      gaussian, [](auto& r) { r.method = TrainMethod::population, r.decoder = TrainedDecoder::tied_rows; },
      "tied and untied");
  expect_refusal(
      gaussian, [](auto& r) { r.method = TrainMethod::population, r.dim = 300000; }, "GB are available");
  expect_refusal(
      gaussian, [](auto& r) { r.method = TrainMethod::population, r.freeze_encoder = true; }, "take straight-through");
  expect_refusal(
      gaussian, [](auto& r) { r.freeze_encoder = true; }, "leaves a tied decoder nothing to train");
  expect_refusal(
      gaussian, [](auto& r) { r.method = TrainMethod::population, r.step_size = 0; }, "step size");
  const TrainRequest rows = on_data(8, 1);
  expect_refusal(
      rows, [](auto& r) { r.data = "none.npy"; }, "none.npy");
  expect_refusal(
      rows, [](auto& r) { r.method = TrainMethod::population; }, "data has no formula");
  expect_refusal(
      rows, [](auto& r) { r.rate = 2, r.rows = RowConstraint::orthonormal; }, "cannot be orthonormal");
  std::filesystem::rename(path("rows.npy"), path("eight.npy"));
  expect_refusal(
      on_data(9, 1), [&](auto& r) { r.test = path("eight.npy"); }, "has vectors of 8 coordinates");
}

TEST_F(Training, RefusesDataThatCannotBeLearned) {
  const auto expect_refusal = [&](const Matrix<float>& rows, const std::string& text) {
    NpyWriter writer(path("bad.npy"), rows.rows(), rows.cols());
    writer.write(rows);
    writer.commit();
    TrainRequest request = on_data(4, 1);
    request.data = path("bad.npy");
    expect_error([&] { train(request); }, text);
  };
  Matrix<float> constant(100, 4);
  std::ranges::fill(constant.values(), 3.0F);
  expect_refusal(constant, "all vectors are equal");
  expect_refusal(sparse_rows(39, 4, 1), "39 vectors are too few to train on and to measure with");
  Matrix<float> broken = sparse_rows(100, 4, 1);
  broken(50, 2) = std::numeric_limits<float>::quiet_NaN();
  expect_refusal(broken, "row 50, column 2");
}

TEST(TrainMethods, NamesGoBothWays) {
  for (const TrainMethod method : {TrainMethod::straight_through, TrainMethod::population}) {
    EXPECT_EQ(parse_train_method(to_string(method)), method);
  }
  expect_error([] { parse_train_method("spam"); }, "straight-through, population");
}

TEST_F(Training, LayersAreStoredWithTheRiskTheyHave) {
  for (const bool frozen : {false, true}) {
    TrainRequest request = on_prior("sparse-gaussian:0.2", 24, 1);
    request.decoder = parse_trained_decoder("network:2");
    request.freeze_encoder = frozen;
    const auto [model, report] = train(request);
    EXPECT_EQ(model.network->layers(), 2);
    EXPECT_EQ(model.network->predicted_risk(2), report.risk);
    EXPECT_EQ(model.encoder->name(), frozen ? "hadamard" : "trained");
    const Model loaded = model_from_bytes(model_to_bytes(model), "M.sfm");
    EXPECT_EQ(model_to_bytes(loaded), model_to_bytes(model));
  }
}

TEST_F(Training, RefusesOptionsThatLayersDoNotHave) {
  const auto refuse = [&](const auto& spoil, const char* message) {
    TrainRequest request = on_prior("sparse-gaussian:0.2", 16, 1);
    request.decoder = parse_trained_decoder("network:2");
    spoil(request);
    expect_error([&] { train(request); }, message);
  };
  refuse([](auto& r) { r.optimizer = OptimizerKind::sgd; }, "are trained by adam");
  refuse([](auto& r) { r.weight_decay = 0.1; }, "no weight decay");
  refuse([](auto& r) { r.own_matrix = true; }, "where the encoder is kept");
  refuse([](auto& r) { r.freeze_encoder = true, r.start = "identity"; }, "aligned with the coordinates");
  EXPECT_THROW(parse_trained_decoder("network:0"), Error);
  EXPECT_THROW(parse_trained_decoder("network:"), Error);
}

}  // namespace
}  // namespace signfold
