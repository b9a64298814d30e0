// Training that several ranks share: the same bytes on all of them, and the numbers of one process but for rounding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"
#include "signfold/base/ranks_for_test.h"
#include "signfold/encoder/dense.h"
#include "signfold/training/checkpoint.h"
#include "signfold/training/straight_through.h"
#include "signfold/training/trainer.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 3;
constexpr std::size_t kBits = 20;
constexpr std::size_t kDim = 24;
constexpr std::size_t kBatch = 37;  // no multiple of anything
const TrainedDecoderChoice kNetwork = {TrainedDecoder::network, 6};

TrainerOptions options_for(TrainedDecoderChoice decoder) {
  TrainerOptions options = default_training(decoder, OptimizerKind::momentum, kBits, kDim);
  options.steps = 4;
  options.batch = kBatch;
  options.seed = kSeed;
  return options;
}

struct Start {
  explicit Start(const TrainerOptions& options)
      : batches(prior_batches(parse_prior("sparse-gaussian:0.3"), kDim, kSeed)),
        team(1),
        state(start_training(options, explicit_matrix(*make_haar({.dim = kDim, .bits = kBits}, kSeed)), *batches,
                             team)) {}
  std::unique_ptr<Batches> batches;
  Team team;
  TrainerState state;
};

/// The states of all ranks after a few steps; 0 ranks = no Ranks at all.
std::vector<TrainerState> train(const TrainerOptions& options, int size) {
  std::vector<std::optional<TrainerState>> states(static_cast<std::size_t>(std::max(size, 1)));
  const auto body = [&](Ranks* ranks) {
    Start start(options);
    Trainer trainer(options, kBits, *start.batches, start.team, ranks);
    while (start.state.step < options.steps) trainer.step(start.state);
    states[ranks == nullptr ? 0 : static_cast<std::size_t>(ranks->rank())] = std::move(start.state);
  };
  if (size == 0) {
    body(nullptr);
  } else {
    ThreadRanks(size).run([&](Ranks& ranks) { body(&ranks); });
  }
  std::vector<TrainerState> out;
  for (auto& state : states) out.push_back(std::move(state.value()));
  return out;
}

bool same_bytes(const TrainerState& a, const TrainerState& b) {
  return to_checkpoint(a, {}).arrays == to_checkpoint(b, {}).arrays && a.loss == b.loss;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, static_cast<double>(std::abs(a[i] - b[i])));
  return largest;
}

class RanksTrain : public ::testing::TestWithParam<TrainedDecoderChoice> {};

TEST_P(RanksTrain, WhatOneProcessTrainsButForRounding) {
  const TrainerOptions options = options_for(GetParam());
  const TrainerState alone = std::move(train(options, 0)[0]);
  EXPECT_TRUE(same_bytes(train(options, 1)[0], alone)) << "one rank is no other than a process alone";
  for (const int size : {2, 3, 4}) {
    SCOPED_TRACE(size);
    const std::vector<TrainerState> states = train(options, size);
    for (const TrainerState& state : states) EXPECT_TRUE(same_bytes(state, states[0]));
    EXPECT_TRUE(same_bytes(train(options, size)[0], states[0])) << "twice the same";
    // Sums of 37 products of numbers near 1, in another order: 37 roundings of 6e-8, four steps of 0.01 to 0.1.
    constexpr double kRounding = 2e-6;
    EXPECT_NEAR(states[0].loss, alone.loss, kRounding);
    EXPECT_LT(largest_difference(states[0].net.encoder.values(), alone.net.encoder.values()), kRounding);
    EXPECT_LT(largest_difference(states[0].net.gain, alone.net.gain), kRounding);
    EXPECT_LT(largest_difference(states[0].net.decoder.values(), alone.net.decoder.values()), kRounding);
    EXPECT_LT(largest_difference(states[0].net.hidden.in.values(), alone.net.hidden.in.values()), kRounding);
    EXPECT_LT(largest_difference(states[0].net.hidden.out.values(), alone.net.hidden.out.values()), kRounding);
    EXPECT_LT(largest_difference(states[0].net.hidden.bias, alone.net.hidden.bias), kRounding);
    EXPECT_LT(largest_difference(states[0].net.hidden.offset, alone.net.hidden.offset), kRounding);
  }
}

TEST_P(RanksTrain, MovesAtAll) {
  const TrainerOptions options = options_for(GetParam());
  const Start start(options);
  const TrainerState end = std::move(train(options, 2)[0]);
  EXPECT_GT(largest_difference(end.net.encoder.values(), start.state.net.encoder.values()), 1e-3)
      << "a thousand times the rounding of the test above";
}

INSTANTIATE_TEST_SUITE_P(Decoders, RanksTrain,
                         ::testing::Values(TrainedDecoderChoice(TrainedDecoder::tied), TrainedDecoder::tied_rows,
                                           TrainedDecoder::untied, kNetwork),
                         [](const auto& test) {
                           std::string name = to_string(test.param);
                           std::erase_if(name, [](char c) { return c == '-' || c == ':'; });
                           return name;
                         });

TEST(Ranks, KeepAGivenEncoder) {
  TrainerOptions options = options_for(TrainedDecoder::untied);
  options.given = make_encoder("hadamard", {.dim = kDim, .bits = kBits}, kSeed);
  const TrainerState alone = std::move(train(options, 0)[0]);
  const TrainerState two = std::move(train(options, 2)[0]);
  EXPECT_LT(largest_difference(two.net.decoder.values(), alone.net.decoder.values()), 2e-6);  // as above
}

TEST(Ranks, HaveTheGradientOfTheWholeBatch) {
  const Start start(options_for(TrainedDecoder::untied));
  Matrix<float> x(kBatch, kDim);
  Team team(1);
  start.batches->fill(0, x, team);
  const auto blank = [] { return blank_state(options_for(TrainedDecoder::untied), kBits, kDim).net; };
  Autoencoder net = blank();
  std::ranges::copy(start.state.net.encoder.values(), net.encoder.values().begin());
  std::ranges::copy(start.state.net.decoder.values(), net.decoder.values().begin());
  Gradient whole = blank();
  const double loss = StraightThrough(TrainedDecoder::untied, kBits, kDim, kBatch, team).gradient(net, x, 1, whole);
  ThreadRanks(2).run([&](Ranks& ranks) {
    const RankShare share = ranks.rank() == 0 ? RankShare{0, 5} : RankShare{5, kBatch - 5};  // any division is right
    Team own(1);
    Autoencoder same = blank();
    std::ranges::copy(net.encoder.values(), same.encoder.values().begin());
    std::ranges::copy(net.decoder.values(), same.decoder.values().begin());
    Gradient gradient = blank();
    StraightThrough pass(TrainedDecoder::untied, kBits, kDim, share.count, own, nullptr, &ranks);
    EXPECT_NEAR(pass.gradient(same, x.view().row_range(share.begin, share.count), 1, gradient), loss, 1e-6 * loss);
    EXPECT_LT(largest_difference(gradient.encoder.values(), whole.encoder.values()), 2e-6);  // 37 roundings of 6e-8
    EXPECT_LT(largest_difference(gradient.decoder.values(), whole.decoder.values()), 2e-6);
  });
}

TEST(Ranks, StartFromTheNumbersOfTheFirst) {
  const Start start(options_for(kNetwork));
  ThreadRanks(2).run([&](Ranks& ranks) {
    TrainerState state = blank_state(options_for(kNetwork), kBits, kDim);
    if (ranks.rank() == 0) state = Start(options_for(kNetwork)).state;
    share_start(state, &ranks);
    EXPECT_TRUE(same_bytes(state, start.state));
  });
}

TEST(Ranks, RefuseABatchWithoutARowForEach) {
  TrainerOptions options = options_for(TrainedDecoder::tied);
  options.batch = 2;
  EXPECT_THAT([&] { train(options, 3); },
              ThrowsMessage<Error>(HasSubstr("a batch of 2 vectors cannot be shared by 3 ranks: take a larger batch")));
  EXPECT_EQ(train(options, 2)[0].step, options.steps);
}

}  // namespace
}  // namespace signfold
