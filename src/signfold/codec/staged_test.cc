// Staged codes through models, code files, truncation and evaluation.
#include "signfold/codec/for_test.h"
#include "signfold/codec/stages_for_rate.h"
#include "signfold/codec/truncate.h"
#include "signfold/decoder/staged_for_test.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

constexpr std::size_t kDim = 30;

/// Three stages of 13, 11 and 21 bits for centred vectors.
Model staged_model() {
  Model model;
  model.transform.mean.assign(kDim, 1.0F);
  model.unit = 2;
  model.scale = ScaleKind::none;
  std::vector<Stage> stages = random_stages({13, 11, 21}, 12, kDim);
  for (std::size_t s = 0; s < stages.size(); ++s) stages[s].risk = 0.5 / static_cast<double>(s + 1);
  model.staged = std::make_shared<TrainedStages>(std::move(stages));
  model.item_shape = {kDim};
  return model;
}

class StagedFiles : public CodecFiles {
 protected:
  Model model_ = staged_model();
  Matrix<float> x_ = sparse_rows(700, kDim, 3);

  void encode(const std::string& name) { encode_file(model_, *matrix_source(x_, "rows"), path(name), {}); }
  Matrix<float> decode(const std::string& codes, int stages, int threads = 1) {
    CodeReader reader(path(codes));
    AtomicFile out(path("decoded.npy"));
    decode_file(model_, reader, out, stages, {}, {threads, {}});
    return read_all(*open_source(path("decoded.npy")));
  }
  std::vector<std::byte> bytes(const std::string& name) { return read_file(path(name), 1 << 24); }
};

TEST_F(StagedFiles, AModelIsReadAsItWasWritten) {
  const std::vector<std::byte> written = model_to_bytes(model_);
  const Model model = model_from_bytes(written, "model");
  EXPECT_EQ(model_to_bytes(model), written);
  EXPECT_EQ(model.bits(), 45U);
  EXPECT_EQ(model.bits_per_vector(), 45U);
  EXPECT_EQ(model.bits_per_prefix(2), 24U);
  EXPECT_EQ(model.depth(), 3);
  EXPECT_EQ(model.encoder_name(), "staged");
  EXPECT_DOUBLE_EQ(model.predicted_risk(2), 0.25);
  expect_error([&] { static_cast<void>(model.predicted_risk(0)); }, "stage 0 is not one of 3");
  EXPECT_EQ(fingerprint(model), fingerprint(model_));
}

TEST_F(StagedFiles, BitsAreSearchedForInAsManyRoundsAsTheModelOrTheCallSays) {
  const auto codes = [&](std::optional<std::size_t> search) {
    Matrix<std::uint8_t> out(x_.rows(), 6);
    encode_rows(model_, x_, out, {}, {.threads = 2, .progress = {}, .search = search});
    return out;
  };
  const Matrix<std::uint8_t> signs = codes({});
  const Matrix<std::uint8_t> found = codes(3);
  EXPECT_FALSE(std::ranges::equal(signs.values(), found.values()));
  const std::uint64_t before = fingerprint(model_);
  model_.search_rounds = 3;
  EXPECT_EQ(fingerprint(model_), before) << "the same decoder decodes all of them";
  const Model model = model_from_bytes(model_to_bytes(model_), "model");
  EXPECT_EQ(model.search_rounds, 3U);
  EXPECT_TRUE(std::ranges::equal(codes({}).values(), found.values()));
  EXPECT_TRUE(std::ranges::equal(codes(0).values(), signs.values()));
  expect_error([&] { codes(kMostRounds + 1); }, "a search of 65537 rounds: at most 65536");
  encode("x.sfc");
  EXPECT_TRUE(std::ranges::equal(CodeReader(path("x.sfc")).read_rows(0, x_.rows()).codes.values(), found.values()));
  EXPECT_LT(evaluate(model_, *matrix_source(x_, "rows"), {}).prefixes.back().measured,
            evaluate(model_, *matrix_source(x_, "rows"), {.threads = 0, .progress = {}, .search = 0})
                .prefixes.back()
                .measured);
}

TEST_F(StagedFiles, EveryNumberOfAStageEntersTheFingerprint) {
  const auto changed = [](const std::function<void(Stage&)>& change) {
    Model model = staged_model();
    std::vector<Stage> stages;
    for (const Stage& stage : dynamic_cast<const TrainedStages&>(*model.staged).stages())
      stages.push_back(stage.clone());
    change(stages[1]);
    model.staged = std::make_shared<TrainedStages>(std::move(stages));
    return fingerprint(model);
  };
  const std::uint64_t now = fingerprint(model_);
  EXPECT_EQ(changed([](Stage&) {}), now);
  EXPECT_EQ(changed([](Stage& s) { s.risk = 0.1; }), now) << "no bit depends on it";
  EXPECT_NE(changed([](Stage& s) { s.encoder(0, 0) += 0.1F; }), now);
  EXPECT_NE(changed([](Stage& s) { s.offset.back() += 0.1F; }), now);
  EXPECT_NE(changed([](Stage& s) { s.out(11, 29) += 0.1F; }), now);
}

TEST_F(StagedFiles, CodesOfRowsAreThoseOfTheStages) {
  const Encoded encoded = encode_all(model_, x_);
  Matrix<float> in_units = x_.clone();
  for (float& v : in_units.values()) v = (v - 1) / 2;
  Matrix<std::uint8_t> expected(x_.rows(), 6);
  model_.staged->encode(in_units, expected);
  EXPECT_TRUE(std::ranges::equal(encoded.codes.values(), expected.values()));
  Matrix<float> estimate(x_.rows(), kDim);
  model_.staged->decode(expected, 2, estimate);
  const Matrix<float> decoded = decode_all(model_, encoded, 2);
  for (std::size_t k = 0; k < decoded.size(); ++k) {
    EXPECT_NEAR(decoded.data()[k], 1 + 2 * estimate.data()[k], 1e-5);
  }
  expect_error([&] { decode_all(model_, encoded, 0); }, "stages 1 to 3, not 0");
  expect_error([&] { decode_all(model_, encoded, 4); }, "stages 1 to 3, not 4");
  x_(5, 0) = 1e30F;
  expect_error([&] { encode_all(model_, x_); }, "row 5: its norm is");
}

TEST_F(StagedFiles, TheNumberOfThreadsDoesNotMatter) {
  const Encoded one = encode_all(model_, x_, 1);
  const Encoded three = encode_all(model_, x_, 3);
  EXPECT_TRUE(std::ranges::equal(one.codes.values(), three.codes.values()));
  for (const int stages : {1, 2, 3}) {
    EXPECT_TRUE(same(decode_all(model_, one, stages, 1), decode_all(model_, one, stages, 3)));
  }
}

TEST_F(StagedFiles, APrefixDecodesTheSameWhetherTheFileWasCutOrNot) {
  encode("C.sfc");
  for (const int stages : {1, 2, 3}) {
    const std::string name = "cut" + std::to_string(stages) + ".sfc";
    EXPECT_EQ(truncate_codes(path("C.sfc"), static_cast<std::size_t>(stages), path(name), {}), 700U);
    const Matrix<float> whole = decode("C.sfc", stages);
    EXPECT_TRUE(same(decode(name, -1), whole)) << stages;
    EXPECT_TRUE(same(decode(name, stages, 2), whole)) << stages;
    const Encoded encoded = encode_all(model_, x_);
    EXPECT_TRUE(same(decode_all(model_, encoded, stages), whole)) << stages;
  }
  EXPECT_EQ(bytes("cut3.sfc"), bytes("C.sfc"));
  // 700 times 13 and 11 bits in one block, 1138 and 963 bytes, and what frames them
  EXPECT_EQ(bytes("cut1.sfc").size(), 72 + 8 + 8 + 1144 + 8 + 16U);
  EXPECT_EQ(bytes("cut2.sfc").size(), 80 + 8 + 8 + 1144 + 8 + 968 + 8 + 16U);
  expect_error([&] { decode("cut2.sfc", 3); }, "has 2 stages: 3 of them cannot be taken");
  expect_error([&] { truncate_codes(path("cut2.sfc"), 3, path("x"), {}); }, "3 of them cannot be taken");
  truncate_codes(path("C.sfc"), 2, path("C.sfc"), {});
  EXPECT_EQ(bytes("C.sfc"), bytes("cut2.sfc")) << "in place";
}

TEST_F(StagedFiles, PrefixesThatShareAByte) {
  model_.staged = std::make_shared<TrainedStages>(random_stages({2, 3, 5, 10}, 12, kDim));  // 1, 1, 2 and 3 bytes
  encode("C.sfc");
  const Encoded encoded = encode_all(model_, x_);
  for (const int stages : {1, 2, 3, 4}) {
    truncate_codes(path("C.sfc"), static_cast<std::size_t>(stages), path("cut.sfc"), {});
    const Matrix<float> whole = decode_all(model_, encoded, stages);
    EXPECT_TRUE(same(decode("C.sfc", stages), whole)) << stages;
    EXPECT_TRUE(same(decode("cut.sfc", -1), whole)) << stages;
  }
}

TEST_F(StagedFiles, StagesLieOneAfterTheOtherInABlock) {
  encode("C.sfc");
  const Encoded encoded = encode_all(model_, x_);
  const std::vector<std::byte> file = bytes("C.sfc");
  const std::size_t first = 64 + 3 * 8 + 8 + 8;  // header with its table, rows of the block, checksum of no scales
  const auto stored = [&](std::size_t plane, std::size_t bit) {
    return std::to_integer<unsigned>(file[plane + bit / 8] >> bit % 8 & std::byte{1});
  };
  const auto bit = [&](std::size_t row, std::size_t i) { return encoded.codes(row, i / 8) >> i % 8 & 1U; };
  for (const std::size_t row : {0, 1, 699}) {
    for (std::size_t i = 0; i < 13; ++i) EXPECT_EQ(stored(first, row * 13 + i), bit(row, i));
    for (std::size_t i = 0; i < 11; ++i) EXPECT_EQ(stored(first + 1144 + 8, row * 11 + i), bit(row, 13 + i));
  }
}

TEST_F(StagedFiles, SomeStagesOfManyBlocksFromAFileAndFromAStream) {
  CodeHeader header;
  header.dim = kDim;
  header.bits = 45;
  header.stages = {13, 11, 21};
  header.staged = true;
  header.scale = ScaleKind::none;
  header.block_rows = 64;
  const Encoded encoded = encode_all(model_, x_);
  {
    CodeWriter writer(path("C.sfc"), header);
    writer.write(encoded.codes, {});
    writer.commit();
  }
  const auto check = [&](CodeReader& reader, std::size_t from) {
    std::size_t row = from;
    for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
      for (std::size_t i = 0; i < block.rows; ++i, ++row) {
        EXPECT_TRUE(std::ranges::equal(block.codes.row(i), encoded.codes.row(row).first(3))) << row;
      }
    }
    EXPECT_EQ(row, 700U);
  };
  CodeReader file(path("C.sfc"));
  file.keep_stages(2);
  EXPECT_EQ(file.header().bits, 24U);
  check(file, 0);
  file.seek(130);
  check(file, 130);
  CodeReader first(path("C.sfc"));
  first.keep_stages(1);
  const CodeBlock block = first.read_block();
  for (std::size_t i = 0; i < block.rows; ++i) {
    EXPECT_EQ(block.codes(i, 0), encoded.codes(i, 0));
    EXPECT_EQ(block.codes(i, 1), encoded.codes(i, 1) & 31) << "13 bits";
  }
  CodeReader stream(std::make_unique<InputFile>(path("C.sfc")));
  stream.keep_stages(2);
  check(stream, 0);
}

TEST_F(StagedFiles, DamageInAStageThatIsReadIsAnError) {
  encode("C.sfc");
  std::vector<std::byte> file = bytes("C.sfc");
  const std::size_t in_second = 64 + 3 * 8 + 8 + 8 + 1144 + 8 + 5;
  file[in_second] ^= std::byte{4};
  write_quickly(path("C.sfc"), file);
  EXPECT_NO_THROW(decode("C.sfc", 1));
  expect_error([&] { decode("C.sfc", 2); }, "the checksum of plane 2 of block 0 is wrong");
  file[64] ^= std::byte{1};  // the stage table
  write_quickly(path("C.sfc"), file);
  expect_error([&] { decode("C.sfc", 1); }, "the checksum of its header is wrong");
}

TEST_F(StagedFiles, CodesOfAnotherModelAreRefused) {
  encode("C.sfc");
  Model other = staged_model();
  other.unit = 3;
  CodeReader reader(path("C.sfc"));
  expect_error([&] { check_codes(other, reader); }, "was written by another model");
}

TEST_F(StagedFiles, EvaluationListsEveryPrefix) {
  const Evaluation evaluation = evaluate(model_, *matrix_source(x_, "rows"), {});
  ASSERT_EQ(evaluation.prefixes.size(), 3U);
  EXPECT_TRUE(evaluation.layers.empty());
  const Encoded encoded = encode_all(model_, x_);
  double nothing = 0;
  for (const float v : x_.values()) nothing += (v - 1.0) * (v - 1.0);
  for (std::size_t s = 0; s < 3; ++s) {
    const Matrix<float> decoded = decode_all(model_, encoded, static_cast<int>(s) + 1);
    double error = 0;
    for (std::size_t k = 0; k < x_.size(); ++k) {
      const double difference = static_cast<double>(x_.data()[k]) - static_cast<double>(decoded.data()[k]);
      error += difference * difference;
    }
    EXPECT_NEAR(evaluation.prefixes[s].measured, error / nothing, 1e-6);
    EXPECT_DOUBLE_EQ(evaluation.prefixes[s].predicted, 0.5 / static_cast<double>(s + 1));
  }
}

TEST(Stages, ForARate) {
  using Bits = std::vector<std::size_t>;
  EXPECT_EQ(stages_for_rate(1, 784), (Bits{98, 98, 196, 392}));
  EXPECT_EQ(stages_for_rate(0.125, 784), (Bits{12, 12, 25, 49}));
  EXPECT_EQ(stages_for_rate(1, 20), (Bits{2, 3, 5, 10}));
  EXPECT_EQ(stages_for_rate(1, 5), (Bits{1, 1, 3}));
  EXPECT_EQ(stages_for_rate(1, 1), (Bits{1}));
  for (std::size_t dim = 1; dim < 200; ++dim) {
    const Bits bits = stages_for_rate(1, dim);
    EXPECT_NO_THROW(check_stage_bits(bits)) << dim;
    std::size_t sum = 0;
    for (const std::size_t b : bits) sum += b;
    EXPECT_EQ(sum, dim);
  }
}

TEST(Stages, ReadFromText) {
  EXPECT_EQ(parse_stages("98,98,196"), (std::vector<std::size_t>{98, 98, 196}));
  expect_error([] { parse_stages("96,,8"); }, "are not the bits of stages");
  expect_error([] { parse_stages("96,8x"); }, "are not the bits of stages");
  expect_error([] { parse_stages("8,0"); }, "stage 2 has no bits");
}

}  // namespace
}  // namespace signfold
