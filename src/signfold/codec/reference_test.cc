// The reader in Python, written from docs/formats.md alone, reads and decodes what C++ wrote.
#include <sys/wait.h>

#include <cstdlib>

#include "signfold/codec/for_test.h"
#include "signfold/codec/truncate.h"
#include "signfold/decoder/decoder.h"
#include "signfold/decoder/staged_for_test.h"
#include "signfold/encoder/dense.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

class Reference : public CodecFiles {
 protected:
  /// The vectors that reference/formats.py decodes from the two files.
  Matrix<float> decode_in_python(int layers) const {
    return decode_in_python(path("M.sfm"), path("C.sfc"), std::to_string(layers));
  }
  /// layers: empty = all.
  Matrix<float> decode_in_python(const std::string& model, const std::string& codes, const std::string& layers) const {
    const std::string command =
        fmt::format("'{}' -B '{}/reference/formats.py' '{}' '{}' '{}' {} > '{}' 2>&1", SIGNFOLD_PYTHON,
                    SIGNFOLD_SOURCE_DIR, model, codes, path("X.npy"), layers, path("output"));
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): a test's own program
    EXPECT_EQ(WEXITSTATUS(status), 0) << text_of(read_file(path("output"), 1 << 20));
    return read_all(*open_source(path("X.npy")));
  }

  /// After all layers (of a staged code: all stages), or (layer = 0) the linear decoder.
  void expect_same_decoding(const Model& model, const Matrix<float>& x, int layer = -1) const {
    SCOPED_TRACE(model.encoder_name());
    if (layer < 0) layer = model.depth();
    save_model(model, path("M.sfm"));
    encode_file(model, *matrix_source(x, "rows"), path("C.sfc"), {});
    const Matrix<float> here = decode_all(model, encode_all(model, x), layer);
    // float32 against float64 gives 1e-6; the tables of a profile prior, whose scales are rounded to 1 %, up to 6e-3.
    const bool tables = layer > 0 && !model.staged && !model.network->parameters().prior.iid();
    expect_close(decode_in_python(layer), here, tables ? 1e-2 : 1e-4);
  }

  static void expect_close(const Matrix<float>& there, const Matrix<float>& here, double tolerance) {
    ASSERT_EQ(there.rows(), here.rows());
    ASSERT_EQ(there.cols(), here.cols());
    double difference = 0;
    double energy = 0;
    for (std::size_t i = 0; i < here.size(); ++i) {
      difference += std::pow(double{here.data()[i]} - there.data()[i], 2);
      energy += std::pow(double{here.data()[i]}, 2);
    }
    EXPECT_LT(std::sqrt(difference / energy), tolerance);
  }
};

FitOptions with(double rate, const std::string& encoder, const std::string& basis, const std::string& prior) {
  FitOptions options;
  options.rate = rate;
  options.encoder = encoder;
  options.basis = basis;
  options.prior = prior;
  options.decoder = encoder == "hadamard" ? "rigamp:3" : "auto";
  return options;
}

TEST_F(Reference, DecodesEveryEncoderBasisAndPrior) {
  const Matrix<float> x = sparse_rows(10, 24, 4);
  FitOptions options = with(0.5, "hadamard", "pca", "auto");
  options.scale = ScaleKind::f32;
  expect_same_decoding(small_model(24, options), x);
  expect_same_decoding(small_model(24, options), x, 0);
  options = with(1.5, "hadamard", "dct2:4x6", "iid");
  options.whiten = true;
  expect_same_decoding(small_model(24, options), x);
  for (const char* basis : {"wavelet2:4x6", "wavelet2:1x12x2", "dct2:2x4x3"}) {
    expect_same_decoding(small_model(24, with(1, "hadamard", basis, "auto")), x);
  }
  expect_same_decoding(small_model(24, with(0.6, "mixed:0.7", "identity", "iid")), x);
  options = with(1.4, "mixed:0.7", "identity", "iid");
  options.scale = ScaleKind::none;
  expect_same_decoding(small_model(24, options), x);
  expect_same_decoding(small_model(24, with(0.6, "identity", "identity", "iid")), x);
  options = with(1, "hadamard", "identity", "auto");
  options.decoder = "affine";
  options.center = Centering::never;
  expect_same_decoding(small_model(24, options), x);
}

TEST_F(Reference, DecodesTheFullMemoryForm) {
  Matrix<float> b(30, 24);
  RandomStream stream(6, Purpose::test);
  for (float& v : b.values()) v = static_cast<float>(stream.normal());
  for (const char* basis : {"identity", "dct2:4x6"}) {
    FitOptions options = with(1.25, "hadamard", basis, "iid");
    Model model = small_model(24, options);
    model.encoder = make_dense(b);
    NetworkParameters parameters =
        compile_decoder(parse_decoder("rigamp:4"), *model.encoder, model.network->parameters().prior);
    ASSERT_GE(parameters.memory.layers.size(), 3U) << basis;
    model.network.emplace(model.encoder, make_basis(basis, 24), std::move(parameters));
    expect_same_decoding(model, sparse_rows(40, 24, 4));
    expect_same_decoding(model, sparse_rows(40, 24, 4), 2);
  }
}

TEST_F(Reference, DecodesATrainedNetwork) {
  const auto numbers = [](std::size_t rows, std::size_t cols, std::uint64_t index) {
    Matrix<float> a(rows, cols);
    RandomStream stream(9, Purpose::test, index);
    for (float& v : a.values()) v = static_cast<float>(stream.normal());
    return a;
  };
  Model model = small_model(24, with(1, "hadamard", "identity", "iid"));
  model.encoder = make_dense(numbers(13, 24, 0));
  NetworkParameters parameters;
  parameters.prior = iid_prior(parse_prior("gaussian"));
  parameters.mlp = {
      numbers(13, 24, 1), numbers(13, 6, 2), {0, 1, -1, 2, -2, 0.5F}, numbers(6, 24, 3), std::vector<float>(24, 0.25F)};
  model.network.emplace(model.encoder, make_basis("identity", 24), std::move(parameters));
  expect_same_decoding(model, sparse_rows(40, 24, 4));
}

TEST_F(Reference, DecodesTrainedLayers) {
  RandomStream stream(10, Purpose::test);
  for (const char* basis : {"identity", "dct2:4x6"}) {
    for (const bool own_matrix : {false, true}) {
      Model model = small_model(24, with(1.25, "hadamard", basis, std::string(basis) == "identity" ? "iid" : "auto"));
      const NetworkParameters& from = model.network->parameters();
      NetworkParameters parameters;
      parameters.linear_gain = from.linear_gain;
      parameters.prior = from.prior;
      parameters.unrolled = unroll(compile_decoder(parse_decoder("rigamp:4"), *model.encoder, from.prior).schedule);
      ASSERT_GE(parameters.unrolled.layers.size(), 3U);  // guard G1 may stop before the fourth
      for (UnrolledLayer& layer : parameters.unrolled.layers) {
        layer.product *= 1.1;
        layer.input_memory += 0.05;
        layer.mean_spline = make_spline(-4, 4, 9);
        layer.score_spline = make_spline(-2, 3, 7);
        for (double& w : layer.mean_spline.weights) w = 0.1 * stream.normal();
        for (double& w : layer.score_spline.weights) w = 0.1 * stream.normal();
      }
      if (own_matrix) {
        parameters.unrolled.matrix = Matrix<float>(30, 24);
        for (float& v : parameters.unrolled.matrix.values()) v = static_cast<float>(stream.normal());
        parameters.unrolled.matrix = explicit_matrix(*make_dense(parameters.unrolled.matrix));
      }
      model.network.emplace(model.encoder, make_basis(basis, 24), std::move(parameters));
      expect_same_decoding(model, sparse_rows(40, 24, 4));
      expect_same_decoding(model, sparse_rows(40, 24, 4), 2);
    }
  }
}

/// Stages of 16, 8 and 5 bits for centred vectors.
Model staged_model(std::size_t hidden, std::size_t dim) {
  Model model;
  model.transform.mean.assign(dim, 1.5F);
  model.unit = 2;
  model.scale = ScaleKind::none;
  model.staged = std::make_shared<TrainedStages>(random_stages({16, 8, 5}, hidden, dim));
  return model;
}

TEST_F(Reference, DecodesStages) {
  const Matrix<float> x = sparse_rows(40, 24, 4);
  for (const std::size_t hidden : {0, 6}) {
    const Model model = staged_model(hidden, 24);
    for (const int stages : {1, 2, 3}) expect_same_decoding(model, x, stages);
    truncate_codes(path("C.sfc"), 2, path("cut.sfc"), {});
    expect_close(decode_in_python(path("M.sfm"), path("cut.sfc"), ""), decode_all(model, encode_all(model, x), 2),
                 1e-4);  // float32 against float64
  }
}

TEST_F(Reference, ReadsManyBlocksOfStages) { expect_same_decoding(staged_model(2, 3), sparse_rows(9000, 3, 5)); }

TEST_F(Reference, DecodesTheStoredStages) {
  const std::string stored = SIGNFOLD_SOURCE_DIR "/tests/golden/staged-v1";
  const Model model = load_model(stored + ".sfm");
  // float32 against float64: 1e-6
  expect_close(decode_in_python(stored + ".sfm", stored + ".sfc", ""), read_all(*open_source(stored + ".npy")), 1e-4);
  decode_file(model, stored + ".sfc", path("first.npy"), 1, {});
  expect_close(decode_in_python(stored + ".sfm", stored + ".sfc", "1"), read_all(*open_source(path("first.npy"))),
               1e-4);
}

TEST_F(Reference, ReadsManyBlocks) {
  const Model model = small_model(3, {});
  const Matrix<float> x = sparse_rows(9000, 3, 5);
  expect_same_decoding(model, x);
}

}  // namespace
}  // namespace signfold
