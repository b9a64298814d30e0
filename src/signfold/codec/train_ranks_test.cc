// signfold::train() as several ranks: one model for all of them, one checkpoint, and what is not shared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <optional>

#include "signfold/base/ranks_for_test.h"
#include "signfold/codec/for_test.h"
#include "signfold/codec/train.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class TrainRanks : public testing::CodecFiles {
 protected:
  TrainRequest request(Ranks* ranks = nullptr) const {
    TrainRequest request;
    request.prior = parse_prior("sparse-rademacher:0.5");
    request.dim = 24;
    request.steps = 10;
    request.batch = 30;
    request.threads = 1;
    request.ranks = ranks;
    return request;
  }
};

TEST_F(TrainRanks, MakeOneModelAndOneCheckpoint) {
  const Trained alone = train(request());
  ThreadRanks(2).run([&](Ranks& ranks) {
    TrainRequest own = request(&ranks);
    const std::string name = ranks.rank() == 0 ? "first" : "second";
    own.checkpoint = path(name + ".ckpt");
    const Trained trained = train(own);
    save_model(trained.model, path(name + ".sfm"));
    // Ten steps of 0.01 on sums of 30 products in another order: roundings of 6e-8 each.
    EXPECT_NEAR(trained.report.risk, alone.report.risk, 1e-5);
    EXPECT_NEAR(*trained.report.alpha, *alone.report.alpha, 1e-5);
    ASSERT_EQ(trained.report.history.size(), alone.report.history.size());
    for (std::size_t i = 0; i < alone.report.history.size(); ++i) {
      EXPECT_EQ(trained.report.history[i].first, alone.report.history[i].first);
      EXPECT_NEAR(trained.report.history[i].second, alone.report.history[i].second, 1e-5);
    }
  });
  const auto& history = alone.report.history;
  EXPECT_GT(std::abs(history.back().second - history.front().second), 1e-4) << "there was nothing to compare";
  EXPECT_EQ(read_file(path("first.sfm"), 1 << 20), read_file(path("second.sfm"), 1 << 20));
  EXPECT_TRUE(std::filesystem::exists(path("first.ckpt")));
  EXPECT_FALSE(std::filesystem::exists(path("second.ckpt")));
}

TEST_F(TrainRanks, DoNotShareWhatCannotBe) {
  const auto as_two = [&](auto change) {
    return [this, change] {
      ThreadRanks(2).run([&](Ranks& ranks) {
        TrainRequest own = request(&ranks);
        change(own);
        train(own);
      });
    };
  };
  EXPECT_THAT(as_two([](TrainRequest& own) {
                own.method = TrainMethod::population;
                own.prior = parse_prior("gaussian");
              }),
              ThrowsMessage<Error>(HasSubstr("method population is not shared by ranks: run it without mpirun")));
  EXPECT_THAT(as_two([](TrainRequest& own) {
                own.decoder = {TrainedDecoder::layers, 0, 2};
              }),
              ThrowsMessage<Error>(HasSubstr("the training of network:2 is not shared by ranks")));
  EXPECT_THAT(as_two([](TrainRequest& own) {
                own.stages = {8, 8};
              }),
              ThrowsMessage<Error>(HasSubstr("the training of stages is not shared by ranks")));
}

}  // namespace
}  // namespace signfold
