#include "signfold/training/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/random.h"
#include "signfold/encoder/dense.h"
#include "signfold/training/checkpoint.h"

namespace signfold {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 3;

TrainerOptions small_options(TrainedDecoderChoice decoder, OptimizerKind optimizer, std::size_t bits, std::size_t dim) {
  TrainerOptions options = default_training(decoder, optimizer, bits, dim);
  options.steps = 8;
  options.batch = 16;
  options.tau_end = 0.5;
  options.seed = kSeed;
  return options;
}

std::unique_ptr<Batches> sparse_batches(std::size_t dim) {
  return prior_batches(parse_prior("sparse-rademacher:0.5"), dim, kSeed);
}

Matrix<float> gaussian_rows(std::size_t bits, std::size_t dim) {
  Matrix<float> rows(bits, dim);
  RandomStream stream(kSeed, Purpose::test);
  for (float& v : rows.values()) v = static_cast<float>(stream.normal());
  return rows;
}

/// A run from its start to step `steps`, on a given number of threads.
TrainerState run(const TrainerOptions& options, std::size_t bits, std::size_t dim, std::size_t steps, int threads) {
  Team team(threads);
  const std::unique_ptr<Batches> batches = sparse_batches(dim);
  TrainerState state = start_training(options, gaussian_rows(bits, dim), *batches, team);
  Trainer trainer(options, bits, *batches, team);
  while (state.step < steps) trainer.step(state);
  return state;
}

void expect_same(const TrainerState& a, const TrainerState& b) {
  const Checkpoint left = to_checkpoint(a, {});
  const Checkpoint right = to_checkpoint(b, {});
  EXPECT_EQ(left.progress, right.progress);
  for (const auto& [name, bytes] : left.arrays) EXPECT_TRUE(right.arrays.at(name) == bytes) << name;
  EXPECT_EQ(left.arrays.size(), right.arrays.size());
}

using Choice = std::tuple<TrainedDecoderChoice, OptimizerKind>;
const TrainedDecoderChoice kNetwork = {TrainedDecoder::network, 6};
class EveryTrainer : public ::testing::TestWithParam<Choice> {};

TEST_P(EveryTrainer, GoesOnFromAFileToTheSameBytes) {
  const auto [decoder, optimizer] = GetParam();
  constexpr std::size_t kBits = 9;
  constexpr std::size_t kDim = 13;
  const TrainerOptions options = small_options(decoder, optimizer, kBits, kDim);
  const TrainerState whole = run(options, kBits, kDim, options.steps, 1);

  const TemporaryFolder folder;
  const std::string path = folder.path("run.ckpt");
  save_checkpoint(to_checkpoint(run(options, kBits, kDim, 3, 1), {}), path);
  TrainerState state = trainer_state(load_checkpoint(path), options, kBits, kDim, path);
  ASSERT_EQ(state.step, 3U);
  Team team(1);
  const std::unique_ptr<Batches> batches = sparse_batches(kDim);
  Trainer trainer(options, kBits, *batches, team);
  while (state.step < options.steps) trainer.step(state);
  expect_same(state, whole);
}

TEST_P(EveryTrainer, DoesNotDependOnTheNumberOfThreads) {
  const auto [decoder, optimizer] = GetParam();
  constexpr std::size_t kBits = 150;  // more than any block of rows that a thread takes at a time
  constexpr std::size_t kDim = 160;
  TrainerOptions options = small_options(decoder, optimizer, kBits, kDim);
  options.batch = 300;
  const TrainerState one = run(options, kBits, kDim, 3, 1);
  for (const int threads : {2, 3}) {
    SCOPED_TRACE(threads);
    expect_same(run(options, kBits, kDim, 3, threads), one);
  }
}

TEST_P(EveryTrainer, KeepsItsRowsOnTheSphere) {
  const auto [decoder, optimizer] = GetParam();
  TrainerOptions options = small_options(decoder, optimizer, 9, 13);
  options.rows = RowConstraint::none;
  const TrainerState state = run(options, 9, 13, 8, 1);
  for (std::size_t i = 0; i < 9; ++i) {
    double norm = 0;
    for (const float v : state.net.encoder.row(i)) norm += static_cast<double>(v) * static_cast<double>(v);
    EXPECT_NEAR(norm, 1, 1e-6) << "row " << i << ": float32 rounding of 13 squares";
  }
}

TEST_P(EveryTrainer, LearnsWithItsDefaults) {
  const auto [decoder, optimizer] = GetParam();
  constexpr std::size_t kDim = 16;
  TrainerOptions options = default_training(decoder, optimizer, kDim, kDim);
  options.steps = 1500;
  options.batch = 128;
  Team team(1);
  const std::unique_ptr<Batches> batches = prior_batches(parse_prior("sparse-rademacher:0.9"), kDim, kSeed);
  Matrix<float> fresh(1000, kDim);
  batches->fill(1 << 30, fresh, team);
  TrainerState state = start_training(options, explicit_matrix(*make_haar({kDim, kDim}, kSeed)), *batches, team);
  Trainer trainer(options, kDim, *batches, team);
  const double before = trainer.risk(state, fresh);
  while (state.step < options.steps) trainer.step(state);
  // A rotation has .36 and the identity .10; in 1500 steps each of them comes most of the way.
  EXPECT_GT(before, 0.3);
  EXPECT_LT(trainer.risk(state, fresh), 0.2) << "seed " << kSeed;
  EXPECT_LT(state.loss, 0.25);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, EveryTrainer,
    ::testing::Combine(::testing::Values(TrainedDecoderChoice(TrainedDecoder::tied), TrainedDecoder::tied_rows,
                                         kNetwork, TrainedDecoder::untied),
                       ::testing::Values(OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adam)),
    [](const auto& test) {
      std::string name = to_string(std::get<0>(test.param)) + to_string(std::get<1>(test.param));
      std::erase_if(name, [](char c) { return c == '-' || c == ':'; });
      return name;
    });

TEST(Trainer, KeepsAGivenEncoderAndTrainsTheDecoder) {
  constexpr std::size_t kDim = 12;
  constexpr std::size_t kBits = 18;
  for (const TrainedDecoderChoice decoder : {kNetwork, TrainedDecoderChoice(TrainedDecoder::untied)}) {
    SCOPED_TRACE(to_string(decoder));
    TrainerOptions options = default_training(decoder, OptimizerKind::adam, kBits, kDim);
    options.given = make_encoder("hadamard", {.dim = kDim, .bits = kBits}, kSeed);
    options.steps = 1000;
    options.batch = 64;
    Team team(1);
    const std::unique_ptr<Batches> batches = sparse_batches(kDim);
    Matrix<float> fresh(4000, kDim);
    batches->fill(1 << 30, fresh, team);
    TrainerState state = start_training(options, {}, *batches, team);
    Trainer trainer(options, kBits, *batches, team);
    const double fitted = trainer.risk(state, fresh);  // 0.27: least squares, which training now has to find again
    std::ranges::fill(state.net.decoder.values(), 0.0F);
    ASSERT_NEAR(trainer.risk(state, fresh), 1, 1e-6);
    while (state.step < options.steps) trainer.step(state);
    EXPECT_LT(trainer.risk(state, fresh), 1.05 * fitted) << "seed " << kSeed;
    EXPECT_TRUE(state.net.encoder.empty());
    EXPECT_EQ(state.net.bits(), kBits);
    EXPECT_EQ(state.net.dim(), kDim);
  }
}

TEST(Trainer, KeepsTheBestNetworkOnly) {
  TrainerState state = run(small_options(kNetwork, OptimizerKind::adam, 9, 13), 9, 13, 2, 1);
  EXPECT_EQ(&trained_net(state), &state.net);
  keep_best(state, 0.5);
  ASSERT_EQ(&trained_net(state), &state.best);
  const std::vector<float> best(state.net.hidden.out.values().begin(), state.net.hidden.out.values().end());
  EXPECT_TRUE(std::ranges::equal(state.best.encoder.values(), state.net.encoder.values()));
  EXPECT_TRUE(std::ranges::equal(state.best.decoder.values(), state.net.decoder.values()));
  EXPECT_TRUE(std::ranges::equal(state.best.hidden.in.values(), state.net.hidden.in.values()));
  EXPECT_EQ(state.best.hidden.bias, state.net.hidden.bias);
  EXPECT_EQ(state.best.hidden.offset, state.net.hidden.offset);
  for (float& v : state.net.hidden.out.values()) v += 1;
  for (const double no_better : {0.5, 0.7, std::nan("")}) keep_best(state, no_better);
  EXPECT_TRUE(std::ranges::equal(state.best.hidden.out.values(), best));
  keep_best(state, 0.4);
  EXPECT_TRUE(std::ranges::equal(state.best.hidden.out.values(), state.net.hidden.out.values()));

  TrainerState linear = run(small_options(TrainedDecoder::untied, OptimizerKind::adam, 9, 13), 9, 13, 2, 1);
  keep_best(linear, 0.5);
  EXPECT_EQ(&trained_net(linear), &linear.net);
}

TEST(Trainer, OrthonormalRowsStayOrthonormal) {
  for (const std::size_t bits : {7, 24}) {
    TrainerOptions options = small_options(TrainedDecoder::tied, OptimizerKind::adam, bits, 24);
    ASSERT_EQ(options.rows, RowConstraint::orthonormal);
    options.step_size = 0.1;  // ten times the default
    Team team(1);
    const std::unique_ptr<Batches> batches = sparse_batches(24);
    TrainerState state = start_training(options, gaussian_rows(bits, 24), *batches, team);
    EXPECT_GT(describe_encoder(state.net.encoder).orthogonality, 0.1) << "random rows are not orthogonal";
    Trainer trainer(options, bits, *batches, team);
    while (state.step < options.steps) {
      trainer.step(state);
      EXPECT_LT(describe_encoder(state.net.encoder).orthogonality, 1e-2) << "step " << state.step;
    }
    // The last steps of a cosine decay are short: what they leave is a few times the square of their length.
    EXPECT_LT(describe_encoder(state.net.encoder).orthogonality, 1e-3);
  }
}

TEST(Trainer, WithoutTheConstraintRowsGoWhereTheyLike) {
  TrainerOptions options = small_options(TrainedDecoder::tied, OptimizerKind::adam, 24, 24);
  options.rows = RowConstraint::none;
  EXPECT_GT(describe_encoder(run(options, 24, 24, 8, 1).net.encoder).orthogonality, 0.1);
}

TEST(Trainer, RiskIsErrorOverEnergy) {
  constexpr std::size_t kBits = 5;
  constexpr std::size_t kDim = 8;
  const TrainerOptions options = small_options(TrainedDecoder::untied, OptimizerKind::sgd, kBits, kDim);
  const TrainerState state = run(options, kBits, kDim, 2, 1);
  Team team(1);
  const std::unique_ptr<Batches> batches = sparse_batches(kDim);
  Matrix<float> x(3 * options.batch - 5, kDim);  // not a multiple of the batch
  batches->fill(1000, x, team);
  double error = 0;
  double energy = 0;
  for (std::size_t k = 0; k < x.rows(); ++k) {
    std::vector<double> left(x.row(k).begin(), x.row(k).end());
    for (const double v : left) energy += v * v;
    for (std::size_t i = 0; i < kBits; ++i) {
      double u = 0;
      for (std::size_t j = 0; j < kDim; ++j) u += static_cast<double>(state.net.encoder(i, j) * x(k, j));
      for (std::size_t j = 0; j < kDim; ++j)
        left[j] -= (u >= 0 ? 1 : -1) * static_cast<double>(state.net.decoder(i, j));
    }
    for (const double v : left) error += v * v;
  }
  Trainer trainer(options, kBits, *batches, team);
  EXPECT_NEAR(trainer.risk(state, x), error / energy, 1e-6) << "float32 sums";
  Matrix<float> zeros(4, kDim);
  EXPECT_EQ(trainer.risk(state, zeros), 0);
}

TEST(Trainer, StartsWithTheDecoderThatFitsItsRows) {
  Team team(1);
  const std::unique_ptr<Batches> batches = prior_batches(parse_prior("gaussian"), 32, kSeed);
  for (const TrainedDecoder decoder : {TrainedDecoder::tied, TrainedDecoder::tied_rows, TrainedDecoder::untied}) {
    const TrainerOptions options = default_training(decoder, OptimizerKind::adam, 32, 32);
    Matrix<float> rows = explicit_matrix(*make_haar({32, 32}, kSeed));
    for (float& v : rows.values()) v *= 3;  // any norm will do
    const TrainerState state = start_training(options, rows, *batches, team);
    Matrix<float> fresh(2000, 32);
    batches->fill(1 << 30, fresh, team);
    // 1 − 2/π: the risk of an orthonormal encoder at any dimension. 2000 vectors of 32 coordinates measure it with a
    // standard error of .0013 (the delta method); the free decoder was fitted to 2000 others, which costs it 1.6 %.
    EXPECT_NEAR(Trainer(options, 32, *batches, team).risk(state, fresh), 0.36338,
                5 * 0.0013 + (decoder == TrainedDecoder::untied ? 0.007 : 0.001))
        << to_string(decoder) << ", seed " << kSeed;
  }
}

TEST(Trainer, DivergenceIsAnErrorWithTheRemedy) {
  TrainerOptions options = small_options(TrainedDecoder::untied, OptimizerKind::sgd, 8, 8);
  options.step_size = 1e4;
  EXPECT_THAT([&] { run(options, 8, 8, options.steps, 1); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("training diverged at step 1"), HasSubstr("take a smaller step size than 10000"))));
  options.step_size = 1e38;  // not a number after one step
  EXPECT_THAT([&] { run(options, 8, 8, options.steps, 1); }, ThrowsMessage<Error>(HasSubstr("training diverged")));
}

TEST(Trainer, AsksForMemoryBeforeItTakesIt) {
  const TrainerOptions options = default_training(TrainedDecoder::tied, OptimizerKind::adam, 1000000, 1000000);
  EXPECT_GT(training_bytes(options, 1000000, 1000000), 1e13);
  Team team(1);
  const std::unique_ptr<Batches> batches = sparse_batches(1000000);
  EXPECT_THAT([&] { Trainer(options, 1000000, *batches, team); },
              ThrowsMessage<Error>(AllOf(HasSubstr("training 1000000 bits for 1000000 coordinates"), HasSubstr(" GB "),
                                         HasSubstr("take a lower rate"))));
}

TEST(TrainingOptions, DefaultsMakeSenseForEveryKindAndShape) {
  for (const TrainedDecoder decoder : {TrainedDecoder::tied, TrainedDecoder::tied_rows, TrainedDecoder::untied}) {
    for (const OptimizerKind optimizer : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adam}) {
      for (const std::size_t bits : {1, 10, 11, 30}) {
        const TrainerOptions options = default_training(decoder, optimizer, bits, 10);
        EXPECT_NO_THROW(check_training(options, bits, 10));
        EXPECT_EQ(options.decoder, decoder);
        EXPECT_EQ(options.optimizer, optimizer);
        EXPECT_EQ(options.rows == RowConstraint::orthonormal, decoder != TrainedDecoder::untied && bits <= 10);
      }
    }
  }
}

TEST(TrainingOptions, NonsenseIsNamed) {
  const auto expect_refusal = [](const std::function<void(TrainerOptions&)>& change, const std::string& text,
                                 std::size_t bits = 4) {
    TrainerOptions options;
    change(options);
    EXPECT_THAT([&] { check_training(options, bits, 4); }, ThrowsMessage<Error>(HasSubstr(text)));
  };
  expect_refusal([](auto&) {}, "at least one bit", 0);
  expect_refusal([](auto& o) { o.steps = 0; }, "at least one step");
  expect_refusal([](auto& o) { o.batch = 1; }, "a batch of 1 is too small");
  for (const double bad : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    expect_refusal([&](auto& o) { o.step_size = bad; }, "step size");
    expect_refusal([&](auto& o) { o.tau = bad; }, "tau");
    expect_refusal([&](auto& o) { o.tau_end = bad; }, "tau");
  }
  expect_refusal([](auto& o) { o.rows = RowConstraint::orthonormal; }, "5 rows of 4 numbers cannot be orthonormal", 5);
  const EncoderPtr given = make_encoder("identity", {.dim = 4, .bits = 4}, 1);
  expect_refusal([&](auto& o) { o.given = given; }, "take untied or network:mlp:H, or fit a model");
  expect_refusal([&](auto& o) { o.given = given, o.decoder = kNetwork; }, "an encoder of 4 bits for 4 coordinates", 3);
  expect_refusal([&](auto& o) { o.given = given, o.decoder = kNetwork, o.rows = RowConstraint::orthonormal; },
                 "cannot be constrained");
}

TEST(TrainingOptions, NamesGoBothWays) {
  for (const RowConstraint rows : {RowConstraint::none, RowConstraint::orthonormal}) {
    EXPECT_EQ(parse_row_constraint(to_string(rows)), rows);
  }
  EXPECT_THAT([] { parse_row_constraint("unit"); }, ThrowsMessage<Error>(HasSubstr("none, orthonormal")));
}

}  // namespace
}  // namespace signfold
