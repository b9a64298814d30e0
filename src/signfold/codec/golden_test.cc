// Files of version 1 that must be readable for ever: tests/golden/NAME-v1.sfm, .sfc and .npy, the decoded vectors. tiny
// was written by the first release; the others hold every kind of section between them.
// To add a file: a line in kKinds, then SIGNFOLD_WRITE_GOLDEN=1 signfold_codec_tests --gtest_filter='*Golden*', once.
// Files that are there are never written again.
#include <cstdlib>

#include "signfold/codec/for_test.h"
#include "signfold/decoder/rotated_stages.h"
#include "signfold/decoder/staged_for_test.h"
#include "signfold/encoder/dense.h"
#include "signfold/theory/free_cumulants.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

constexpr std::size_t kDim = 12;
const std::string kFolder = SIGNFOLD_SOURCE_DIR "/tests/golden/";

/// Ten vectors made of whole numbers, so that they are the same everywhere.
Matrix<float> golden_rows() {
  Matrix<float> x(10, kDim);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>((i * i * 7 + i * 3) % 23) - 5.0F;
  std::ranges::fill(x.row(9), 6.0F);
  return x;
}

FitOptions with(const std::string& decoder, const std::string& basis = "identity", const std::string& prior = "auto") {
  FitOptions options;
  options.encoder = "hadamard";
  options.decoder = decoder;
  options.basis = basis;
  options.prior = prior;
  options.rate = 1.25;
  return options;
}

Model tiny() { return fit(*matrix_source(golden_rows(), "golden rows"), with("rigamp:2")); }

/// A profile of learned laws (OFFSET, SCALE, SHAPEOF) in a basis that was learned too (BASIS).
Model profile() { return small_model(kDim, with("rigamp:2", "pca")); }

/// AFFINE and AFFOFF; vectors that are not centred (REFMEAN), without stored norms.
Model affine() {
  FitOptions options = with("affine");
  options.center = Centering::never;
  options.scale = ScaleKind::none;
  return small_model(kDim, options);
}

/// EIGVEC and EIGVAL; norms in full.
Model whitened() {
  FitOptions options = with("rigamp:2");
  options.whiten = true;
  options.scale = ScaleKind::f32;
  return small_model(kDim, options);
}

/// MEMORY; an encoder that is stored (DENSE).
Model memory() {
  Model model = small_model(kDim, with("rigamp:2", "identity", "iid"));
  model.encoder = make_dense(sparse_rows(15, kDim, 5));
  const VectorPrior prior = model.network->parameters().prior;
  NetworkParameters parameters;
  parameters.prior = prior;
  parameters.memory = full_memory_evolution(
      prior, 1.25, free_cumulants(model.encoder->spectrum(), 1.25, cumulants_for(3)), 3, {.stop = 0});
  model.network.emplace(model.encoder, make_basis("identity", kDim), std::move(parameters));
  return model;
}

/// Trained layers with splines and a matrix of their own (LAYERMAT): the prior is wrong, so that training leaves it.
/// The file that is there was made by signfold fit --rate 1.25 --encoder hadamard --prior gaussian --decoder network:2
/// --steps 1000 --splines --own-matrix, from other sparse vectors.
Model trained() {
  FitOptions options = with("network:2", "identity", "gaussian");
  options.network = {.steps = 1000, .splines = true, .own_matrix = true};
  return fit(*matrix_source(sparse_rows(2000, kDim, 3), "sparse rows"), options);
}

/// A trained network of four hidden units (MLPLIN, MLPIN, MLPBIAS, MLPOUT, MLPOFF).
Model mlp() {
  Model model = small_model(kDim, with("linear"));
  const auto numbers = [](std::size_t rows, std::size_t cols) { return sparse_rows(rows, cols, rows); };
  model.encoder = make_dense(numbers(7, kDim));
  NetworkParameters parameters;
  parameters.prior = iid_prior(parse_prior("gaussian"));
  parameters.mlp = {
      numbers(7, kDim), numbers(7, 4), {0.1F, -0.2F, 0.3F, 0}, numbers(4, kDim), std::vector<float>(kDim, 0.5F), 0.25};
  model.network.emplace(model.encoder, make_basis("identity", kDim), std::move(parameters));
  return model;
}

/// Stages of 6 and 9 bits (STAGE1, STAGE2).
Model staged() {
  Model model;
  model.transform.mean.assign(kDim, 2.5F);
  model.unit = 6;
  model.scale = ScaleKind::none;
  model.item_shape = {kDim};
  std::vector<Stage> stages = random_stages({6, 9}, 3, kDim);
  stages[0].risk = 0.5;
  stages[1].risk = 0.25;
  model.staged = std::make_shared<TrainedStages>(std::move(stages));
  return model;
}

/// Stages of 5 and 7 rows of one rotation (ROTATED); norms.
Model rotated() {
  Model model;
  model.transform.mean.assign(kDim, 2.5F);
  model.unit = 6;
  model.item_shape = {kDim};
  model.staged = std::make_shared<RotatedStages>(
      plan_rotated_stages(iid_prior(parse_prior("sparse-gaussian:0.5")), kDim, {5, 7}, 3));
  return model;
}

struct Kind {
  const char* name;
  Model (*make)();
  bool portable;  ///< its codes are the same bytes on every machine: no whitening, no stored matrix
  std::size_t bits;
};

constexpr Kind kKinds[] = {{"tiny", tiny, true, 15},       {"profile", profile, true, 15},
                           {"affine", affine, true, 15},   {"whitened", whitened, false, 15},
                           {"memory", memory, false, 15},  {"trained", trained, true, 15},
                           {"mlp", mlp, false, 7},         {"staged", staged, false, 15},
                           {"rotated", rotated, false, 12}};

class Golden : public CodecFiles, public ::testing::WithParamInterface<Kind> {
 protected:
  std::string stored(const char* suffix) const { return kFolder + GetParam().name + "-v1" + suffix; }

  void SetUp() override {
    CodecFiles::SetUp();
    const bool asked = std::getenv("SIGNFOLD_WRITE_GOLDEN") != nullptr;  // NOLINT(concurrency-mt-unsafe)
    if (!asked || std::filesystem::exists(stored(".sfm"))) return;
    const Model model = GetParam().make();
    const Matrix<float> x = golden_rows();
    save_model(model, stored(".sfm"));
    encode_file(model, *matrix_source(x, "golden rows"), stored(".sfc"), {});
    decode_file(model, stored(".sfc"), stored(".npy"), -1, {});
  }
};

TEST_P(Golden, ModelIsReadAndWrittenTheSame) {
  const std::vector<std::byte> bytes = read_file(stored(".sfm"), 1 << 20);
  const Model model = model_from_bytes(bytes, stored(".sfm"));
  EXPECT_EQ(model_to_bytes(model), bytes);
  EXPECT_EQ(model.dim(), kDim);
  EXPECT_EQ(model.bits(), GetParam().bits);
}

TEST_P(Golden, CodesAreTheSameBytes) {
  if (!GetParam().portable) return;  // rounding of one machine's linear algebra may flip a bit
  const Model model = load_model(stored(".sfm"));
  const Matrix<float> x = golden_rows();
  encode_file(model, *matrix_source(x, "golden rows"), path("C.sfc"), {});
  EXPECT_EQ(read_file(path("C.sfc"), 1 << 20), read_file(stored(".sfc"), 1 << 20));
}

TEST_P(Golden, CodesAreDecodedToTheSameVectors) {
  const Model model = load_model(stored(".sfm"));
  EXPECT_EQ(decode_file(model, stored(".sfc"), path("X.npy"), -1, {}), 10U);
  const Matrix<float> now = read_all(*open_source(path("X.npy")));
  const Matrix<float> then = read_all(*open_source(stored(".npy")));
  ASSERT_EQ(now.rows(), then.rows());
  ASSERT_EQ(now.cols(), then.cols());
  // Decoders may change in rounding, and their tables in resolution; values are of size 10.
  for (std::size_t i = 0; i < now.size(); ++i) EXPECT_NEAR(now.data()[i], then.data()[i], 2e-3) << i;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Golden, ::testing::ValuesIn(kKinds),
                         [](const ::testing::TestParamInfo<Kind>& kind) { return kind.param.name; });

}  // namespace
}  // namespace signfold
