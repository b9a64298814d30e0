// Real data: Fashion-MNIST from the Debian package, an encoder that never saw it, a prior learned in the PCA basis.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "signfold/base/folder_for_test.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"

namespace signfold {
namespace {

const std::string kFolder = "/usr/share/datasets/fashion-mnist/";

class FashionMnist : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "install the Debian package dataset-fashion-mnist";
  }

  static Model fit_model(double rate, const std::string& basis, std::uint64_t rows) {
    FitOptions options;
    options.rate = rate;
    options.encoder = "hadamard";
    options.basis = basis;
    options.center = Centering::always;
    options.scale = ScaleKind::f16;
    options.max_rows = rows;
    const auto train = open_source(kFolder + "train-images-idx3-ubyte.gz");
    return fit(*train, options);
  }

  static double best_risk(const Model& model) {
    const auto test = open_source(kFolder + "t10k-images-idx3-ubyte.gz");
    const Evaluation result = evaluate(model, *test, {});
    EXPECT_EQ(result.vectors, 10000U);
    return std::ranges::min_element(result.layers, {}, &LayerRisk::measured)->measured;
  }
};

TEST_F(FashionMnist, OneBitPerPixel) { EXPECT_LE(best_risk(fit_model(1, "pca", 60000)), 0.105); }

TEST_F(FashionMnist, OneBitPerEightPixels) {
  const Model model = fit_model(0.125, "pca", 60000);
  EXPECT_EQ(model.bits(), 98U);
  EXPECT_LE(best_risk(model), 0.29);
}

TEST_F(FashionMnist, TheBasisIsChosenAfterEncoding) {
  const TemporaryFolder folder;
  const std::string codes = folder.path("basis.sfc");
  const std::string decoded = folder.path("basis.npy");
  const Model encoder = fit_model(0.5, "identity", 3000);
  const auto test = open_source(kFolder + "t10k-images-idx3-ubyte.gz");
  encode_file(encoder, *test, codes, {});
  for (const char* basis : {"identity", "pca", "dct2:28x28"}) {
    const Model decoder = fit_model(0.5, basis, 3000);
    EXPECT_EQ(fingerprint(decoder), fingerprint(encoder)) << basis;
    EXPECT_EQ(decode_file(decoder, codes, decoded, -1, {}), 10000U) << basis;
  }
}

}  // namespace
}  // namespace signfold
