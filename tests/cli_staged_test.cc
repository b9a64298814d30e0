// Codes in stages from outside: trained, encoded, cut and decoded; what is refused; a run that was stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <ctime>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr std::size_t kRows = 600;
constexpr std::size_t kDim = 24;

/// Vectors around 1 that are nearly combinations of four directions, from a fixed recipe.
std::vector<float> correlated_values() {
  std::uint32_t state = 99;
  const auto number = [&] {  // between -1 and 1
    state = state * 1664525U + 1013904223U;
    return static_cast<float>(state >> 8) / static_cast<float>(1U << 23) - 1.0F;
  };
  constexpr std::size_t kDirections = 4;
  std::vector<float> directions(kDirections * kDim);
  for (float& v : directions) v = number();
  std::vector<float> values(kRows * kDim);
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) values[i * kDim + j] = 1.0F + 0.2F * number();
    for (std::size_t f = 0; f < kDirections; ++f) {
      const float weight = number();
      for (std::size_t j = 0; j < kDim; ++j) values[i * kDim + j] += weight * directions[f * kDim + j];
    }
  }
  return values;
}

/// The same file as images of 4 x 6 pixels.
std::string as_images(std::string npy) {
  const std::string flat = "(600, 24), }";
  const std::string images = "(600, 4, 6), }";
  npy.replace(npy.find(flat), flat.size(), images);
  return npy.erase(npy.find('\n') - 2, 2);  // spaces, so that the header keeps its length
}

class Staged : public ::testing::Test {
 protected:
  void SetUp() override { work.write("x.npy", npy_floats(kRows, kDim, values)); }

  Words training(const Words& more = {}, const std::string& stages = "9,15,8") const {
    Words args = {"train", "--data", work.path("x.npy"), "--stages", stages, "--hidden",
                  "16",    "--out",  work.path("m.sfm")};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  Json train(const Words& more = {}) const {
    Words args = training({"--epochs", "3", "--joint-epochs", "1"});
    args.insert(args.end(), more.begin(), more.end());
    return json(args);
  }
  void train_and_encode() const {
    train();
    json({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("x.sfc")});
  }
  Json decode(const std::string& codes, const std::string& out, const Words& more = {}) const {
    Words args = {"decode", work.path(codes), "--model", work.path("m.sfm"), "--out", work.path(out)};
    args.insert(args.end(), more.begin(), more.end());
    return json(args);
  }
  Outcome succeed(const Words& args) const {
    Outcome outcome = work.run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome;
  }
  Json json(Words args) const {
    args.emplace_back("--json");
    const Outcome outcome = succeed(args);
    return outcome.code == 0 ? outcome.json() : Json();
  }
  /// One line with the text, code 2, nothing on standard output.
  void expect_mistake(const Words& args, const std::string& text) const {
    const Outcome outcome = work.run(args);
    SCOPED_TRACE(outcome.err);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("signfold " + args[0] + ": "));
    EXPECT_THAT(outcome.err, HasSubstr(text));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  }
  /// Σ(x − x̂)² over Σ(x − mean)².
  double error_of(const std::string& decoded) const {
    const std::string bytes = work.read(decoded);
    std::vector<float> back(values.size());
    EXPECT_EQ(bytes.size(), npy_header("<f4", kRows, kDim).size() + 4 * back.size());
    std::memcpy(back.data(), bytes.data() + bytes.size() - 4 * back.size(), 4 * back.size());
    double error = 0;
    double energy = 0;
    for (std::size_t j = 0; j < kDim; ++j) {
      double mean = 0;
      for (std::size_t i = j; i < values.size(); i += kDim) mean += double{values[i]} / kRows;
      for (std::size_t i = j; i < values.size(); i += kDim) {
        error += std::pow(double{values[i]} - back[i], 2);
        energy += std::pow(double{values[i]} - mean, 2);
      }
    }
    return error / energy;
  }

  Workplace work;
  std::vector<float> values = correlated_values();
};

Words keys(const Json& object) {
  Words names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

std::vector<int> numbers(const Json& list, const char* key) {
  std::vector<int> out;
  for (const Json& entry : list) out.push_back(entry[key]);
  return out;
}

TEST_F(Staged, TrainingReportsEveryPrefix) {
  const Json report = train();
  EXPECT_THAT(keys(report), ElementsAre("history", "model", "prefixes", "risk", "seconds", "stderr", "steps"));
  const Json& prefixes = report["prefixes"];
  EXPECT_THAT(numbers(prefixes, "stages"), ElementsAre(1, 2, 3));
  EXPECT_THAT(numbers(prefixes, "bits_per_vector"), ElementsAre(9, 24, 32));
  EXPECT_LT(prefixes[0]["measured"], 1);
  EXPECT_LT(prefixes[1]["measured"], prefixes[0]["measured"]);
  EXPECT_LT(prefixes[2]["measured"], prefixes[1]["measured"]);
  EXPECT_EQ(report["risk"], prefixes[2]["measured"]);
  EXPECT_EQ(report["history"].back()[0], report["steps"]);
  EXPECT_THAT(work.files(), ElementsAre("m.sfm", "x.npy"));  // no checkpoint is left of a run that ended

  const std::string model = work.read("m.sfm");
  for (const char* threads : {"1", "3"}) {
    train({"--threads", threads});
    EXPECT_EQ(work.read("m.sfm"), model) << threads;
  }
}

TEST_F(Staged, TextSaysWhatEachPrefixCosts) {
  const std::string trained = succeed(training({"--epochs", "3", "--joint-epochs", "1"})).out;
  EXPECT_THAT(trained, HasSubstr("m.sfm: 32 bits for 24 coordinates, trained on "));
  EXPECT_THAT(trained, HasSubstr("on vectors that training has not seen"));
  const std::string evaluated = succeed({"eval", work.path("m.sfm"), work.path("x.npy")}).out;
  EXPECT_THAT(trained, HasSubstr("\nstages  bits per vector  stored per dimension  measured  std. error\n"));
  EXPECT_THAT(evaluated,
              HasSubstr("\nstages  bits per vector  stored per dimension  when trained  measured  std. error\n"));
  for (const std::string& text : {trained, evaluated}) {
    EXPECT_THAT(text, HasSubstr("\n2                    24                1.0000 "));
  }
  EXPECT_THAT(evaluated, HasSubstr("32 bits per vector in 3 stages"));
  const std::string encoded =
      succeed({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("x.sfc")}).out;
  EXPECT_THAT(encoded, HasSubstr("x.sfc: 600 vectors of 24 coordinates, 32 bits each"));
  EXPECT_THAT(succeed({"info", work.path("m.sfm")}).out, HasSubstr("staged, 3 stages"));
  EXPECT_THAT(succeed({"info", work.path("x.sfc")}).out, HasSubstr("9 + 15 + 8 bits"));
  EXPECT_THAT(succeed({"truncate", work.path("x.sfc"), "--stages", "1"}).out,
              HasSubstr("x.sfc: 600 vectors, 1 stage, 9 bits each, "));
  EXPECT_THAT(succeed({"verify", work.path("m.sfm"), work.path("x.sfc")}).out,
              HasSubstr("x.sfc: OK, a code file, 600 vectors of 9 bits"));
}

TEST_F(Staged, InfoAndEvalAgreeWithTraining) {
  const Json trained = train();
  json({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("x.sfc")});
  const Json model = json({"info", work.path("m.sfm")});
  EXPECT_EQ(model["encoder"], "staged");
  EXPECT_EQ(model["bits"], 32);
  EXPECT_EQ(model["scale"], "none");
  EXPECT_THAT(numbers(model["prefixes"], "bits_per_vector"), ElementsAre(9, 24, 32));
  EXPECT_EQ(model["prefixes"][2]["stage"], "16 hidden units");
  const Json codes = json({"info", work.path("x.sfc")});
  EXPECT_EQ(codes["stages"], (Json{9, 15, 8}));
  EXPECT_EQ(codes["bits_per_vector"], 32);
  EXPECT_EQ(codes["fingerprint"], model["fingerprint"]);

  const Json eval = json({"eval", work.path("m.sfm"), work.path("x.npy")});
  EXPECT_EQ(eval["vectors"], kRows);
  EXPECT_EQ(eval["bits_per_vector"], 32);
  EXPECT_THAT(numbers(eval["prefixes"], "stages"), ElementsAre(1, 2, 3));
  EXPECT_THAT(numbers(eval["prefixes"], "bits_per_vector"), ElementsAre(9, 24, 32));
  for (std::size_t s = 0; s < 3; ++s) {
    EXPECT_EQ(eval["prefixes"][s]["predicted"], trained["prefixes"][s]["measured"]);
    EXPECT_EQ(model["prefixes"][s]["predicted"], trained["prefixes"][s]["measured"]);
    const std::string stages = std::to_string(s + 1);
    const Json decoded = decode("x.sfc", "back.npy", {"--stages", stages});
    EXPECT_EQ(decoded["stages"], s + 1);
    // The mean of the vectors that were trained on is not quite that of all: their energies agree to 1 %.
    const double measured = eval["prefixes"][s]["measured"];
    EXPECT_NEAR(error_of("back.npy"), measured, 0.01 * measured) << stages;
  }
}

TEST_F(Staged, ACutFileIsDecodedLikeTheWholeOne) {
  train_and_encode();
  const std::string whole = work.read("x.sfc");
  for (const std::string stages : {"1", "2", "3"}) {
    const Json cut = json({"truncate", work.path("x.sfc"), "--stages", stages, "--out", work.path("cut.sfc")});
    EXPECT_EQ(cut["vectors"], kRows);
    EXPECT_EQ(cut["stages"], std::stoi(stages));
    EXPECT_EQ(cut["bytes"], work.read("cut.sfc").size());
    EXPECT_EQ(cut["bytes_before"], whole.size());
    EXPECT_EQ(work.read("x.sfc"), whole);
    decode("x.sfc", "whole.npy", {"--stages", stages});
    EXPECT_EQ(decode("cut.sfc", "cut.npy")["stages"], std::stoi(stages));
    EXPECT_EQ(work.read("cut.npy"), work.read("whole.npy")) << stages;
    json({"truncate", work.path("cut.sfc"), "--stages", "1"});  // in place, and of what was cut before
    EXPECT_EQ(json({"info", work.path("cut.sfc")})["stages"], Json{9});
    decode("cut.sfc", "cut.npy");
    decode("x.sfc", "whole.npy", {"--stages", "1"});
    EXPECT_EQ(work.read("cut.npy"), work.read("whole.npy")) << stages;
  }
  json({"truncate", work.path("x.sfc"), "--stages", "3"});
  EXPECT_EQ(work.read("x.sfc"), whole);
  EXPECT_THAT(work.files(), ElementsAre("cut.npy", "cut.sfc", "m.sfm", "whole.npy", "x.npy", "x.sfc"));
}

TEST_F(Staged, SomeVectorsOfSomeStages) {
  train_and_encode();
  decode("x.sfc", "all.npy", {"--stages", "2"});
  EXPECT_EQ(decode("x.sfc", "some.npy", {"--stages", "2", "--rows", "100:103"})["vectors"], 3);
  const std::string all = work.read("all.npy");
  const std::string some = work.read("some.npy");
  const std::size_t row = 4 * kDim;
  EXPECT_EQ(some.substr(some.size() - 3 * row), all.substr(all.size() - (kRows - 100) * row, 3 * row));
}

TEST_F(Staged, ThreadsDoNotChangeAByte) {
  train_and_encode();
  decode("x.sfc", "x3.npy");
  for (const char* threads : {"1", "3"}) {
    json({"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("y.sfc"), "--threads", threads});
    EXPECT_EQ(work.read("y.sfc"), work.read("x.sfc"));
    decode("x.sfc", "y.npy", {"--threads", threads});
    EXPECT_EQ(work.read("y.npy"), work.read("x3.npy"));
  }
}

TEST_F(Staged, PipesGiveWhatFilesGive) {
  train_and_encode();
  decode("x.sfc", "first.npy", {"--stages", "1"});
  const Outcome piped = work.shell(
      "cat x.npy | \"$SIGNFOLD\" encode m.sfm - --out - > p.sfc && "
      "cat p.sfc | \"$SIGNFOLD\" decode - --model m.sfm --stages 1 --out - > p.npy");
  EXPECT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(work.read("p.sfc"), work.read("x.sfc"));
  EXPECT_EQ(work.read("p.npy"), work.read("first.npy"));
  json({"truncate", work.path("x.sfc"), "--stages", "2", "--out", work.path("cut.sfc")});
  const Outcome cut = work.shell("\"$SIGNFOLD\" decode - --model m.sfm --stages 1 --out - < cut.sfc > c.npy");
  EXPECT_EQ(cut.code, 0) << cut.err;
  EXPECT_EQ(work.read("c.npy"), work.read("first.npy"));
}

TEST_F(Staged, VerifySeesDamageInEveryStage) {
  train_and_encode();
  succeed({"verify", work.path("m.sfm"), work.path("x.sfc")});
  const std::string whole = work.read("x.sfc");
  const std::size_t first = 64 + 3 * 8 + 8 + 8;  // header, rows of the block, checksum of no scales;
                                                 // 600 times 9 and 15 bits follow, 675 and 1125 bytes
  for (const std::size_t at : {first + 5, first + 680 + 8 + 5, first + 680 + 8 + 1128 + 8 + 5}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    work.write("x.sfc", damaged);
    const Outcome outcome = work.run({"verify", work.path("x.sfc")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr("the checksum of plane "));
  }
  // Damage in a stage that is not asked for does no harm to the others.
  decode("x.sfc", "back.npy", {"--stages", "2"});
  expect_mistake({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--out", work.path("back.npy")},
                 "the checksum of plane 3 of block 0 is wrong");
}

TEST_F(Staged, StagesForARate) {
  Words args = training({"--rate", "1", "--epochs", "1", "--joint-epochs", "0"}, "auto");
  EXPECT_THAT(numbers(json(args)["prefixes"], "bits_per_vector"), ElementsAre(3, 6, 12, 24));
  args = training({}, "auto");
  expect_mistake(args, "--stages auto needs --rate");
}

TEST_F(Staged, HiddenUnitsOfEachStage) {
  Words args = training({"--epochs", "1", "--joint-epochs", "0"});
  *(std::ranges::find(args, "--hidden") + 1) = "16,0,3";
  succeed(args);
  const Json model = json({"info", work.path("m.sfm")});
  EXPECT_EQ(model["prefixes"][0]["stage"], "16 hidden units");
  EXPECT_EQ(model["prefixes"][1]["stage"], "0 hidden units");
  EXPECT_EQ(model["prefixes"][2]["stage"], "3 hidden units");
}

TEST_F(Staged, FreshVectorsOfAPrior) {
  const Words args = {"train", "--prior",          "gaussian", "--dim", "24",      "--stages", "8,16",
                      "--out", work.path("m.sfm"), "--hidden", "4",     "--steps", "20"};
  const Json report = json(args);
  EXPECT_LT(report["risk"], 0.8);
  Words epochs = args;
  epochs.insert(epochs.end(), {"--joint-epochs", "2"});
  expect_mistake(epochs, "fresh vectors of a prior have no epochs");
}

TEST_F(Staged, ImagesCanBeChanged) {
  work.write("x.npy", as_images(work.read("x.npy")));
  train();
  const std::string plain = work.read("m.sfm");
  for (const char* how : {"mirror", "shift:1", "mirror,shift:1"}) {
    EXPECT_LT(train({"--augment", how})["risk"], 1) << how;
    EXPECT_NE(work.read("m.sfm"), plain) << how;
  }
}

TEST_F(Staged, TrainedInAFewPrincipalAxes) {
  const double all = train()["risk"];
  const Json report = train({"--axes", "2", "--threads", "2"});  // the vectors have four directions
  const std::string two = work.read("m.sfm");
  EXPECT_GT(report["risk"], 1.5 * all);
  // Most of the risk lies outside of the axes, and the history speaks of all coordinates.
  EXPECT_NEAR(report["history"].back()[1], report["risk"], 0.4 * report["risk"].get<double>());
  EXPECT_GT(report["history"].back()[1], 1.2 * all);
  train({"--axes", "2", "--threads", "1"});
  EXPECT_EQ(work.read("m.sfm"), two);
  train({"--axes", "24"});  // all of them: as good as without
  EXPECT_LT(json({"eval", work.path("m.sfm"), work.path("x.npy")})["prefixes"].back()["measured"], 1.3 * all);
}

TEST_F(Staged, BetterBitsAreSearchedFor) {
  train();
  const auto risk = [&](const char* rounds) {
    const Json report = json({"eval", work.path("m.sfm"), work.path("x.npy"), "--search", rounds});
    return report["prefixes"].back()["measured"].get<double>();
  };
  const double signs = risk("0");
  EXPECT_EQ(json({"eval", work.path("m.sfm"), work.path("x.npy")})["prefixes"].back()["measured"], signs);
  EXPECT_LT(risk("3"), signs);
  EXPECT_LT(risk("30"), risk("3"));

  train({"--search-epochs", "2", "--search", "6"});
  const auto encode = [&](const Words& more) {
    Words args = {"encode", work.path("m.sfm"), work.path("x.npy"), "--out", work.path("x.sfc")};
    args.insert(args.end(), more.begin(), more.end());
    json(args);
    return work.read("x.sfc");
  };
  const std::string found = encode({});
  EXPECT_EQ(found, encode({"--search", "6", "--threads", "1"}));
  EXPECT_NE(found, encode({"--search", "0"}));
  EXPECT_EQ(json({"info", work.path("m.sfm")})["search_rounds"], 6);
  json({"fit", work.path("x.npy"), "--rate", "1", "--out", work.path("other.sfm")});
  expect_mistake({"encode", work.path("other.sfm"), work.path("x.npy"), "--search", "3", "--out", work.path("y.sfc")},
                 "only a trained staged code can be searched for better bits");
  expect_mistake(training({"--search-epochs", "1", "--search", "0"}), "leave --search-epochs out");
}

TEST_F(Staged, FitMakesOneToo) {
  const Words args = {"fit", work.path("x.npy"), "--encoder", "staged", "--rate", "1", "--out", work.path("m.sfm")};
  const Json fitted = json(args);
  EXPECT_EQ(fitted["encoder"], "staged");
  EXPECT_THAT(numbers(fitted["prefixes"], "bits_per_vector"), ElementsAre(3, 6, 12, 24));
  const Json eval = json({"eval", work.path("m.sfm"), work.path("x.npy")});
  EXPECT_LT(eval["prefixes"][1]["measured"], eval["prefixes"][0]["measured"]);
  EXPECT_LT(eval["prefixes"][0]["measured"], 1);
  for (const Words& more : std::vector<Words>{{"--decoder", "affine"}, {"--basis", "pca"}, {"--prior", "gaussian"}}) {
    Words wrong = args;
    wrong.insert(wrong.end(), more.begin(), more.end());
    expect_mistake(wrong, "encoder staged has decoders of its own");
  }
  Words whitened = args;
  whitened.emplace_back("--whiten");
  expect_mistake(whitened, "encoder staged works on centred vectors that are not whitened");
  expect_mistake({"fit", work.path("x.npy"), "--encoder", "stagd", "--rate", "1", "--out", work.path("m.sfm")},
                 "unknown encoder 'stagd'; did you mean 'staged'?");
}

TEST_F(Staged, MistakesOfTrainingAreExplained) {
  expect_mistake(training({}, "8,0"), "stage 2 has no bits");
  for (const char* stages : {"aut", "8,", "8,,8", "8,x", "8,-8", "8 8", "1e3"}) {
    expect_mistake(training({}, stages), std::string("'") + stages + "' are not the bits of stages");
  }
  expect_mistake(training({"--rate", "1"}), "the bits of --stages are the rate: leave --rate out");
  expect_mistake(training({"--decoder", "untied"}), "--decoder has no meaning for --stages");
  for (const Words& more : std::vector<Words>{{"--tau", "1"}, {"--rows", "none"}}) {
    expect_mistake(training(more), "--rows and --tau have no meaning for --stages");
  }
  expect_mistake(training({"--start", "haar"}), "--start and --freeze-encoder have no meaning for --stages");
  expect_mistake(training({"--freeze-encoder"}), "--start and --freeze-encoder have no meaning for --stages");
  expect_mistake(training({"--optimizer", "sgd"}), "--optimizer and --decay have no meaning for --stages");
  expect_mistake(training({"--method", "population"}), "method straight-through");
  expect_mistake(training({"--steps", "3", "--epochs", "3"}), "give steps or epochs");
  expect_mistake(training({"--axes", "25"}), "25 axes of vectors of 24 coordinates: take 1 to 24");
  expect_mistake(training({"--augment", "mirror"}), "only images can be mirrored and shifted");
  expect_mistake(training({"--augment", "miror"}), "there are: none, mirror, shift:K");
  expect_mistake(training({"--joint-epoch", "3"}), "did you mean '--joint-epochs'?");
  expect_mistake(training({}, "800000,16"), "take fewer bits, fewer hidden units or a smaller batch");  // of memory
  expect_mistake({"train", "--data", "x.npy", "--stage", "8", "--out", "m.sfm"}, "did you mean '--stages'?");

  const auto hidden = [&](const std::string& units) {
    Words args = training();
    *(std::ranges::find(args, "--hidden") + 1) = units;
    return args;
  };
  expect_mistake(hidden("16,8"), "hidden units for 2 stages, but there are 3");
  for (const char* units : {"x", "-1", "16,x,8", "16,,8"}) {
    expect_mistake(hidden(units), std::string("'") + units + "' are not hidden units");
  }

  const Words plain = {"train", "--data", work.path("x.npy"), "--out", work.path("m.sfm")};
  expect_mistake(plain, "--rate is required");
  for (const Words& more : std::vector<Words>{{"--hidden", "16"},
                                              {"--epochs", "3"},
                                              {"--joint-epochs", "3"},
                                              {"--augment", "mirror"},
                                              {"--axes", "3"},
                                              {"--search", "3"}}) {
    Words args = plain;
    args.insert(args.end(), {"--rate", "1"});
    args.insert(args.end(), more.begin(), more.end());
    expect_mistake(args, more[0] + " goes with --stages");
  }
  EXPECT_THAT(work.files(), ElementsAre("x.npy"));
}

TEST_F(Staged, NumbersThatMakeNoSenseAreRefused) {
  for (const char* option : {"--epochs", "--joint-epochs", "--search-epochs"}) {
    for (const char* value : {"nan", "inf", "-1", "1e300", "x"}) expect_mistake(training({option, value}), "epochs");
  }
  expect_mistake(training({"--epochs", "0"}), "epochs");
  std::string many = "8";
  for (int s = 1; s < 65; ++s) many += ",8";
  expect_mistake(training({"--epochs", "1", "--joint-epochs", "0"}, many), "65 stages");  // no file holds so many
  EXPECT_THAT(work.files(), ElementsAre("x.npy"));
}

TEST_F(Staged, MistakesOfDecodingAndCuttingAreExplained) {
  train_and_encode();
  succeed({"fit", work.path("x.npy"), "--rate", "1", "--out", work.path("plain.sfm")});
  succeed({"encode", work.path("plain.sfm"), work.path("x.npy"), "--out", work.path("plain.sfc")});
  succeed({"truncate", work.path("x.sfc"), "--stages", "2", "--out", work.path("cut.sfc")});
  const Words before = work.files();
  const auto decoding = [&](const std::string& codes, const std::string& model, const Words& more) {
    Words args = {"decode", work.path(codes), "--model", work.path(model), "--out", work.path("back.npy")};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  };
  expect_mistake(decoding("x.sfc", "m.sfm", {"--layers", "1"}), "has stages, not layers: take --stages");
  expect_mistake(decoding("x.sfc", "m.sfm", {"--stages", "4"}), "m.sfm has 3 stages: take --stages 1 to 3, not 4");
  expect_mistake(decoding("cut.sfc", "m.sfm", {"--stages", "3"}), "cut.sfc has 2 stages: 3 of them cannot be taken");
  expect_mistake(decoding("x.sfc", "m.sfm", {"--stages", "0"}), "--stages");
  expect_mistake(decoding("plain.sfc", "plain.sfm", {"--stages", "1"}), "has no stages: take --layers");
  expect_mistake(decoding("x.sfc", "plain.sfm", {}), "was written by another model");
  expect_mistake(decoding("plain.sfc", "m.sfm", {}), "was written by another model");
  expect_mistake(decoding("x.sfc", "m.sfm", {"--stage", "1"}), "did you mean '--stages'?");

  const auto cutting = [&](const std::string& codes, const Words& more) {
    Words args = {"truncate", work.path(codes)};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  };
  expect_mistake(cutting("plain.sfc", {"--stages", "2"}), "plain.sfc has 1 stage: 2 of them cannot be taken");
  expect_mistake(cutting("x.sfc", {"--stages", "4"}), "x.sfc has 3 stages: 4 of them cannot be taken");
  for (const char* stages : {"0", "-1", "x", "65"}) expect_mistake(cutting("x.sfc", {"--stages", stages}), "--stages");
  expect_mistake(cutting("x.sfc", {}), "--stages is required");
  expect_mistake(cutting("m.sfm", {"--stages", "1"}), "not a Signfold code file: it is a Signfold model");
  expect_mistake(cutting("none.sfc", {"--stages", "1"}), "cannot read ");
  expect_mistake(cutting("x.sfc", {"--stages", "1", "--out", work.path("no/x.sfc")}), "no/x.sfc");
  const Outcome mistyped = work.run({"trunkate", work.path("x.sfc"), "--stages", "1"});
  EXPECT_EQ(mistyped.code, 2);
  EXPECT_THAT(mistyped.err, HasSubstr("unknown command 'trunkate'; did you mean 'truncate'?"));
  EXPECT_EQ(work.files(), before);
}

TEST_F(Staged, AStagedModelIsNoEncoderForAnother) {
  train();
  const std::string encoder = "dense:" + work.path("m.sfm");
  expect_mistake({"fit", work.path("x.npy"), "--rate", "1", "--encoder", encoder, "--decoder", "affine", "--out",
                  work.path("f.sfm")},
                 "m.sfm");
  expect_mistake(
      {"train", "--data", work.path("x.npy"), "--rate", "1", "--start", encoder, "--out", work.path("f.sfm")}, "m.sfm");
}

TEST_F(Staged, ARunStoppedAgainAndAgainEndsWithTheSameModel) {
  const Words args =
      training({"--epochs", "300", "--joint-epochs", "100", "--batch", "32", "--threads", "1"});  // about a second
  succeed(args);
  const std::string whole = work.read("m.sfm");
  std::filesystem::remove(work.path("m.sfm"));

  const auto wait = [](long milliseconds) {
    const timespec pause{0, milliseconds * 1'000'000};
    nanosleep(&pause, nullptr);
  };
  const pid_t process = work.start(args);
  constexpr int kPatience = 3000;  // times 10 ms: the checkpoint of step 0 is written when training begins
  for (int k = 0; k < kPatience && !work.exists("m.sfm.checkpoint"); ++k) wait(10);
  wait(10);
  kill(process, SIGINT);
  const Outcome stopped = work.finish(process);
  ASSERT_EQ(stopped.code, 130) << "it ended before it could be interrupted, or did not listen";
  EXPECT_EQ(stopped.out, "");
  EXPECT_THAT(stopped.err, StartsWith("signfold train: stopped after step "));
  EXPECT_THAT(stopped.err, HasSubstr("m.sfm.checkpoint holds it: resume to go on"));
  EXPECT_FALSE(work.exists("m.sfm"));
  succeed({"verify", work.path("m.sfm.checkpoint")});
  expect_mistake(args, "of a run that did not end: resume that run, or delete the file");

  Words other = training({"--epochs", "300", "--joint-epochs", "100", "--batch", "32", "--resume"}, "9,15,16");
  expect_mistake(other, "was written by another run");
  Words resume = args;
  resume.emplace_back("--resume");
  constexpr int kStops = 30;  // in every stage, and while they are trained together, unless the machine is very slow
  for (int k = 0; k < kStops && !work.exists("m.sfm"); ++k) {
    const pid_t again = work.start(resume);
    wait(150);
    kill(again, SIGINT);
    work.finish(again);
  }
  if (!work.exists("m.sfm")) succeed(resume);
  EXPECT_EQ(work.read("m.sfm"), whole);
  EXPECT_FALSE(work.exists("m.sfm.checkpoint"));
}
}  // namespace
}  // namespace signfold::testing
