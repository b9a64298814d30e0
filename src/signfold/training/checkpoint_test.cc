#include "signfold/training/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <span>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 11;
constexpr std::size_t kBits = 3;
constexpr std::size_t kDim = 5;
const std::string kName = "run.ckpt";  // stands for the path in messages
const json kSettings = {{"method", "straight-through"}, {"seed", 18446744073709551615U}, {"tau", 0.1}};

class Checkpoints : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path("run.ckpt"); }

  Checkpoint through_a_file(const Checkpoint& checkpoint) const {
    save_checkpoint(checkpoint, path());
    return load_checkpoint(path());
  }
  std::vector<std::byte> file() const { return read_file(path(), 1 << 20); }
  void replace_file(std::span<const std::byte> bytes) const {
    std::ofstream out(path(), std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  TemporaryFolder folder_;
};

/// Numbers without a pattern, also subnormal and negative zero.
template <class T>
void fill(std::uint64_t index, std::span<T> values) {
  RandomStream stream(kSeed, Purpose::test, index);
  for (T& v : values) v = static_cast<T>(stream.normal());
  if (values.size() > 1) values[0] = T{-0.0};
  if (values.size() > 2) values[1] = std::numeric_limits<T>::denorm_min();
}

TrainerState some_state(const TrainerOptions& options) {
  TrainerState state = blank_state(options, kBits, kDim);
  state.step = 7;
  state.loss = 1.0 / 3;
  state.history = {{0, 0.1}, {5, 0.7}};
  Autoencoder& net = state.net;
  std::uint64_t index = 0;
  for (Matrix<float>* matrix : {&net.encoder, &net.decoder, &net.hidden.in, &net.hidden.out}) {
    fill(index++, matrix->values());
  }
  for (std::vector<float>* vector : {&net.gain, &net.hidden.bias, &net.hidden.offset})
    fill(index++, std::span(*vector));
  if (options.decoder.kind == TrainedDecoder::network) {
    keep_best(state, 0.1 + 0.2);
    for (float& v : net.encoder.values()) v = -v;
  }
  for (Optimizer* optimizer :
       {&state.encoder, &state.decoder, &state.hidden_in, &state.hidden_bias, &state.hidden_out, &state.offset}) {
    fill(index++, optimizer->first.values());
    fill(index++, optimizer->second.values());
  }
  return state;
}

PopulationState some_population() {
  PopulationState state{
      .step = 9, .step_size = 0.1, .risk = 1.0 / 7, .converged = true, .rows = Matrix<double>(kBits, kDim)};
  fill(9, state.rows.values());
  return state;
}

/// What is written of two states is the same: names, progress and every byte of every array.
void expect_same(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.settings, b.settings);
  EXPECT_EQ(a.progress, b.progress);
  EXPECT_TRUE(a.arrays == b.arrays);
}

TEST_F(Checkpoints, KeepEveryBitOfATrainersState) {
  const TrainedDecoderChoice network = {TrainedDecoder::network, 4};
  for (const TrainedDecoderChoice decoder :
       {TrainedDecoderChoice(TrainedDecoder::tied), {TrainedDecoder::tied_rows}, {TrainedDecoder::untied}, network}) {
    for (const OptimizerKind optimizer : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adam}) {
      SCOPED_TRACE(to_string(decoder) + " " + to_string(optimizer));
      TrainerOptions options;
      options.decoder = decoder;
      options.optimizer = optimizer;
      const Checkpoint written = to_checkpoint(some_state(options), kSettings);
      const Checkpoint read = through_a_file(written);
      expect_same(read, written);
      const TrainerState state = trainer_state(read, options, kBits, kDim, kName);
      EXPECT_EQ(state.step, 7U);
      EXPECT_EQ(state.loss, 1.0 / 3);
      EXPECT_EQ(state.best_risk, decoder == network ? 0.1 + 0.2 : std::numeric_limits<double>::infinity());
      expect_same(to_checkpoint(state, kSettings), written);
    }
  }
}

TEST_F(Checkpoints, LeaveOutAnEncoderThatIsKept) {
  TrainerOptions options;
  options.decoder = {TrainedDecoder::network, 4};
  options.given = make_encoder("hadamard", {.dim = kDim, .bits = kBits}, kSeed);
  const Checkpoint written = to_checkpoint(some_state(options), kSettings);
  EXPECT_FALSE(written.arrays.contains("encoder") || written.arrays.contains("best encoder") ||
               written.arrays.contains("encoder first"));
  EXPECT_TRUE(written.arrays.contains("best decoder"));
  expect_same(to_checkpoint(trainer_state(through_a_file(written), options, kBits, kDim, kName), kSettings), written);
}

TEST_F(Checkpoints, KeepEveryBitOfAPopulationState) {
  const Checkpoint written = to_checkpoint(some_population(), kSettings);
  const Checkpoint read = through_a_file(written);
  expect_same(read, written);
  expect_same(to_checkpoint(population_state(read, kBits, kDim, kName), kSettings), written);
}

TEST_F(Checkpoints, ReplaceTheOneBeforeAndLeaveNothingElse) {
  TrainerState state = some_state({});
  save_checkpoint(to_checkpoint(state, kSettings), path());
  ++state.step;
  save_checkpoint(to_checkpoint(state, kSettings), path());
  EXPECT_EQ(load_checkpoint(path()).progress.at("step"), 8);
  const auto parent = std::filesystem::path(path()).parent_path();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(parent), std::filesystem::directory_iterator()), 1);
}

TEST_F(Checkpoints, RefuseEveryTruncation) {
  save_checkpoint(to_checkpoint(some_population(), {}), path());
  const std::vector<std::byte> whole = file();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    replace_file(std::span(whole).first(size));
    EXPECT_THAT([&] { load_checkpoint(path()); }, ThrowsMessage<Error>(HasSubstr(path()))) << size << " bytes";
  }
  std::vector<std::byte> longer = whole;
  longer.push_back(std::byte{0});
  replace_file(longer);
  EXPECT_THAT([&] { load_checkpoint(path()); }, ThrowsMessage<Error>(HasSubstr("truncated or damaged")));
  replace_file(whole);
  EXPECT_NO_THROW(load_checkpoint(path()));
}

TEST_F(Checkpoints, RefuseEveryChangedByte) {
  save_checkpoint(to_checkpoint(some_population(), {}), path());
  const std::vector<std::byte> whole = file();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::byte change : {std::byte{1}, std::byte{0x80}}) {
      std::vector<std::byte> damaged = whole;
      damaged[at] ^= change;
      replace_file(damaged);
      EXPECT_THAT([&] { load_checkpoint(path()); },
                  ThrowsMessage<Error>(AllOf(HasSubstr(path()), Not(HasSubstr("\n")))))
          << "byte " << at;
    }
  }
}

TEST_F(Checkpoints, SayWhatElseAFileIs) {
  const auto message_of = [&](const std::string& text) {
    replace_file(std::as_bytes(std::span(text.data(), text.size())));
    try {
      load_checkpoint(path());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message_of("SIGNFOLDM\r\n\x1a and a model"), HasSubstr("is not a Signfold checkpoint"));
  EXPECT_THAT(message_of(""), HasSubstr("is not a Signfold checkpoint"));
  save_checkpoint(to_checkpoint(some_population(), {}), path());
  std::vector<std::byte> newer = file();
  newer[12] = std::byte{2};
  replace_file(newer);
  EXPECT_THAT([&] { load_checkpoint(path()); }, ThrowsMessage<Error>(HasSubstr("of version 2; this program reads")));
  std::filesystem::remove(path());
  EXPECT_THAT([&] { load_checkpoint(path()); }, ThrowsMessage<Error>(HasSubstr("cannot read " + path())));
}

TEST(CheckpointSettings, MustAgree) {
  const Checkpoint checkpoint = to_checkpoint(some_population(), kSettings);
  EXPECT_NO_THROW(check_settings(checkpoint, kSettings, kName));
  const auto expect_refusal = [&](const char* name, const json& value, const char* message) {
    json other = kSettings;
    other[name] = value;
    EXPECT_THAT([&] { check_settings(checkpoint, other, kName); },
                ThrowsMessage<Error>(AllOf(StartsWith(kName + " was written by another run: "), HasSubstr(message))));
  };
  expect_refusal("seed", 3, "its seed is 18446744073709551615, this run's is 3");
  expect_refusal("method", "population", R"(its method is "straight-through", this run's is "population")");
  expect_refusal("batch", 10, "its batch is null, this run's is 10");
  Checkpoint bare = to_checkpoint(some_population(), {});
  bare.settings = json::array();
  EXPECT_THAT([&] { check_settings(bare, kSettings, kName); }, ThrowsMessage<Error>(HasSubstr("another run")));
}

/// Expects that reading the states from a checkpoint changed by `damage` is an Error with the text.
void expect_refused(const std::function<void(Checkpoint&)>& damage, const std::string& text) {
  TrainerOptions options;
  options.decoder = TrainedDecoder::untied;
  Checkpoint trained = to_checkpoint(some_state(options), kSettings);
  damage(trained);
  EXPECT_THAT([&] { trainer_state(trained, options, kBits, kDim, kName); },
              ThrowsMessage<Error>(AllOf(StartsWith(kName), HasSubstr(text))));
}

TEST(CheckpointState, NeedsEveryArrayInItsSize) {
  for (const char* name :
       {"encoder", "decoder", "encoder first", "encoder second", "decoder first", "decoder second"}) {
    const std::string array = "the array '" + std::string(name) + "' has ";
    expect_refused([&](Checkpoint& c) { c.arrays.erase(name); }, array + "0 bytes where 60 belong");
    expect_refused([&](Checkpoint& c) { c.arrays.at(name).pop_back(); }, array + "59 bytes where 60 belong");
  }
  Checkpoint population = to_checkpoint(some_population(), kSettings);
  EXPECT_THAT([&] { population_state(population, kBits + 1, kDim, kName); },
              ThrowsMessage<Error>(HasSubstr("'rows' has 120 bytes where 160 belong")));
  population.arrays.clear();
  EXPECT_THAT([&] { population_state(population, kBits, kDim, kName); },
              ThrowsMessage<Error>(HasSubstr("'rows' has 0 bytes")));
}

TEST(CheckpointState, NeedsItsProgress) {
  for (const char* name : {"step", "loss", "history"}) {
    const std::string text = "no usable '" + std::string(name) + "'";
    expect_refused([&](Checkpoint& c) { c.progress.erase(name); }, text);
    expect_refused([&](Checkpoint& c) { c.progress[name] = "spam"; }, text);
  }
  expect_refused([](Checkpoint& c) { c.progress = 3; }, "no usable 'step'");
  expect_refused([](Checkpoint& c) { c.progress["step"] = 8001; }, "is at step 8001 of 8000");
  for (const char* name : {"step", "step size", "risk", "converged"}) {
    Checkpoint population = to_checkpoint(some_population(), kSettings);
    population.progress.erase(name);
    EXPECT_THAT([&] { population_state(population, kBits, kDim, kName); },
                ThrowsMessage<Error>(HasSubstr("no usable '" + std::string(name) + "'")));
  }
}

}  // namespace
}  // namespace signfold
