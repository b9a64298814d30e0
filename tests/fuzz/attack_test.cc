// Every bit and every byte of small files changed, and every place to cut them: an Error, or for text that is declared
// free the same result; never more than 64 MB of memory. Once with the checksums as they are, and once with checksums
// that are right again, when what is read must be good for something, or refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "allocations.h"
#include "checkpoints.h"
#include "models.h"
#include "repair.h"
#include "signfold/base/error.h"
#include "signfold/base/pipe.h"
#include "signfold/codec/container.h"
#include "signfold/decoder/staged_for_test.h"
#include "signfold/source/source.h"

namespace signfold::fuzz {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

Bytes file_of(const std::string& name) {
  const std::string content = content_of("tests/golden/" + name);
  const auto written = bytes(content);
  return {written.begin(), written.end()};
}

std::vector<std::string> golden_files(const std::string& suffix) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SIGNFOLD_SOURCE_DIR "/tests/golden")) {
    if (entry.path().extension() == suffix) names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  EXPECT_FALSE(names.empty());
  return names;
}

/// Whether the reader came to its end; an Error is the only other way out.
template <class Reader>
bool accepts(const Reader& reader, const Bytes& file) {
  forget_peak();
  const bool accepted = survives([&] { reader(file); });
  EXPECT_LE(peak_bytes(), kMostBytes);
  return accepted;
}

template <class Reader>
void expect_cuts_refused(const Reader& reader, const Bytes& file) {
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(accepts(reader, cut)) << "cut to " << size;
  }
}

/// Each of the eight bits of every byte, one after the other.
template <class Reader>
void expect_flips_refused(const Reader& reader, Bytes file) {
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1U << bit % 8);
    file[bit / 8] ^= mask;
    EXPECT_FALSE(accepts(reader, file)) << "byte " << bit / 8 << " bit " << bit % 8;
    file[bit / 8] ^= mask;
  }
  EXPECT_TRUE(accepts(reader, file));
}

void read_model(const Bytes& file) { model_from_bytes(file, "M"); }

void read_codes(CodeReader reader) {
  while (reader.read_block().rows > 0) {
  }
}
void read_code_file(const Bytes& file) { read_codes(CodeReader(memory_file(file))); }
void read_first_stage(const Bytes& file) {
  CodeReader reader(memory_file(file));
  reader.keep_stages(1);
  read_codes(std::move(reader));
}
void read_code_stream(const Bytes& file) { read_codes(CodeReader(std::make_unique<PipeInput>(memory_file(file)))); }

TEST(Attack, EveryBitAndEveryCutOfAModel) {
  for (const std::string& name : golden_files(".sfm")) {
    SCOPED_TRACE(name);
    expect_cuts_refused(read_model, file_of(name));
    expect_flips_refused(read_model, file_of(name));
  }
}

TEST(Attack, EveryBitAndEveryCutOfACodeFile) {
  for (const std::string& name : golden_files(".sfc")) {
    SCOPED_TRACE(name);
    expect_cuts_refused(read_code_file, file_of(name));
    expect_flips_refused(read_code_file, file_of(name));
  }
}

TEST(Attack, EveryBitAndEveryCutOfAStreamOfCodes) {
  for (const char* name : {"tiny-v1.sfc", "staged-v1.sfc", "rotated-v1.sfc"}) {
    SCOPED_TRACE(name);
    expect_cuts_refused(read_code_stream, file_of(name));
    expect_flips_refused(read_code_stream, file_of(name));
  }
}

TEST(Attack, EveryBitAndEveryCutOfWhatOneStageReads) {
  Bytes file = file_of("staged-v1.sfc");
  expect_cuts_refused(read_first_stage, file);
  const std::size_t header = 64 + 2 * 8;
  const std::size_t first = header + 8 + 8 + 8 + 8;  // rows, checksum of no scales, ten times 6 bits, their checksum
  const std::size_t second = 16 + 8;                 // ten times 9 bits: passed over unread
  const std::size_t trailer = 16;
  ASSERT_EQ(file.size(), first + second + trailer);
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1U << bit % 8);
    file[bit / 8] ^= mask;
    const bool unread = bit / 8 >= first && bit / 8 < first + second;
    EXPECT_EQ(accepts(read_first_stage, file), unread) << "byte " << bit / 8 << " bit " << bit % 8;
    file[bit / 8] ^= mask;
  }
}

TEST(Attack, EveryCutOfDecodedVectors) {
  // A .npy has no checksum: a bit flipped in a number is another number. Its header is strict (npy_test.cc).
  const auto read = [](const Bytes& file) { read_all(*open_source(memory_file(file))); };
  for (const std::string& name : golden_files(".npy")) {
    SCOPED_TRACE(name);
    expect_cuts_refused(read, file_of(name));
    EXPECT_TRUE(accepts(read, file_of(name)));
  }
}

/// Changes every byte, or every step-th, in several ways and repairs checksums; counts what is accepted.
template <class Reader, class Repair>
std::size_t accepted_after_repair(const Reader& reader, const Repair& repair, const Bytes& file,
                                  std::initializer_list<unsigned> masks, std::size_t step = 1) {
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < file.size(); i += step) {
    for (const unsigned mask : masks) {
      Bytes changed = file;
      changed[i] ^= static_cast<std::byte>(mask);
      repair(changed);
      accepted += accepts(reader, changed) ? 1 : 0;
    }
  }
  return accepted;
}

TEST(Attack, ModelsWithTheirChecksumsRepaired) {
  const auto reader = [](const Bytes& file) { use(model_from_bytes(file, "M")); };
  for (const std::string& name : golden_files(".sfm")) {
    SCOPED_TRACE(name);
    // A model with layers takes milliseconds to build its tables: of those, one byte in 61; the fuzz target goes on.
    const bool quick = name == "mlp-v1.sfm" || name == "staged-v1.sfm" || name == "rotated-v1.sfm";
    const std::size_t step = quick ? 1 : 61;
    for (const bool fingerprint : {false, true}) {
      const auto repair = [&](Bytes& file) { repair_model(file, fingerprint); };
      // Some changes must pass: of numbers that nothing else determines.
      EXPECT_GT(accepted_after_repair(reader, repair, file_of(name), {0x01U}, step), 0U);
      if (quick) accepted_after_repair(reader, repair, file_of(name), {0x02U, 0x10U, 0x40U, 0x80U});
    }
  }
}

TEST(Attack, CutsWithTheirChecksumsRepaired) {
  for (const std::string& name : golden_files(".sfm")) {
    SCOPED_TRACE(name);
    const Bytes file = file_of(name);
    for (std::size_t size = 0; size < file.size(); ++size) {
      Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      repair_model(cut, true);
      EXPECT_FALSE(accepts(read_model, cut)) << "cut to " << size;
    }
  }
  for (const std::string& name : golden_files(".sfc")) {
    SCOPED_TRACE(name);
    const Bytes file = file_of(name);
    for (std::size_t size = 0; size < file.size(); ++size) {
      Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      repair_codes(cut);
      EXPECT_FALSE(accepts(read_code_file, cut)) << "cut to " << size;
      EXPECT_FALSE(accepts(read_code_stream, cut)) << "cut to " << size;
    }
  }
}

TEST(Attack, ModelsWithASectionLeftOut) {
  std::size_t accepted = 0;
  for (const std::string& name : golden_files(".sfm")) {
    const Bytes file = file_of(name);
    const Container container = read_container(file, "M");
    for (const auto& [left_out, unused] : container.sections) {
      SCOPED_TRACE(name + " without " + left_out);
      ContainerWriter out;
      for (const auto& [tag, payload] : container.sections) {
        if (tag != left_out) out.add(tag, payload);
      }
      Bytes changed = std::move(out).finish(container.fingerprint);
      repair_model(changed, true);
      accepted += accepts([](const Bytes& content) { use(model_from_bytes(content, "M")); }, changed) ? 1 : 0;
    }
  }
  EXPECT_GT(accepted, 0U);  // offsets, for one, may be left out: they are zeros then
}

TEST(Attack, CodesWithTheirChecksumsRepaired) {
  for (const char* name : {"tiny-v1.sfc", "staged-v1.sfc", "rotated-v1.sfc"}) {
    SCOPED_TRACE(name);
    const Bytes file = file_of(name);
    for (const auto reader : {read_code_file, read_code_stream, read_first_stage}) {
      const std::size_t accepted =
          accepted_after_repair(reader, repair_codes, file, {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U});
      EXPECT_GT(accepted, 0U);
      EXPECT_LT(accepted, 8 * file.size());
    }
  }
}

TEST(Attack, MetadataAreFree) {
  const Bytes file = file_of("mlp-v1.sfm");  // quick to load
  const Model before = model_from_bytes(file, "M");
  const std::string_view all = text(file);
  const std::size_t begin = all.find("\"metadata\":{") + 12;
  const std::size_t end = all.find('}', begin);
  ASSERT_LT(begin, end);
  Matrix<std::uint8_t> codes(1, code_bytes(before.bits()));
  const std::vector<float> scale = {1};
  Matrix<float> expected(1, before.dim());
  decode_rows(before, codes, scale, -1, expected, {1, {}});
  std::size_t accepted = 0;
  for (std::size_t i = begin; i < end; ++i) {
    for (const unsigned mask : {0x01U, 0x80U}) {
      Bytes changed = file;
      changed[i] ^= static_cast<std::byte>(mask);
      repair_model(changed, false);
      survives([&] {
        const Model model = model_from_bytes(changed, "M");
        Matrix<float> now(1, model.dim());
        decode_rows(model, codes, scale, -1, now, {1, {}});
        EXPECT_TRUE(std::ranges::equal(now.values(), expected.values())) << i;
        ++accepted;
      });
    }
  }
  EXPECT_GT(accepted, (end - begin) / 2);  // letters for letters: at least most of the lowest bits
}

/// One value of a section that is JSON replaced, everything else of the file right, the fingerprint as it was.
Bytes with_value_in(const char* section, const Bytes& file, const std::string& pointer, const nlohmann::json& value) {
  Container container = read_container(file, "M");
  auto json = nlohmann::json::parse(text(container.sections.at(section)));
  json[nlohmann::json::json_pointer(pointer)] = value;
  const std::string changed = json.dump();
  container.sections[section] = bytes(changed);
  ContainerWriter out;
  for (const auto& [tag, payload] : container.sections) out.add(tag, payload);
  return std::move(out).finish(container.fingerprint);
}

Bytes with_value(const Bytes& file, const std::string& pointer, const nlohmann::json& value) {
  return with_value_in("JSON", file, pointer, value);
}

TEST(Attack, AStagedModelThatSaysOtherwiseIsRefused) {
  const Bytes file = file_of("staged-v1.sfm");
  const auto accepted = [&](const std::string& pointer, const nlohmann::json& value) {
    Bytes changed = with_value(file, pointer, value);
    repair_model(changed, true);
    return accepts(read_model, changed);
  };
  const auto refused = [&](const std::string& pointer, const nlohmann::json& value) {
    EXPECT_FALSE(accepted(pointer, value)) << pointer << " " << value;
  };
  EXPECT_TRUE(accepted("/unit", 3)) << "what may be changed is repaired";
  EXPECT_TRUE(accepted("/stage_risks", {0.5, 0.125}));
  refused("/encoder/name", "hadamard");
  refused("/encoder/seed", 1);
  refused("/scale", "f16");
  refused("/bits", 14);
  refused("/dim", 11);
  refused("/decoder", nlohmann::json::object());
  const std::vector<nlohmann::json> wrong = {
      nullptr,           0.5,          "0.5",         {{"0", 0.5}},   {0.5},         nlohmann::json::array(),
      {0.5, 0.25, 0.25}, {0.5, -0.25}, {0.5, "0.25"}, {0.5, nullptr}, {{0.5}, 0.25}, std::vector<double>(1000, 0.5)};
  for (const nlohmann::json& risks : wrong) refused("/stage_risks", risks);
  EXPECT_TRUE(accepted("/search_rounds", 16));
  for (const nlohmann::json& rounds :
       {nlohmann::json(65537), nlohmann::json(-1), nlohmann::json(1.5), nlohmann::json("16"), nlohmann::json(1e300)}) {
    refused("/search_rounds", rounds);
  }
  // The stages of one model and the description of another.
  Container container = read_container(file, "M");
  const Bytes plain = file_of("mlp-v1.sfm");
  const Container other = read_container(plain, "M");
  ContainerWriter out;
  for (const auto& [tag, payload] : other.sections) out.add(tag, payload);
  for (const char* tag : {"STAGE1", "STAGE2"}) out.add(tag, container.sections.at(tag));
  Bytes both = std::move(out).finish(0);
  repair_model(both, true);
  EXPECT_FALSE(accepts(read_model, both));
}

TEST(Attack, PromisesOfGigabytesCostNothing) {
  const Bytes file = file_of("tiny-v1.sfm");
  for (const char* side : {"/dim", "/bits"}) {
    for (const std::uint64_t value : {1ULL << 20, 1ULL << 28, 1ULL << 40, ~0ULL}) {
      EXPECT_FALSE(accepts(read_model, with_value(file, side, value))) << side << " " << value;
    }
  }
  for (const char* encoder : {"haar", "identity", "mixed:0.5", "hadamard"}) {
    Bytes huge = with_value(with_value(file, "/dim", 1 << 28), "/bits", 1 << 28);
    EXPECT_FALSE(accepts(read_model, with_value(huge, "/encoder/name", encoder))) << encoder;
  }
  for (const char* basis : {"dct2:4096x4096", "wavelet2:4096x4096", "dct2:99999x99999", "pca"}) {
    EXPECT_FALSE(accepts(read_model, with_value(file, "/decoder/basis", basis))) << basis;
  }
  for (const std::uint64_t side : {1ULL << 20, 1ULL << 28, 1ULL << 40, ~0ULL}) {
    for (const std::size_t at : {0, 8}) {  // bits and hidden units of a stage
      Bytes stages = file_of("staged-v1.sfm");
      const std::size_t stage = text(stages).find("STAGE1") + 16;
      std::memcpy(stages.data() + stage + at, &side, sizeof(side));
      repair_model(stages, true);
      EXPECT_FALSE(accepts(read_model, stages)) << at << " " << side;
    }
  }
  for (const char* number : {"/stages/0/bits", "/stages/0/rotation"}) {
    for (const std::uint64_t value : {1ULL << 20, 1ULL << 28, 1ULL << 40, ~0ULL}) {
      Bytes rotated = with_value_in("ROTATED", file_of("rotated-v1.sfm"), number, value);
      repair_model(rotated, true);
      EXPECT_FALSE(accepts(read_model, rotated)) << number << " " << value;
    }
  }
  // A stream of codes cannot be measured beforehand: memory is taken as bytes come.
  Bytes codes = file_of("tiny-v1.sfc");
  for (const std::uint64_t bits : {1ULL << 20, 1ULL << 28}) {
    std::memcpy(codes.data() + 56, &bits, sizeof(bits));
    for (const std::uint32_t block_rows : {1U, 16U, 1U << 20}) {
      std::memcpy(codes.data() + 48, &block_rows, sizeof(block_rows));
      repair_codes(codes);
      EXPECT_FALSE(accepts(read_code_file, codes)) << bits << " " << block_rows;
      EXPECT_FALSE(accepts(read_code_stream, codes)) << bits << " " << block_rows;
    }
  }
}

template <class Reader>
void expect_sound(const Reader& reader, const Bytes& file) {
  expect_cuts_refused(reader, file);
  expect_flips_refused(reader, file);
  EXPECT_GT(accepted_after_repair(reader, repair_checkpoint, file, {0x01U, 0x80U}), 0U);
}

TEST(Attack, EveryBitAndEveryCutOfACheckpoint) {
  PopulationState state;
  state.rows = Matrix<double>(3, 4);
  const auto reader = [](const Bytes& content) {
    population_state(load_checkpoint(memory_file(content)), 3, 4, "checkpoint");
  };
  expect_sound(reader, content_of(to_checkpoint(state, {{"method", "population"}})));
}

TEST(Attack, EveryBitAndEveryCutOfACheckpointOfStages) {
  StagedOptions options;
  options.bits = {8, 3};
  options.hidden = {1};
  options.steps = 10;
  StagedState state;
  state.step = 13;
  state.history = {{1, 0.5}, {13, 0.25}};
  state.stages = signfold::testing::random_stages(options.bits, 1, 2);
  state.optimizers.push_back(stage_optimizers(state.stages.back()));
  state.best.push_back(state.stages.back().clone());
  state.best_measure = -2;
  const auto reader = [&](const Bytes& content) {
    staged_state(load_checkpoint(memory_file(content)), options, 2, "checkpoint");
  };
  expect_sound(reader, content_of(to_checkpoint(state, {{"method", "stages"}})));
}

TEST(Attack, EveryBitAndEveryCutOfACheckpointOfLayers) {
  UnrolledState state = unrolled_state(3, 4);
  state.step = 13;
  state.history = {{1, 0.5}, {13, 0.25}};
  const auto reader = [](const Bytes& content) {
    UnrolledState read = unrolled_state(3, 4);
    restore(load_checkpoint(memory_file(content)), 20, "checkpoint", read);
  };
  expect_sound(reader, content_of(to_checkpoint(state, {{"method", "network"}})));
}

TEST(Attack, NestsDeeperThanAStackAreRefused) {
  const auto expect_too_deep = [](const std::function<void()>& reader) {
    EXPECT_THAT(reader, ::testing::ThrowsMessage<Error>(::testing::HasSubstr("nested deeper")));
  };
  // Where nobody looks, in texts that are right otherwise.
  const auto nest = [](std::size_t levels) {
    return R"({"unused": )" + std::string(levels, '[') + std::string(levels, ']') + ", ";
  };
  constexpr std::size_t kLevels = 1'000'000;
  const std::string header = nest(kLevels) + R"("arrays": [], "progress": {}, "settings": {}})";
  Bytes checkpoint = content_of(Checkpoint{});
  checkpoint.resize(32 + sizeof(std::uint64_t));  // docs/formats.md section 5
  const std::uint64_t length = header.size();
  std::memcpy(checkpoint.data() + 32, &length, sizeof(length));
  checkpoint.insert(checkpoint.end(), bytes(header).begin(), bytes(header).end());
  repair_checkpoint(checkpoint);
  expect_too_deep([&] { load_checkpoint(memory_file(checkpoint)); });

  const std::string mixture = nest(20'000) + R"("components": [{"weight": 1, "mean": 0, "variance": 1}]})";
  expect_too_deep([&] { parse_prior("mixture:" + memory_file(bytes(mixture))); });

  const Bytes tiny = file_of("tiny-v1.sfm");
  Container container = read_container(tiny, "M");
  const std::string json = nest(kLevels) + std::string(text(container.sections.at("JSON")).substr(1));
  container.sections["JSON"] = bytes(json);
  ContainerWriter out;
  for (const auto& [tag, payload] : container.sections) out.add(tag, payload);
  const Bytes model = std::move(out).finish(container.fingerprint);
  expect_too_deep([&] { model_from_bytes(model, "M"); });
}

}  // namespace
}  // namespace signfold::fuzz
