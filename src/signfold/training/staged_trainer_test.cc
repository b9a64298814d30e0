#include "signfold/training/staged_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/decoder/staged_for_test.h"
#include "signfold/training/checkpoint.h"
#include "signfold/training/start_hidden.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kDim = 20;

/// Vectors on a curved surface of three dimensions: something for hidden units to learn.
Matrix<float> curved_rows(std::size_t rows, std::uint64_t index) {
  Matrix<float> hidden = testing::normal_rows(rows, 3, index);
  const Matrix<float> directions = testing::normal_rows(9, kDim, 77);
  Matrix<float> x(rows, kDim);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) {
      for (std::size_t k = 0; k < 3; ++k) {
        const float v = hidden(i, k);
        x(i, j) += 0.3F * (directions(k, j) * v + directions(3 + k, j) * std::abs(v) +
                           directions(6 + k, j) * std::max(0.0F, v * hidden(i, (k + 1) % 3)));
      }
      x(i, j) -= 0.25F * (directions(3, j) + directions(4, j) + directions(5, j));
    }
  }
  return x;
}

StagedOptions small_options() {
  StagedOptions options;
  options.bits = {9, 15, 12};
  options.hidden = {24, 16, 20};
  options.steps = 120;
  options.joint_steps = 100;
  options.batch = 64;
  return options;
}

struct SmallRun {
  Matrix<float> rows = curved_rows(2000, 1);
  Matrix<float> watched = curved_rows(500, 2);
  std::unique_ptr<Batches> batches = data_batches(rows, 3);
  Team team;
  StagedTrainer trainer;
  explicit SmallRun(const StagedOptions& options, int threads = 2)
      : team(threads), trainer(options, *batches, watched, team) {}

  /// Steps up to `until`, noting the risk where `codec/train` would.
  void go(StagedState& state, std::size_t until, const StagedOptions& options) {
    while (state.step < until) {
      trainer.step(state);
      if (phase_ends(options, state.step) || state.step % 50 == 0) trainer.note(state);
    }
  }
};

bool same(const std::vector<Stage>& a, const std::vector<Stage>& b) {
  return std::ranges::equal(a, b, [](const Stage& s, const Stage& t) {
    return std::ranges::equal(s.encoder.values(), t.encoder.values()) && s.threshold == t.threshold &&
           std::ranges::equal(s.linear.values(), t.linear.values()) &&
           std::ranges::equal(s.in.values(), t.in.values()) && s.bias == t.bias &&
           std::ranges::equal(s.out.values(), t.out.values()) && s.offset == t.offset;
  });
}

TEST(StagedTrainer, EveryStageAndTrainingTogetherLowerTheRisk) {
  const StagedOptions options = small_options();
  SmallRun run(options);
  StagedState state;
  run.go(state, 3 * options.steps, options);
  const std::vector<double> alone = run.trainer.risks(run.trainer.trained(state), run.watched);
  ASSERT_EQ(alone.size(), 3U);
  EXPECT_LT(alone[0], 0.7);
  EXPECT_LT(alone[1], 0.75 * alone[0]);
  EXPECT_LT(alone[2], 0.85 * alone[1]);
  run.go(state, staged_steps(options), options);
  const std::vector<double> together = run.trainer.risks(run.trainer.trained(state), run.watched);
  double gain = 0;  // what training together keeps is the best it has seen, the start included
  for (std::size_t s = 0; s < 3; ++s) gain += std::log(together[s] / alone[s]);
  EXPECT_LT(gain, -0.02) << together[0] << " " << together[1] << " " << together[2] << " after " << alone[0] << " "
                         << alone[1] << " " << alone[2];
}

TEST(StagedTrainer, GoesOnToTheSameBytesFromACheckpointAnywhere) {
  StagedOptions options = small_options();
  options.search_steps = 40;
  options.search_rounds = 2;
  SmallRun whole(options);
  StagedState state;
  whole.go(state, staged_steps(options), options);
  const std::vector<Stage> expected = whole.trainer.trained(state);
  // Inside a stage, at its end, in the middle of training together, where the search begins, and in it.
  for (const std::size_t stop : {70, 120, 121, 240, 360, 361, 410, 460, 461, 480}) {
    StagedState part;
    {
      SmallRun first(options);
      first.go(part, stop, options);
    }
    const Checkpoint checkpoint = to_checkpoint(part, {});
    StagedState resumed = staged_state(checkpoint, options, kDim, "C");
    SmallRun second(options, 1);
    second.go(resumed, staged_steps(options), options);
    EXPECT_TRUE(same(second.trainer.trained(resumed), expected)) << "stopped at " << stop;
    EXPECT_EQ(resumed.history, state.history);
  }
}

TEST(StagedTrainer, DecodersLearnTheBitsThatASearchFinds) {
  StagedOptions options = small_options();
  options.search_steps = 150;
  options.search_rounds = 4;
  SmallRun run(options);
  StagedState state;
  const auto measure = [&](std::size_t rounds) {
    double sum = 0;
    for (const double risk : run.trainer.risks(run.trainer.trained(state), run.watched, rounds)) sum += std::log(risk);
    return sum;
  };
  run.go(state, staged_steps(options) - options.search_steps, options);
  const double signs = measure(0);
  const double found = measure(options.search_rounds);
  EXPECT_LT(found, signs - 0.02);
  run.go(state, staged_steps(options), options);
  EXPECT_LT(measure(options.search_rounds), found - 0.002);
}

TEST(StagedTrainer, OneStageWithoutHiddenUnits) {
  StagedOptions options = small_options();
  options.bits = {13};
  options.hidden = {0};
  options.joint_steps = 20;
  SmallRun run(options);
  StagedState state;
  run.go(state, staged_steps(options), options);
  const std::vector<Stage> stages = run.trainer.trained(state);
  EXPECT_LT(run.trainer.risks(stages, run.watched)[0], 0.7);
  EXPECT_EQ(TrainedStages(run.trainer.trained(state)).bits(), 13U);
}

TEST(StagedTrainer, WeightsOfHiddenUnitsDecayAndNoOthers) {
  StagedOptions options = small_options();
  const auto after_one_step = [&](double decay) {
    options.weight_decay = decay;
    SmallRun run(options);
    StagedState state;
    run.trainer.step(state);
    return std::move(state.stages.front());
  };
  const Stage plain = after_one_step(0);
  const Stage decayed = after_one_step(0.5);
  EXPECT_TRUE(std::ranges::equal(decayed.encoder.values(), plain.encoder.values()));
  EXPECT_TRUE(std::ranges::equal(decayed.linear.values(), plain.linear.values()));
  EXPECT_EQ(decayed.bias, plain.bias);
  Matrix<float> start(9, 24);
  start_hidden(options.seed, 0, start);
  const double part = 0.5 * options.network_step_size / 3;  // of every weight: 9 bits
  for (std::size_t k = 0; k < start.size(); ++k) {
    EXPECT_NEAR(decayed.in.data()[k], plain.in.data()[k] - part * start.data()[k], 1e-6);
  }
}

TEST(StagedTrainer, RefusesWhatMakesNoSense) {
  const auto checked = [](const std::function<void(StagedOptions&)>& change) {
    return [change] {
      StagedOptions options = small_options();
      change(options);
      check_staged(options, kDim);
    };
  };
  EXPECT_NO_THROW(checked([](StagedOptions&) {})());
  EXPECT_THAT(checked([](StagedOptions& o) {
                o.bits = {12, 0};
              }),
              ThrowsMessage<Error>(HasSubstr("stage 2 has no bits")));
  EXPECT_THAT(checked([](StagedOptions& o) {
                o.hidden = {24, 16};
              }),
              ThrowsMessage<Error>(HasSubstr("hidden units for 2 stages, but there are 3")));
  EXPECT_THAT(checked([](StagedOptions& o) { o.steps = 0; }), ThrowsMessage<Error>(HasSubstr("at least one step")));
  EXPECT_THAT(checked([](StagedOptions& o) { o.batch = 1; }), ThrowsMessage<Error>(HasSubstr("too small")));
  EXPECT_THAT(checked([](StagedOptions& o) { o.step_size = -1; }), ThrowsMessage<Error>(HasSubstr("step size")));
  EXPECT_THAT(checked([](StagedOptions& o) { o.weight_decay = -1; }), ThrowsMessage<Error>(HasSubstr("weight decay")));
}

TEST(StagedTrainer, SaysWhenTrainingDiverges) {
  StagedOptions options = small_options();
  options.network_step_size = 1e6;
  SmallRun run(options);
  StagedState state;
  EXPECT_THAT([&] { run.go(state, options.steps, options); },
              ThrowsMessage<Error>(HasSubstr("training diverged at step")));
}

TEST(StagedCheckpoint, RefusesOtherSizes) {
  const StagedOptions options = small_options();
  SmallRun run(options);
  StagedState state;
  run.go(state, 130, options);
  const Checkpoint checkpoint = to_checkpoint(state, {});
  const auto read = [&](const std::function<void(StagedOptions&)>& change) {
    StagedOptions other = options;
    change(other);
    return [&checkpoint, other] { staged_state(checkpoint, other, kDim, "C"); };
  };
  EXPECT_NO_THROW(read([](StagedOptions&) {})());
  EXPECT_THAT(read([](StagedOptions& o) { o.hidden = {25}; }), ThrowsMessage<Error>(HasSubstr("bytes where")));
  EXPECT_THAT(read([](StagedOptions& o) { o.bits = {8}; }), ThrowsMessage<Error>(HasSubstr("2 stages of 1")));
  EXPECT_THAT(read([](StagedOptions& o) { o.steps = 20, o.joint_steps = 0; }),
              ThrowsMessage<Error>(HasSubstr("at step 130 of 60")));
}

}  // namespace
}  // namespace signfold
