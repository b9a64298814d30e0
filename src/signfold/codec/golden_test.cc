// Files of version 1 that must be readable for ever: tests/golden/tiny-v1.sfm and .sfc, written by the first release.
// To add files of a later version: SIGNFOLD_WRITE_GOLDEN=1 signfold_codec_tests --gtest_filter='Golden*', once.
#include <cstdlib>

#include "signfold/codec/for_test.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

const std::string kFolder = SIGNFOLD_SOURCE_DIR "/tests/golden/";

/// Ten vectors made of whole numbers, so that they are the same everywhere.
Matrix<float> golden_rows() {
  Matrix<float> x(10, 12);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>((i * i * 7 + i * 3) % 23) - 5.0F;
  std::ranges::fill(x.row(9), 6.0F);
  return x;
}

class Golden : public CodecFiles {
 protected:
  void SetUp() override {
    CodecFiles::SetUp();
    if (std::getenv("SIGNFOLD_WRITE_GOLDEN") == nullptr) return;  // NOLINT(concurrency-mt-unsafe)
    std::filesystem::create_directories(kFolder);
    FitOptions options;
    options.encoder = "hadamard";
    options.decoder = "rigamp:2";
    options.rate = 1.25;
    const Matrix<float> x = golden_rows();
    const Model model = fit(*matrix_source(x, "golden rows"), options);
    save_model(model, kFolder + "tiny-v1.sfm");
    encode_file(model, *matrix_source(x, "golden rows"), kFolder + "tiny-v1.sfc", {});
    decode_file(model, kFolder + "tiny-v1.sfc", kFolder + "tiny-v1.npy", -1, {});
  }
};

TEST_F(Golden, ModelIsReadAndWrittenTheSame) {
  const std::vector<std::byte> bytes = read_file(kFolder + "tiny-v1.sfm", 1 << 20);
  const Model model = model_from_bytes(bytes, "tiny-v1.sfm");
  EXPECT_EQ(model_to_bytes(model), bytes);
  EXPECT_EQ(model.dim(), 12U);
  EXPECT_EQ(model.bits(), 15U);
  EXPECT_EQ(model.encoder->name(), "hadamard");
}

TEST_F(Golden, CodesAreTheSameBytes) {
  const Model model = load_model(kFolder + "tiny-v1.sfm");
  const Matrix<float> x = golden_rows();
  encode_file(model, *matrix_source(x, "golden rows"), path("C.sfc"), {});
  EXPECT_EQ(read_file(path("C.sfc"), 1 << 20), read_file(kFolder + "tiny-v1.sfc", 1 << 20));
}

TEST_F(Golden, CodesAreDecodedToTheSameVectors) {
  const Model model = load_model(kFolder + "tiny-v1.sfm");
  EXPECT_EQ(decode_file(model, kFolder + "tiny-v1.sfc", path("X.npy"), -1, {}), 10U);
  const Matrix<float> now = read_all(*open_source(path("X.npy")));
  const Matrix<float> then = read_all(*open_source(kFolder + "tiny-v1.npy"));
  ASSERT_EQ(now.rows(), then.rows());
  ASSERT_EQ(now.cols(), then.cols());
  // Decoders may change in rounding, and their tables in resolution; values are of size 10.
  for (std::size_t i = 0; i < now.size(); ++i) EXPECT_NEAR(now.data()[i], then.data()[i], 2e-3) << i;
}

}  // namespace
}  // namespace signfold
