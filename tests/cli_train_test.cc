// signfold train: what it prints, what it refuses, and how a run that was stopped goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr std::size_t kRows = 300;
constexpr std::size_t kDim = 16;

/// Replaces the value behind an option, or adds both.
std::vector<std::string> with(std::vector<std::string> args, const std::vector<std::string>& changes) {
  for (std::size_t k = 0; k + 1 < changes.size(); k += 2) {
    const auto found = std::ranges::find(args, changes[k]);
    if (found != args.end()) {
      *(found + 1) = changes[k + 1];
    } else {
      args.insert(args.end(), {changes[k], changes[k + 1]});
    }
  }
  return args;
}

std::vector<std::string> without(std::vector<std::string> args, const std::string& option) {
  const auto found = std::ranges::find(args, option);
  args.erase(found, found + 2);
  return args;
}

class Train : public ::testing::Test {
 protected:
  std::vector<std::string> on_prior(const std::vector<std::string>& changes = {}) const {
    return with({"train", "--prior", "sparse-rademacher:0.8", "--dim", std::to_string(kDim), "--rate", "1", "--steps",
                 "60", "--batch", "32", "--threads", "1", "--out", work.path("m.sfm")},
                changes);
  }
  std::vector<std::string> on_data(const std::vector<std::string>& changes = {}) {
    work.write("x.npy", npy_floats(kRows, kDim, sparse_values(kRows * kDim)));
    return with({"train", "--data", work.path("x.npy"), "--rate", "1.5", "--decoder", "untied", "--steps", "60",
                 "--batch", "32", "--threads", "1", "--out", work.path("m.sfm")},
                changes);
  }
  Outcome succeed(const std::vector<std::string>& args) const {
    Outcome outcome = work.run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome;
  }
  Json json(std::vector<std::string> args) const {
    args.emplace_back("--json");
    const Outcome outcome = succeed(args);
    return outcome.code == 0 ? outcome.json() : Json();
  }
  /// One line with the text, code 2, nothing on standard output.
  void expect_mistake(const std::vector<std::string>& args, const std::string& text) const {
    const Outcome outcome = work.run(args);
    SCOPED_TRACE(outcome.err);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("signfold train: "));
    EXPECT_THAT(outcome.err, HasSubstr(text));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  }
  /// Starts a run far too long to end by itself and interrupts it once it has begun.
  Outcome interrupted(const std::vector<std::string>& args) const {
    const pid_t process = work.start(args);
    constexpr int kPatience = 3000;  // times 10 ms: the checkpoint of step 0 is written when training begins
    const timespec pause{0, 10'000'000};
    for (int k = 0; k < kPatience && !work.exists("m.sfm.checkpoint"); ++k) nanosleep(&pause, nullptr);
    nanosleep(&pause, nullptr);
    kill(process, SIGINT);
    return work.finish(process);
  }

  Workplace work;
};

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

TEST_F(Train, JsonHasEveryField) {
  const Json report = json(on_prior());
  EXPECT_THAT(keys(report), ElementsAre("alpha", "diagonal_weight", "history", "model", "orthogonality", "predicted",
                                        "risk", "seconds", "stderr", "steps"));
  EXPECT_THAT(keys(report["predicted"]), ElementsAre("identity", "mixed", "rotation"));
  EXPECT_NEAR(report["predicted"]["rotation"], 0.36338, 1e-5);  // docs/math.md section 4
  EXPECT_NEAR(report["predicted"]["identity"], 0.2, 1e-9);
  EXPECT_NEAR(report["predicted"]["mixed"], 0.17454, 1e-5);
  for (const char* key : {"risk", "stderr", "alpha", "diagonal_weight", "seconds"}) {
    EXPECT_GT(report[key], 0) << key;
    EXPECT_LT(report[key], key == std::string("seconds") ? 60 : 1) << key;
  }
  EXPECT_LT(report["orthogonality"], 0.01);
  EXPECT_EQ(report["steps"], 60);
  EXPECT_EQ(report["model"], work.path("m.sfm"));
  EXPECT_EQ(report["history"][0][0], 0);
  EXPECT_EQ(report["history"].back()[0], 60);
  EXPECT_THAT(work.files(), ElementsAre("m.sfm"));  // no checkpoint is left of a run that ended
}

TEST_F(Train, JsonOfDataHasTheSameFieldsWithoutPredictions) {
  const Json report = json(on_data());
  EXPECT_EQ(keys(report), keys(json(on_prior())));
  EXPECT_THAT(keys(report["predicted"]), ElementsAre("identity", "mixed", "rotation"));
  for (const auto& [name, value] : report["predicted"].items()) EXPECT_TRUE(value.is_null()) << name;
  EXPECT_TRUE(report["alpha"].is_null()) << "an untied decoder has no gain";
}

TEST_F(Train, TextSaysWhatWasLearned) {
  const Outcome prior = succeed(on_prior());
  for (const char* text : {"m.sfm: 16 bits for 16 coordinates, trained on sparse-rademacher:0.8", "risk ", " +- ",
                           "on vectors that training has not seen", "of a rotation   0.363380", "0.200000", "m = 0.984",
                           "gain ", "orthogonality ", "BB'", "diagonal weight ", "steps             60 in"}) {
    EXPECT_THAT(prior.out, HasSubstr(text));
  }
  const Outcome data = succeed(on_data());
  EXPECT_THAT(data.out, HasSubstr("m.sfm: 24 bits for 16 coordinates, trained on "));
  EXPECT_THAT(data.out, HasSubstr("B'B/r"));
  EXPECT_EQ(data.out.find("rotation"), std::string::npos);
  EXPECT_EQ(data.out.find("gain"), std::string::npos);
}

TEST_F(Train, ThePopulationMethodIsExact) {
  const std::vector<std::string> args = {"train",    "--prior",    "gaussian", "--dim",           "40", "--rate", "1",
                                         "--method", "population", "--out",    work.path("m.sfm")};
  const Json report = json(args);
  EXPECT_NEAR(report["risk"], 0.3633802276324187, 1e-9);
  EXPECT_EQ(report["stderr"], 0);
  EXPECT_THAT(succeed(args).out, HasSubstr("risk              0.363380   expected\n"));
}

TEST_F(Train, EveryCommandTakesTheModel) {
  const Json trained = json(on_data({"--test", work.path("x.npy")}));
  const Json eval = Json::parse(succeed({"eval", work.path("m.sfm"), work.path("x.npy"), "--json"}).out);
  EXPECT_EQ(eval["linear"]["measured"], trained["risk"]);
  EXPECT_EQ(eval["linear"]["predicted"], trained["risk"]);
  EXPECT_THAT(succeed({"info", work.path("m.sfm")}).out, HasSubstr("trained, seed 1"));
  succeed({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("x.sfc")});
  succeed({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--out", work.path("back.npy")});
  succeed({"fit", work.path("x.npy"), "--rate", "1", "--encoder", "dense:" + work.path("m.sfm"), "--decoder", "affine",
           "--out", work.path("fitted.sfm")});
  const Json fitted = Json::parse(succeed({"eval", work.path("fitted.sfm"), work.path("x.npy"), "--json"}).out);
  EXPECT_LT(fitted["linear"]["measured"], 1.1 * double(trained["risk"]));  // the same bits, a decoder of the same kind
}

TEST_F(Train, TakesEveryOption) {
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--decoder", "tied-rows"},
                                             {"--decoder", "untied", "--optimizer", "sgd"},
                                             {"--decoder", "network:mlp:8", "--weight-decay", "0.01"},
                                             {"--optimizer", "momentum", "--step-size", "0.02"},
                                             {"--start", "identity", "--rows", "none"},
                                             {"--start", "mixed:0.5"},
                                             {"--start", "random", "--rows", "orthonormal"},
                                             {"--decay", "constant"},
                                             {"--tau", "1"},
                                             {"--tau", "4:0.5"},
                                             {"--seed", "18446744073709551615"},
                                             {"--checkpoint", work.path("run.ckpt")}}) {
    SCOPED_TRACE(more[0] + " " + more[1]);
    const Json report = json(on_prior(more));
    EXPECT_LT(report["risk"], 0.8);
    EXPECT_THAT(work.files(), ElementsAre("m.sfm"));
  }
  const std::vector<std::string> population = without(
      on_prior({"--prior", "sparse-gaussian:0.5", "--method", "population", "--masks", "4", "--noise", "0.001"}),
      "--batch");
  EXPECT_GT(json(population)["stderr"], 0);
}

TEST_F(Train, MistakesAreExplained) {
  expect_mistake({"train"}, "is required");
  expect_mistake(without(on_prior(), "--rate"), "--rate is required");
  expect_mistake(without(on_prior(), "--dim"), "--prior goes with --dim");
  expect_mistake(without(on_prior(), "--prior"), "give either --prior and --dim, or --data");
  expect_mistake(on_prior({"--data", "x.npy"}), "give either --prior and --dim, or --data");
  expect_mistake(on_data({"--dim", "16"}), "--dim goes with --prior");
  expect_mistake(on_prior({"--test", "x.npy"}), "--test goes with --data");
  expect_mistake(on_prior({"--method", "populaton"}), "unknown method 'populaton'; did you mean 'population'?");
  expect_mistake(on_prior({"--method", "spam"}), "there are: straight-through, population");
  expect_mistake(on_prior({"--decoder", "unted"}), "unknown decoder 'unted'; did you mean 'untied'?");
  expect_mistake(on_prior({"--decoder", "rigamp"}), "there are: tied, tied-rows, untied");
  expect_mistake(on_prior({"--optimizer", "adm"}), "unknown optimizer 'adm'; did you mean 'adam'?");
  expect_mistake(on_prior({"--optimizer", "lbfgs"}), "there are: sgd, momentum, adam");
  expect_mistake(on_prior({"--decay", "cosin"}), "did you mean 'cosine'?");
  expect_mistake(on_prior({"--start", "harr"}), "did you mean 'haar'?");
  expect_mistake(on_prior({"--start", "spam"}), "hadamard, haar, identity, mixed:M");
  expect_mistake(on_prior({"--prior", "sparse-rademacer:0.8"}), "did you mean 'sparse-rademacher'?");
  expect_mistake(on_prior({"--optimiser", "adam"}), "did you mean '--optimizer'?");
  expect_mistake(on_prior({"--rows", "unit"}), "there are: none, orthonormal");
  expect_mistake(on_prior({"--rate", "2", "--rows", "orthonormal"}), "cannot be orthonormal");
  for (const char* tau : {"x", "2:", ":2", "1:2:3", "2 "}) {
    expect_mistake(on_prior({"--tau", tau}), "--tau takes a number, or two as in 2:0.5, not");
  }
  for (const char* tau : {"0", "-1", "nan", "inf", "2:0"}) {
    expect_mistake(on_prior({"--tau", tau}), "tau, the width of the smoothed sign, must be positive");
  }
  expect_mistake(on_prior({"--step-size", "0"}), "the step size must be a positive number, not 0");
  expect_mistake(on_prior({"--steps", "0"}), "--steps");
  expect_mistake(on_prior({"--batch", "1"}), "--batch");
  expect_mistake(on_prior({"--seed", "-1"}), "--seed");
  expect_mistake(on_prior({"--rate", "0"}), "--rate must be a positive number");
  expect_mistake(on_prior({"--masks", "3"}), "--masks has no meaning for method straight-through");
  expect_mistake(on_prior({"--prior", "gaussian", "--method", "population"}),
                 "--batch has no meaning for method population");
  expect_mistake(without(on_prior({"--method", "population"}), "--batch"),
                 "the population risk of sparse-rademacher:0.8 has no formula: use method straight-through");
  expect_mistake(on_data({"--data", "none.npy"}), "none.npy");
  EXPECT_THAT(work.files(), ElementsAre("x.npy"));
}

TEST_F(Train, WhatCannotBeWrittenIsKnownBeforeTraining) {
  const std::string many = "1000000000";  // steps that would take days
  expect_mistake(on_prior({"--out", work.path("no/m.sfm"), "--steps", many}), "no/m.sfm");
  expect_mistake(on_prior({"--checkpoint", work.path("no/run.ckpt"), "--steps", many}), "no/run.ckpt");
  EXPECT_THAT(work.files(), IsEmpty());
}

TEST_F(Train, TheModelAndItsCheckpointAreTwoFiles) {
  std::filesystem::create_symlink("m.sfm", work.path("link"));  // to a file that is not there yet
  for (const char* name : {"m.sfm", "./m.sfm", "link"}) {
    expect_mistake(on_prior({"--checkpoint", work.path(name)}),
                   "--out and --checkpoint both name " + work.path("m.sfm") + ": name two files");
  }
  EXPECT_THAT(work.files(), ElementsAre("link"));
}

TEST_F(Train, ACheckpointBehindALinkIsRemovedAndNotTheLink) {
  std::filesystem::create_directory(work.path("scratch"));
  std::filesystem::create_symlink("scratch/c", work.path("c"));
  const Outcome outcome = work.run(on_prior({"--checkpoint", work.path("c")}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(std::filesystem::is_symlink(work.path("c")));
  EXPECT_TRUE(std::filesystem::is_empty(work.path("scratch")));
}

TEST_F(Train, WhatItReadsIsNotReplaced) {
  const std::string data = (on_data(), work.read("x.npy"));
  expect_mistake(on_data({"--out", work.path("x.npy")}), "which is read: name another file");
  expect_mistake(on_data({"--test", work.path("y.npy"), "--out", work.path("y.npy")}), "which is read");
  EXPECT_EQ(work.read("x.npy"), data);
}

TEST_F(Train, ACheckpointThatCannotBeFollowedIsExplained) {
  std::filesystem::create_symlink("circle", work.path("circle"));
  expect_mistake(on_prior({"--checkpoint", work.path("circle")}), "cannot write " + work.path("circle"));
  EXPECT_THAT(work.files(), ElementsAre("circle"));
}

TEST_F(Train, WhatDoesNotFitInMemoryIsRefusedAtOnce) {
  for (const char* method : {"straight-through", "population"}) {
    const Outcome outcome = work.run({"train", "--prior", "gaussian", "--dim", "1000000", "--rate", "1", "--method",
                                      method, "--out", work.path("m.sfm")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("training 1000000 bits for 1000000 coordinates needs "));
    EXPECT_THAT(outcome.err, HasSubstr("take a lower rate, fewer coordinates or a smaller batch"));
    EXPECT_LT(outcome.peak_kb, 200000) << "nothing large was made first";
  }
  EXPECT_THAT(work.files(), IsEmpty());
}

TEST_F(Train, DivergenceNamesTheStepSizeAndTheCheckpointAndGoesOnWithASmallerOne) {
  const std::vector<std::string> args = on_data({"--optimizer", "sgd"});
  const std::string whole = (succeed(args), work.read("m.sfm"));
  std::filesystem::remove(work.path("m.sfm"));
  expect_mistake(with(args, {"--step-size", "1e6"}), "training diverged at step 1: the loss is ");
  expect_mistake(with(args, {"--step-size", "1e6"}), "take a smaller step size than 1000000; " +
                                                         work.path("m.sfm.checkpoint") +
                                                         " holds the last good state, of step 0");
  EXPECT_THAT(work.files(), ElementsAre("m.sfm.checkpoint", "x.npy"));
  std::vector<std::string> again = args;
  again.emplace_back("--resume");
  succeed(again);
  EXPECT_EQ(work.read("m.sfm"), whole);
}

TEST_F(Train, CtrlCWritesACheckpointAndResumingEndsWithTheSameModel) {
  for (const bool data : {false, true}) {
    const std::string steps = "5000";  // about a second
    const std::vector<std::string> args = data ? on_data({"--steps", steps}) : on_prior({"--steps", steps});
    succeed(args);
    const std::string whole = work.read("m.sfm");
    std::filesystem::remove(work.path("m.sfm"));

    const Outcome stopped = interrupted(args);
    SCOPED_TRACE(stopped.err);
    ASSERT_EQ(stopped.code, 130) << "it ended before it could be interrupted, or did not listen";
    EXPECT_EQ(stopped.out, "");
    EXPECT_THAT(stopped.err, StartsWith("signfold train: stopped after step "));
    EXPECT_THAT(stopped.err, HasSubstr(" of 5000; " + work.path("m.sfm.checkpoint") + " holds it: resume to go on"));
    EXPECT_EQ(std::ranges::count(stopped.err, '\n'), 1);
    EXPECT_TRUE(work.exists("m.sfm.checkpoint"));
    EXPECT_FALSE(work.exists("m.sfm"));

    // Another run must not throw it away, and another run's settings must not continue it.
    expect_mistake(args, "of a run that did not end: resume that run, or delete the file");
    std::vector<std::string> resume = with(args, {"--threads", "2"});
    resume.emplace_back("--resume");
    expect_mistake(with(resume, {"--seed", "2"}), "was written by another run: its seed is 1, this run's is 2");
    const Json report = json(resume);
    EXPECT_EQ(report["steps"], 5000);
    EXPECT_EQ(work.read("m.sfm"), whole);
    EXPECT_FALSE(work.exists("m.sfm.checkpoint"));
    std::filesystem::remove(work.path("m.sfm"));
  }
}

TEST_F(Train, ResumingNeedsACheckpoint) {
  std::vector<std::string> args = on_prior();
  args.emplace_back("--resume");
  expect_mistake(args, "m.sfm.checkpoint");
  work.write("m.sfm.checkpoint", "spam");
  expect_mistake(args, "is not a Signfold checkpoint");
}
}  // namespace
}  // namespace signfold::testing
