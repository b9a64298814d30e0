#include "signfold/codec/codec.h"

#include <functional>
#include <limits>
#include <optional>

#include "signfold/base/interrupt.h"
#include "signfold/codec/for_test.h"
#include "signfold/source/npy_writer.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

constexpr std::size_t kDim = 12;

Model model_with(ScaleKind scale, bool whiten = false, const std::string& encoder = "hadamard") {
  FitOptions options;
  options.scale = scale;
  options.whiten = whiten;
  options.encoder = encoder;
  options.basis = "pca";
  return small_model(kDim, options);
}

/// Codes and scales of the rows, gathered in calls of `batch` rows.
Encoded encode_in_batches(const Model& model, MatrixView<const float> x, std::size_t batch) {
  Encoded out{Matrix<std::uint8_t>(x.rows, code_bytes(model.bits())), {}};
  for (std::size_t begin = 0; begin < x.rows; begin += batch) {
    const std::size_t rows = std::min(batch, x.rows - begin);
    const Encoded part = encode_all(model, x.row_range(begin, rows));
    std::ranges::copy(part.codes.values(), out.codes.row(begin).data());
    out.scales.insert(out.scales.end(), part.scales.begin(), part.scales.end());
  }
  return out;
}

Matrix<float> decode_in_batches(const Model& model, const Encoded& encoded, std::size_t batch) {
  Matrix<float> out(encoded.codes.rows(), model.dim());
  for (std::size_t begin = 0; begin < out.rows(); begin += batch) {
    const std::size_t rows = std::min(batch, out.rows() - begin);
    decode_rows(model, encoded.codes.view().row_range(begin, rows),
                encoded.scales.empty() ? std::span<const float>{} : std::span(encoded.scales).subspan(begin, rows), -1,
                out.view().row_range(begin, rows));
  }
  return out;
}

TEST(Codec, BytesDependOnNeitherThreadsNorBatches) {
  const Matrix<float> x = sparse_rows(333, kDim, 7);
  for (const char* encoder : {"hadamard", "haar"}) {
    for (const bool whiten : {false, true}) {
      const Model model = model_with(ScaleKind::f16, whiten, encoder);
      const Encoded one = encode_all(model, x, 1);
      const Matrix<float> decoded = decode_all(model, one, -1, 1);
      for (const int threads : {2, 8}) {
        const Encoded many = encode_all(model, x, threads);
        EXPECT_TRUE(std::ranges::equal(many.codes.values(), one.codes.values())) << threads;
        EXPECT_EQ(many.scales, one.scales) << threads;
        EXPECT_TRUE(same(decode_all(model, one, -1, threads), decoded)) << threads;
      }
      for (const std::size_t batch : {1, 5, 64, 100}) {
        const Encoded parts = encode_in_batches(model, x, batch);
        EXPECT_TRUE(std::ranges::equal(parts.codes.values(), one.codes.values())) << batch;
        EXPECT_EQ(parts.scales, one.scales) << batch;
        EXPECT_TRUE(same(decode_in_batches(model, one, batch), decoded)) << batch;
      }
    }
  }
}

TEST(Codec, ScalesAreTheRelativeNormsOfTransformedVectors) {
  const Matrix<float> x = sparse_rows(50, kDim, 8);
  for (const ScaleKind kind : {ScaleKind::f16, ScaleKind::f32}) {
    const Model model = model_with(kind, true);
    Matrix<float> t = x.clone();
    forward(model.transform, t);
    const Encoded encoded = encode_all(model, x);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      double sum = 0;
      for (const float v : t.row(i)) sum += static_cast<double>(v) * v;
      const double scale = std::sqrt(sum / kDim) / model.unit;
      // Half a unit in the last place: 2^-11 of a normal float16, 2^-24 of a float32.
      EXPECT_NEAR(encoded.scales[i], scale, scale * (kind == ScaleKind::f16 ? 0x1p-11 : 0x1p-23));
      EXPECT_TRUE(kind == ScaleKind::f32 || from_half(to_half(encoded.scales[i])) == encoded.scales[i]);
    }
  }
}

TEST(Codec, ZeroVectorsDecodeToTheMeanExactly) {
  for (const bool whiten : {false, true}) {
    const Model model = model_with(ScaleKind::f16, whiten);
    Matrix<float> x(1, kDim);
    std::ranges::copy(model.transform.mean, x.data());
    const Encoded encoded = encode_all(model, x);
    EXPECT_EQ(encoded.scales[0], 0);
    for (const int layers : {0, -1}) EXPECT_TRUE(same(decode_all(model, encoded, layers), x));
  }
}

TEST(Codec, SignsSurviveVectorsOfAnySize) {
  FitOptions options;
  options.scale = ScaleKind::f32;
  const Model model = model_for_prior(parse_prior("gaussian"), kDim, options);
  const Matrix<float> x = sparse_rows(20, kDim, 9);
  const Encoded plain = encode_all(model, x);
  for (const float size : {0x1p-120F, 0x1p-60F, 0x1p60F, 0x1p95F}) {  // the same digits, up to what can be decoded
    Matrix<float> scaled = x.clone();
    for (float& v : scaled.values()) v *= size;
    const Encoded encoded = encode_all(model, scaled);
    EXPECT_TRUE(std::ranges::equal(encoded.codes.values(), plain.codes.values())) << size;
    for (std::size_t i = 0; i < x.rows(); ++i) EXPECT_EQ(encoded.scales[i], plain.scales[i] * size);
  }
}

TEST(Codec, WhatCanBeEncodedCanBeDecoded) {
  for (const ScaleKind scale : {ScaleKind::f16, ScaleKind::f32}) {
    Model model = model_with(scale);
    model.unit = scale == ScaleKind::f16 ? 1e28 : 1;  // half precision reaches 65504 units
    Matrix<float> x = sparse_rows(3, kDim, 9);
    for (float& v : x.row(1)) v *= 1e29F;
    const Encoded encoded = encode_all(model, x);
    Matrix<float> back(3, kDim);
    EXPECT_NO_THROW(decode_rows(model, encoded.codes, encoded.scales, 0, back, {}));
    for (float& v : x.row(1)) v *= 100;
    expect_error([&] { encode_all(model, x); }, "row 1: its norm is too large to decode");
  }
}

TEST(Codec, BadRowsAreNamed) {
  const Model model = model_with(ScaleKind::f16);
  Matrix<float> x = sparse_rows(200, kDim, 9);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const float before = std::exchange(x(130, 3), bad);
    expect_error([&] { encode_all(model, x); }, "row 130 has a value that is not finite");
    x(130, 3) = before;
  }
  x(77, 0) = 1e9F;
  expect_error([&] { encode_all(model, x); }, "row 77: its norm is");
  EXPECT_NO_THROW(encode_all(model_with(ScaleKind::f32), x));
}

TEST(Codec, BadScalesAndShapesAreErrors) {
  const Model model = model_with(ScaleKind::f16);
  Encoded encoded = encode_all(model, sparse_rows(3, kDim, 9));
  for (const float bad : {-1.0F, 1e35F, std::numeric_limits<float>::quiet_NaN()}) {
    encoded.scales[1] = bad;
    expect_error([&] { decode_all(model, encoded); }, "row 1:");
  }
  encoded.scales.pop_back();
  EXPECT_THROW(decode_all(model, encoded), Error);
  expect_error([&] { encode_all(model, sparse_rows(3, kDim + 1, 9)); },
               "vectors of 13 coordinates: the model wants 12");
  encoded.scales = {1, 1, 1};
  expect_error([&] { decode_all(model, encoded, 99); }, "99");
}

/// A model of two layers whose scalars a test has changed; empty where the network refuses them.
std::optional<Model> with_scalars(const std::function<void(NetworkParameters&)>& change) {
  Model model = model_with(ScaleKind::f16);
  const NetworkParameters& from = model.network->parameters();
  NetworkParameters p;
  p.linear_gain = from.linear_gain;
  p.linear_risk = from.linear_risk;
  p.schedule = from.schedule;
  p.prior = from.prior;
  change(p);
  try {
    model.network.emplace(model.encoder, make_basis("identity", kDim), std::move(p));
  } catch (const Error&) {
    return std::nullopt;
  }
  return model;
}

TEST(Codec, NumbersThatNoFitGivesNeverDecodeToNaN) {
  const std::vector<std::function<double&(NetworkParameters&)>> scalars = {
      [](auto& p) -> double& { return p.linear_gain; },
      [](auto& p) -> double& { return p.clip; },
      [](auto& p) -> double& { return p.schedule.layers[0].variance; },
      [](auto& p) -> double& { return p.schedule.layers[0].information; },
      [](auto& p) -> double& { return p.schedule.layers[0].precision; },
      [](auto& p) -> double& { return p.schedule.layers[0].memory; },
      [](auto& p) -> double& { return p.schedule.layers[0].onsager; },
      [](auto& p) -> double& { return p.schedule.layers[0].damping; }};
  const Encoded encoded = encode_all(model_with(ScaleKind::f16), sparse_rows(3, kDim, 9));
  int refused = 0;
  for (std::size_t which = 0; which < scalars.size(); ++which) {
    for (const double value : {-1e300, -1e38, -1.0, 0.0, 1e-300, 1e20, 1e38, 1e300}) {
      const std::optional<Model> model = with_scalars([&](auto& p) { scalars[which](p) = value; });
      if (!model) continue;
      for (const int layers : {0, -1}) {
        try {
          const Matrix<float> x = decode_all(*model, encoded, layers);
          for (const float v : x.values()) ASSERT_TRUE(std::isfinite(v)) << "scalar " << which << " = " << value;
        } catch (const Error& e) {
          EXPECT_THAT(e.what(), ::testing::HasSubstr("row 0 decodes to a value that is not finite")) << which;
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 0) << "no decoded value was ever too large: the check that is tested here was not met";
}

class CodecOnFiles : public CodecFiles {
 protected:
  const Matrix<float> x_ = sparse_rows(10000, kDim, 11);  // three blocks of codes, two chunks of work
};

TEST_F(CodecOnFiles, FilesHoldWhatRowsGive) {
  for (const ScaleKind kind : {ScaleKind::none, ScaleKind::f16, ScaleKind::f32}) {
    const Model model = model_with(kind);
    const auto source = matrix_source(x_, "rows");
    std::size_t last = 0;
    std::size_t total = 0;
    const Progress progress = [&](std::size_t done, std::size_t of) { last = done, total = of; };
    EXPECT_EQ(encode_file(model, *source, path("C.sfc"), {2, progress}), x_.rows());
    EXPECT_EQ(last, x_.rows());
    EXPECT_EQ(total, x_.rows());
    const Encoded encoded = encode_all(model, x_);
    std::size_t row = 0;
    CodeReader reader(path("C.sfc"));
    EXPECT_EQ(reader.header().fingerprint, fingerprint(model));
    for (CodeBlock b = reader.read_block(); b.rows > 0; b = reader.read_block()) {
      EXPECT_TRUE(std::equal(b.codes.data(), b.codes.data() + b.codes.size(), encoded.codes.row(row).data()));
      if (kind != ScaleKind::none) {
        EXPECT_TRUE(std::equal(b.scales.begin(), b.scales.end(), &encoded.scales[row]));
      }
      row += b.rows;
    }
    EXPECT_EQ(row, x_.rows());
    for (const int layers : {0, 1, -1}) {
      last = 0;
      EXPECT_EQ(decode_file(model, path("C.sfc"), path("X.npy"), layers, {2, progress}), x_.rows());
      EXPECT_EQ(last, x_.rows());
      EXPECT_TRUE(same(read_all(*open_source(path("X.npy"))), decode_all(model, encoded, layers)));
    }
  }
}

TEST_F(CodecOnFiles, SomeOfTheVectorsAreDecodedToTheSameNumbers) {
  const Model model = model_with(ScaleKind::f16);
  encode_file(model, *matrix_source(x_, "rows"), path("C.sfc"), {});
  const Matrix<float> all = decode_all(model, encode_all(model, x_));
  const std::uint64_t rows = x_.rows();
  for (const RowRange range : {RowRange{0, 1}, {5, 7}, {rows - 1, UINT64_MAX}, {0, rows}, {rows, 0}}) {
    CodeReader reader(path("C.sfc"));
    AtomicFile out(path("X.npy"));
    const std::uint64_t count = range.count == UINT64_MAX ? rows - range.first : range.count;
    EXPECT_EQ(decode_file(model, reader, out, -1, range, {}), count);
    if (count == 0) continue;  // a file without vectors is no source
    const Matrix<float> some = read_all(*open_source(path("X.npy")));
    ASSERT_EQ(some.rows(), count);
    EXPECT_TRUE(std::equal(some.data(), some.data() + some.size(), all.row(range.first).data()));
  }
  for (const RowRange range : {RowRange{rows, 1}, {rows + 1, UINT64_MAX}, {0, rows + 1}, {5, UINT64_MAX - 1}}) {
    CodeReader reader(path("C.sfc"));
    AtomicFile out(path("Y.npy"));
    expect_error([&] { decode_file(model, reader, out, -1, range, {}); }, "C.sfc has");
  }
}

TEST_F(CodecOnFiles, ErrorsOfDecodingSayWhere) {
  Model model = model_with(ScaleKind::f16);
  encode_file(model, *matrix_source(x_, "x"), path("x.sfc"), {});
  NetworkParameters p;
  p.linear_gain = 1e300;
  p.prior = iid_prior(parse_prior("gaussian"));
  model.network.emplace(model.encoder, make_basis("identity", kDim), std::move(p));
  CodeReader reader(path("x.sfc"));
  AtomicFile out(path("x.npy"));
  expect_error([&] { decode_file(model, reader, out, 0, {.first = 9000, .count = 3}, {}); },
               "x.sfc, vectors from 9000 on: row 0 decodes to a value that is not finite");
}

TEST_F(CodecOnFiles, CodesOfAnotherModelAreRefused) {
  const Model model = model_with(ScaleKind::f16);
  encode_file(model, *matrix_source(x_, "rows"), path("C.sfc"), {});
  FitOptions options;
  options.encoder = "hadamard";
  options.seed = 2;
  const Model other = small_model(kDim, options);
  expect_error([&] { decode_file(other, path("C.sfc"), path("X.npy"), -1, {}); },
               fmt::format("C.sfc was written by another model (fingerprint {:016x}, this model {:016x})",
                           fingerprint(model), fingerprint(other)));
  EXPECT_FALSE(std::filesystem::exists(path("X.npy")));
}

TEST_F(CodecOnFiles, AnotherBasisDecodesTheSameCodes) {
  const Model model = model_with(ScaleKind::f16);
  encode_file(model, *matrix_source(x_, "rows"), path("C.sfc"), {});
  FitOptions options;
  options.encoder = "hadamard";
  options.basis = "dct2:3x4";
  EXPECT_EQ(decode_file(small_model(kDim, options), path("C.sfc"), path("X.npy"), -1, {}), x_.rows());
}

TEST_F(CodecOnFiles, NothingIsLeftAfterAFailure) {
  const Model model = model_with(ScaleKind::f16);
  Matrix<float> bad = x_.clone();
  bad(9000, 2) = 1e20F;
  expect_error([&] { encode_file(model, *matrix_source(bad, "bad rows"), path("C.sfc"), {}); }, "bad rows");
  bad(9000, 2) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(encode_file(model, *matrix_source(bad, "bad rows"), path("C.sfc"), {}), Error);
  const Matrix<float> wide = sparse_rows(3, 100, 1);
  expect_error([&] { encode_file(model, *matrix_source(wide, "X.npy"), path("C.sfc"), {}); },
               "X.npy has 100 coordinates per vector, the model wants 12");
  EXPECT_TRUE(empty());

  encode_file(model, *matrix_source(x_, "rows"), path("C.sfc"), {});
  std::vector<std::byte> bytes = read_file(path("C.sfc"), 1 << 20);
  bytes[bytes.size() - 100] ^= std::byte{1};
  write_quickly(path("C.sfc"), bytes);
  expect_error([&] { decode_file(model, path("C.sfc"), path("X.npy"), -1, {}); }, "C.sfc is damaged");
  std::filesystem::remove(path("C.sfc"));
  EXPECT_TRUE(empty());
}

TEST_F(CodecOnFiles, CanBeInterrupted) {
  const Model model = model_with(ScaleKind::f16);
  const Progress stop = [](std::size_t, std::size_t) { request_interrupt(); };
  EXPECT_THROW(encode_file(model, *matrix_source(x_, "rows"), path("C.sfc"), {1, stop}), Error);
  clear_interrupt();
  EXPECT_TRUE(empty());
}

TEST(Evaluate, MeasuresWhatDecodingGives) {
  const Matrix<float> x = sparse_rows(500, kDim, 12);
  for (const bool center : {true, false}) {
    FitOptions options;
    options.encoder = "hadamard";
    options.basis = "pca";
    options.center = center ? Centering::always : Centering::never;
    options.decoder = "rigamp:3";
    const Model model = small_model(kDim, options);
    const Evaluation result = evaluate(model, *matrix_source(x, "rows"), {2, {}});
    const Encoded encoded = encode_all(model, x);
    EXPECT_EQ(result.vectors, x.rows());
    ASSERT_EQ(result.layers.size(), static_cast<std::size_t>(model.network->layers()) + 1);
    for (std::size_t t = 0; t < result.layers.size(); ++t) {
      const Matrix<float> decoded = decode_all(model, encoded, static_cast<int>(t));
      std::vector<double> e(x.rows());
      std::vector<double> q(x.rows());
      for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < kDim; ++j) {
          e[i] += std::pow(double{x(i, j)} - decoded(i, j), 2);
          q[i] += std::pow(double{x(i, j)} - model.reference_mean()[j], 2);
        }
      }
      double sum_e = 0;
      double sum_q = 0;
      for (std::size_t i = 0; i < x.rows(); ++i) sum_e += e[i], sum_q += q[i];
      const double risk = sum_e / sum_q;
      EXPECT_NEAR(result.layers[t].measured, risk, 1e-12);  // the order of double sums
      // The jackknife, another road to the same standard error; they differ by O(1/n).
      double spread = 0;
      double mean = 0;
      for (std::size_t i = 0; i < x.rows(); ++i) mean += (sum_e - e[i]) / (sum_q - q[i]) / 500;
      for (std::size_t i = 0; i < x.rows(); ++i) spread += std::pow((sum_e - e[i]) / (sum_q - q[i]) - mean, 2);
      EXPECT_NEAR(result.layers[t].stderr_, std::sqrt(spread * 499 / 500), 0.02 * result.layers[t].stderr_);
      EXPECT_EQ(result.layers[t].predicted, model.predicted_risk(static_cast<int>(t)));
    }
  }
}

TEST(Evaluate, NeedsVectorsThatAreNotTheMean) {
  const Model model = model_with(ScaleKind::f16);
  Matrix<float> x(2, kDim);
  for (std::size_t i = 0; i < 2; ++i) std::ranges::copy(model.transform.mean, x.row(i).begin());
  expect_error([&] { evaluate(model, *matrix_source(x, "rows"), {}); }, "every vector equals the training mean");
}

}  // namespace
}  // namespace signfold
