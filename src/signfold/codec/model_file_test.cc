#include <limits>
#include <nlohmann/json.hpp>

#include "signfold/codec/container.h"
#include "signfold/codec/for_test.h"
#include "signfold/codec/model.h"
#include "signfold/encoder/dense.h"
#include "signfold/theory/free_cumulants.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

constexpr std::size_t kDim = 12;

FitOptions with(const std::string& encoder, const std::string& basis, const std::string& prior = "auto") {
  FitOptions options;
  options.encoder = encoder;
  options.basis = basis;
  options.prior = prior;
  return options;
}

/// A dense encoder that is far from orthonormal, with a decoder of three layers.
Model full_memory_model() {
  Model model = small_model(kDim, with("hadamard", "identity", "iid"));
  model.encoder = make_dense(sparse_rows(15, kDim, 5));
  const VectorPrior prior = model.network->parameters().prior;
  const std::vector<double> kappa = free_cumulants(model.encoder->spectrum(), 1.25, cumulants_for(3));
  NetworkParameters parameters;
  parameters.prior = prior;
  parameters.memory = full_memory_evolution(prior, 1.25, kappa, 3, {.stop = 0});
  model.network.emplace(model.encoder, make_basis("identity", kDim), std::move(parameters));
  return model;
}

/// Bits of a dense encoder, decoded by a trained network of four hidden units.
Model network_model() {
  Model model = small_model(kDim, with("hadamard", "identity"));
  const auto numbers = [](std::size_t rows, std::size_t cols) { return sparse_rows(rows, cols, rows); };
  model.encoder = make_dense(numbers(7, kDim));
  NetworkParameters parameters;
  parameters.prior = iid_prior(parse_prior("gaussian"));
  parameters.mlp = {
      numbers(7, kDim), numbers(7, 4), {0.1F, -0.2F, 0.3F, 0}, numbers(4, kDim), std::vector<float>(kDim, 0.5F), 0.25};
  model.network.emplace(model.encoder, make_basis("identity", kDim), std::move(parameters));
  return model;
}

/// One of every way to be a model.
std::vector<Model> all_kinds() {
  std::vector<Model> models;
  models.push_back(small_model(kDim, with("hadamard", "pca")));
  models.push_back(small_model(kDim, with("haar", "dct2:3x4")));
  models.push_back(small_model(kDim, with("mixed", "identity", "iid")));
  models.push_back(small_model(kDim, with("identity", "identity", "sparse-laplace:0.3")));
  FitOptions whitened = with("hadamard", "identity");
  whitened.whiten = true;
  whitened.rate = 1.5;
  whitened.scale = ScaleKind::f32;
  models.push_back(small_model(kDim, whitened));
  FitOptions affine = with("hadamard", "identity");
  affine.decoder = "affine";
  affine.center = Centering::never;
  affine.scale = ScaleKind::none;
  models.push_back(small_model(kDim, affine));
  models.push_back(full_memory_model());
  models.push_back(network_model());
  Model dense = small_model(kDim, with("hadamard", "identity"));
  dense.encoder = make_dense(sparse_rows(7, kDim, 5));
  dense.network.reset();
  dense.metadata["a \"name\""] = "line 1\nline 2, ü";
  models.push_back(std::move(dense));
  return models;
}

Model reread(const std::vector<std::byte>& bytes) { return model_from_bytes(bytes, "M.sfm"); }

/// The file of a small model with sections replaced, added (or, for an empty payload, removed); checksums are right.
std::vector<std::byte> edited(const std::vector<std::byte>& bytes, const std::string& tag, std::string_view payload) {
  Container container = read_container(bytes, "M.sfm");
  container.sections[tag] = bytes_of(payload);
  ContainerWriter out;
  for (const auto& [name, content] : container.sections) {
    if (!content.empty()) out.add(name, content);
  }
  return std::move(out).finish(container.fingerprint);
}

std::string json_of(const std::vector<std::byte>& bytes) {
  return std::string(text_of(read_container(bytes, "M.sfm").sections.at("JSON")));
}

TEST(ModelFile, EveryKindComesBackTheSame) {
  const Matrix<float> x = sparse_rows(20, kDim, 2);
  for (const Model& model : all_kinds()) {
    SCOPED_TRACE(model.encoder->name());
    const std::vector<std::byte> bytes = model_to_bytes(model);
    const Model back = reread(bytes);
    EXPECT_EQ(fingerprint(back), fingerprint(model));
    EXPECT_EQ(back.unit, model.unit);
    EXPECT_EQ(back.energy_ratio, model.energy_ratio);
    EXPECT_EQ(back.training_mean, model.training_mean);
    EXPECT_EQ(back.metadata, model.metadata);
    EXPECT_EQ(back.item_shape, model.item_shape);
    EXPECT_EQ(model_to_bytes(back), bytes);
    const Encoded codes = encode_all(model, x);
    EXPECT_TRUE(std::ranges::equal(codes.codes.values(), encode_all(back, x).codes.values()));
    if (model.network) {
      EXPECT_TRUE(same(decode_all(model, codes), decode_all(back, codes)));
      ASSERT_EQ(back.network->layers(), model.network->layers());
      for (int t = 0; t <= model.network->layers(); ++t) EXPECT_EQ(back.predicted_risk(t), model.predicted_risk(t));
    }
  }
}

TEST(ModelFile, DenseEncodersOfAFewCoordinatesKeepTheirFingerprint) {
  // Rows of two float32 numbers are as far from unit norm as rounding allows; a reader must not round them again.
  Model model = small_model(2, with("hadamard", "identity"));
  model.network.reset();
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    model.encoder = make_dense(sparse_rows(3, 2, seed));
    EXPECT_EQ(fingerprint(reread(model_to_bytes(model))), fingerprint(model)) << seed;
  }
}

class SmallModelFile : public CodecFiles {
 protected:
  const std::vector<std::byte> bytes_ = model_to_bytes(small_model(kDim, with("hadamard", "pca")));
};

TEST_F(SmallModelFile, SaveAndLoad) {
  const Model model = reread(bytes_);
  save_model(model, path("M.sfm"));
  EXPECT_EQ(read_file(path("M.sfm"), 1 << 20), bytes_);
  EXPECT_EQ(model_to_bytes(load_model(path("M.sfm"))), bytes_);
}

TEST_F(SmallModelFile, EveryTruncationIsAnError) {
  for (std::size_t size = 0; size < bytes_.size(); ++size) {
    EXPECT_THROW(model_from_bytes(std::span(bytes_).first(size), "M.sfm"), Error) << size;
  }
}

TEST_F(SmallModelFile, EveryFlippedByteIsAnError) {
  std::vector<std::byte> damaged = bytes_;
  for (std::byte& b : damaged) {
    for (const unsigned mask : {0x01U, 0x80U, 0xffU}) {
      b ^= static_cast<std::byte>(mask);
      EXPECT_THROW(reread(damaged), Error) << &b - damaged.data();
      b ^= static_cast<std::byte>(mask);
    }
  }
  EXPECT_NO_THROW(reread(damaged));
}

TEST_F(SmallModelFile, MessagesSayWhatIsWrong) {
  std::vector<std::byte> longer = bytes_;
  longer.push_back(std::byte{0});
  expect_error([&] { reread(longer); }, "M.sfm is damaged: 1 bytes follow its end");
  expect_error([&] { model_from_bytes(std::span(bytes_).first(100), "M.sfm"); },
               "M.sfm is truncated: it has 100 bytes");
  std::vector<std::byte> newer = bytes_;
  newer[12] = std::byte{7};
  expect_error([&] { reread(newer); }, "M.sfm is a model of version 7; this program reads version 1");
  expect_error([&] { model_from_bytes(bytes_of("SIGNFOLDC\r\n\x1a....."), "M.sfm"); }, "it is a Signfold code file");
  expect_error([&] { model_from_bytes(bytes_of("SIGNFOLDM\n\x1a....."), "M.sfm"); }, "transferred as text");
  expect_error([&] { model_from_bytes(bytes_of("\x93NUMPY...."), "M.sfm"); }, "it is a NumPy array");
  expect_error([&] { model_from_bytes(bytes_of("whatever"), "M.sfm"); }, "it starts with 77 68 61 74");
  expect_error([&] { model_from_bytes({}, "M.sfm"); }, "it is empty");
}

TEST_F(SmallModelFile, SectionsThatMayBeSkippedAreSkipped) {
  EXPECT_NO_THROW(reread(edited(bytes_, "later", "something of a later program")));
  expect_error([&] { reread(edited(bytes_, "LATER", "something")); }, "unknown section 'LATER'");
}

TEST_F(SmallModelFile, WrongSizesAndNumbersAreErrorsEvenWithRightChecksums) {
  const std::string nan(48, '\xff');
  for (const char* tag : {"OFFSET", "SCALE", "REFMEAN", "AFFOFF"}) {
    expect_error([&] { reread(edited(bytes_, tag, "123")); }, tag);
    expect_error([&] { reread(edited(bytes_, tag, nan)); }, "not finite");
  }
  for (const char* tag : {"BASIS", "SHAPEOF", "AFFINE"}) {
    expect_error([&] { reread(edited(bytes_, tag, "123456")); }, tag);
  }
  for (const char* tag :
       {"MEAN", "EIGVEC", "EIGVAL", "DENSE"}) {  // of the encode side, which has a checksum of its own
    expect_error([&] { reread(edited(bytes_, tag, "123456")); }, "fingerprint");
  }
  const std::string shape_of(24, '\x7f');  // shape 32639 of a few
  EXPECT_THROW(reread(edited(bytes_, "SHAPEOF", shape_of)), Error);
  EXPECT_THROW(reread(edited(bytes_, "BASIS", std::string(kDim * kDim * 4, '\0'))), Error);  // not orthonormal
  expect_error([&] { reread(edited(bytes_, "MEAN", std::string(48, '\0'))); }, "fingerprint");
}

TEST_F(SmallModelFile, ANetworkThatIsNotWholeIsAnError) {
  const std::vector<std::byte> bytes = model_to_bytes(network_model());
  EXPECT_NO_THROW(reread(bytes));
  for (const char* tag : {"MLPIN", "MLPOUT", "MLPLIN", "MLPOFF"}) {
    EXPECT_THROW(reread(edited(bytes, tag, {})), Error) << tag;
    const std::string payload(text_of(read_container(bytes, "M.sfm").sections.at(tag)));
    EXPECT_THROW(reread(edited(bytes, tag, payload.substr(4))), Error) << tag;
  }
}

TEST_F(SmallModelFile, MemoryThatIsNoMemoryIsAnError) {
  const std::vector<std::byte> bytes = model_to_bytes(full_memory_model());
  const std::string memory(text_of(read_container(bytes, "M.sfm").sections.at("MEMORY")));
  ASSERT_EQ(memory.size(), 8U * (2 * 9 + 4 * 3));
  EXPECT_NO_THROW(reread(edited(bytes, "MEMORY", memory)));
  const auto with_number = [&](std::size_t index, double value) {
    std::string changed = memory;
    std::memcpy(changed.data() + 8 * index, &value, 8);
    return changed;
  };
  for (const std::size_t size : {8U, 44U, 8U * 29, 8U * 12 + 1}) {
    expect_error([&] { reread(edited(bytes, "MEMORY", memory.substr(0, size))); }, "section MEMORY has");
  }
  expect_error([&] { reread(edited(bytes, "MEMORY", std::string(8 * 2000, 'a'))); }, "section MEMORY has");
  for (std::size_t i = 0; i < 30; ++i) {
    expect_error([&] { reread(edited(bytes, "MEMORY", with_number(i, NAN))); }, "not finite");
  }
  for (const std::size_t scalar : {0U, 1U, 2U, 3U, 6U, 9U}) {  // of layers 1 and 2
    EXPECT_THROW(reread(edited(bytes, "MEMORY", with_number(scalar, -1))), Error) << scalar;
  }
  expect_error([&] { reread(edited(bytes_, "MEMORY", memory)); }, "layers of two forms at once");
}

TEST_F(SmallModelFile, EveryWrongJsonIsAnError) {
  const auto root = nlohmann::json::parse(json_of(bytes_));
  // Every value of the description, at any depth, replaced by every kind of nonsense and then left out.
  const std::vector<std::string> nonsense = {
      "null", "true", "\"\"", "[]", "{}", "1e999", "[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]"};
  const auto values = root.flatten();
  for (const auto& item : values.items()) {
    const nlohmann::json::json_pointer pointer(item.key());
    if (pointer.to_string().starts_with("/metadata") || pointer.to_string().starts_with("/item_shape")) continue;
    // The names of learned shapes and of a basis stored as numbers are free.
    const bool free_name = pointer.back() == "name" || pointer.back() == "basis";
    for (const std::string& value : nonsense) {
      if (free_name && value == "\"\"") continue;
      auto copy = root;
      copy[pointer] = "@";
      std::string text = copy.dump();
      text.replace(text.find("\"@\""), 3, value);
      EXPECT_THROW(reread(edited(bytes_, "JSON", text)), Error) << pointer.to_string() << " = " << value;
    }
  }
  for (const char* pointer :
       {"/unit", "/encoder/seed", "/decoder/linear_risk", "/decoder/rate", "/decoder/clip", "/decoder/layers/0/damping",
        "/decoder/layers/0/variance", "/decoder/layers/0/information", "/decoder/layers/0/precision",
        "/decoder/layers/0/risk"}) {
    auto copy = root;
    copy[nlohmann::json::json_pointer(pointer)] = -1;
    EXPECT_THROW(reread(edited(bytes_, "JSON", copy.dump())), Error) << pointer;
  }
  for (const char* text : {"x", "{", "[]", "{}", "{\"dim\": 12}", "\xff\xfe"}) {
    EXPECT_THROW(reread(edited(bytes_, "JSON", text)), Error) << text;
  }
  expect_error([&] { reread(edited(bytes_, "JSON", "")); }, "section JSON is missing");
  for (const auto& [key, value] :
       {std::pair{"dim", "18446744073709551615"}, {"bits", "0"}, {"bits", "4611686018427387904"}}) {
    auto copy = root;
    copy[key] = nlohmann::json::parse(value);
    expect_error([&] { reread(edited(bytes_, "JSON", copy.dump())); }, "is not between 1 and");
  }
}

/// Overwrites a u64 and repairs nothing: for lengths, which are checked before checksums can be.
TEST_F(SmallModelFile, LengthsBeyondTheFileAreErrors) {
  const std::size_t first_length = 48 + 16;
  for (const std::uint64_t length : {std::uint64_t{1} << 20, UINT64_MAX, UINT64_MAX - 6, std::uint64_t{1} << 63}) {
    std::vector<std::byte> damaged = bytes_;
    std::memcpy(damaged.data() + first_length, &length, sizeof(length));
    expect_error([&] { reread(damaged); }, "section 0 is longer than the file");
  }
}

TEST(ModelFile, NumbersThatAreNotFiniteAreNotSaved) {
  Model model = small_model(kDim, with("hadamard", "identity"));
  model.unit = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(model_to_bytes(model), Error);
}

TEST(Fingerprint, IsTheEncodeSideOnly) {
  const Model model = small_model(kDim, with("hadamard", "identity"));
  const std::uint64_t before = fingerprint(model);
  EXPECT_EQ(fingerprint(small_model(kDim, with("hadamard", "pca"))), before);
  EXPECT_EQ(fingerprint(small_model(kDim, with("hadamard", "identity", "iid"))), before);
  EXPECT_NE(fingerprint(small_model(kDim, with("haar", "identity"))), before);
  for (const auto& change : std::vector<std::function<void(FitOptions&)>>{
           [](FitOptions& o) { o.seed = 2; }, [](FitOptions& o) { o.rate = 0.5; },
           [](FitOptions& o) { o.scale = ScaleKind::f32; }, [](FitOptions& o) { o.whiten = true; },
           [](FitOptions& o) { o.center = Centering::never; }, [](FitOptions& o) { o.max_rows = 100; }}) {
    FitOptions options = with("hadamard", "identity");
    change(options);
    EXPECT_NE(fingerprint(small_model(kDim, options)), before);
  }
}

TEST(ScaleKinds, NamesRoundTrip) {
  for (const char* name : {"none", "f16", "f32"}) EXPECT_EQ(to_string(parse_scale(name)), name);
  expect_error([] { parse_scale("f64"); }, "unknown scale 'f64'; known: none, f16, f32");
}

}  // namespace
}  // namespace signfold
