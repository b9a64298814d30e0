#include "signfold/codec/choose_basis.h"

#include "signfold/base/interrupt.h"
#include "signfold/codec/for_test.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests
using ::testing::ElementsAre;
using ::testing::StartsWith;

using Shape = std::vector<std::size_t>;

/// Rows whose coefficients in a basis are i.i.d. with the given law.
Matrix<float> rows_from(const std::string& basis, const char* law, std::size_t rows, std::size_t dim,
                        std::uint64_t seed) {
  const PriorPtr prior = parse_prior(law);
  Matrix<float> theta(rows, dim);
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) sample_row(*prior, seed, i, theta.row(i));
  make_basis(basis, dim)->inverse(theta, x);
  return x;
}

/// Rows of a matrix, which is kept elsewhere, with the shape of images.
class ShapedSource final : public Source {
 public:
  ShapedSource(MatrixView<const float> x, Shape shape) : x_(x), shape_(std::move(shape)) {
    describe("images", x.rows, x.cols);
  }
  Shape item_shape() const override { return shape_; }

 private:
  void do_read(MatrixView<float> block) override {
    for (std::size_t i = 0; i < block.rows; ++i) std::ranges::copy(x_.row(next_++), block.row(i).begin());
  }
  void do_rewind() override { next_ = 0; }

  MatrixView<const float> x_;
  Shape shape_;
  std::size_t next_ = 0;
};

Model fit_images(const Matrix<float>& x, Shape shape, const FitOptions& options) {
  ShapedSource source(x, std::move(shape));
  return fit(source, options);
}

FitOptions any_basis() {
  FitOptions options;
  options.basis = "auto";
  options.threads = 1;
  return options;
}

std::string basis_of(const Model& model) { return model.network->basis().name(); }

TEST(CandidateBases, DependOnTheShape) {
  const auto names = [](const Shape& shape) {
    std::size_t dim = 1;
    for (const std::size_t side : shape) dim *= side;
    return candidate_bases(shape, dim);
  };
  EXPECT_THAT(names({784}), ElementsAre("identity", "pca"));
  EXPECT_THAT(names({28, 28}), ElementsAre("identity", "dct2:28x28", "wavelet2:28x28", "pca"));
  EXPECT_THAT(names({1, 28, 28, 1}), ElementsAre("identity", "dct2:28x28", "wavelet2:28x28", "pca"));
  EXPECT_THAT(names({5, 7}), ElementsAre("identity", "dct2:5x7", "wavelet2:5x7", "pca"));
  EXPECT_THAT(names({3, 32, 32}), ElementsAre("identity", "dct2:32x32x3", "wavelet2:32x32x3", "pca"));
  EXPECT_THAT(names({10, 16, 16}), ElementsAre("identity", "dct2:16x16", "wavelet2:16x16", "pca"));
  EXPECT_THAT(names({32, 32, 3}), ElementsAre("identity", "pca"));  // colours place by place
  EXPECT_THAT(names({200, 2}), ElementsAre("identity", "pca"));
  EXPECT_THAT(names({64, 128}), ElementsAre("identity", "dct2:64x128", "wavelet2:64x128"));
  EXPECT_THAT(names({5000, 5}), ElementsAre("identity"));  // no basis has a side of 5000
  EXPECT_THAT(names({1}), ElementsAre("identity"));
}

TEST(ChooseBasis, MeasuresWhatEvaluateMeasuresOnTheHeldOutRows) {
  const Matrix<float> x = sparse_rows(47, 12, 3);
  const std::vector<std::size_t> expected = {2, 7, 13, 18, 23, 28, 33, 39, 44};  // ⌊(2k + 1)·47/18⌋
  Matrix<float> held_out(9, 12);
  for (std::size_t k = 0; k < 9; ++k) std::ranges::copy(x.row(expected[k]), held_out.row(k).begin());
  std::vector<LayerRisk> risks;
  const std::vector<std::string> names = {"identity", "pca"};
  const BasisChoice choice = choose_basis(x, names, 1, [&](const std::string& basis, MatrixView<float> rows) {
    EXPECT_EQ(rows.rows, 38U);
    EXPECT_EQ(rows(2, 0), x(3, 0));
    EXPECT_EQ(rows(37, 5), x(46, 5));
    FitOptions options;
    options.encoder = "hadamard";
    options.basis = basis;
    Model model = fit(*matrix_source(rows, "rows"), options);
    risks.push_back(evaluate(model, *matrix_source(held_out, "held out"), {1, {}}).layers.back());
    return model;
  });
  ASSERT_EQ(choice.compared.size(), 2U);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(choice.compared[k].basis, names[k]);
    EXPECT_NEAR(choice.compared[k].risk, risks[k].measured, 1e-12);
  }
  EXPECT_EQ(std::min(choice.compared[0].excess_error, choice.compared[1].excess_error), 0) << "the least, from itself";
  EXPECT_EQ(to_string(choice),
            fmt::format("identity {:.4f}, pca {:.4f}", choice.compared[0].risk, choice.compared[1].risk));
}

TEST(ChooseBasis, HoldsOutAtMostAThousandRows) {
  const Matrix<float> x = sparse_rows(5101, 4, 3);
  const std::vector<std::string> names = {"identity"};
  choose_basis(x, names, 1, [&](const std::string& /*basis*/, MatrixView<float> rows) {
    EXPECT_EQ(rows.rows, 4101U);
    return small_model(4, {});
  });
}

TEST(ChooseBasis, SaysWhatIsWrong) {
  const std::vector<std::string> names = {"identity", "pca"};
  const auto choose = [&](const Matrix<float>& x) {
    return [&] {
      choose_basis(x, names, 1, [](const std::string& /*basis*/, MatrixView<float> /*rows*/) {
        FitOptions options;
        options.center = Centering::always;
        Model model = small_model(4, options);
        std::ranges::fill(model.transform.mean, 0.5F);
        return model;
      });
    };
  };
  expect_error(choose(sparse_rows(9, 4, 1)), "at least 10 vectors; there are 9");
  Matrix<float> constant(20, 4);
  std::ranges::fill(constant.values(), 0.5F);
  expect_error(choose(constant), "every held-out vector equals the mean");
}

TEST(FitAnyBasis, FindsTheOneInWhichImagesAreSparse) {
  SCOPED_TRACE("seed 1");
  FitOptions options = any_basis();
  options.prior = "iid";  // quick; with the profile prior: choose_basis_slow_test
  for (const char* basis : {"wavelet2:16x16", "dct2:16x16", "identity"}) {
    const Model model = fit_images(rows_from(basis, "sparse-gaussian:0.1", 150, 256, 1), {16, 16}, options);
    EXPECT_EQ(basis_of(model), basis);
    EXPECT_EQ(model.item_shape, (Shape{16, 16}));
    // At rate 1 the best decoder has 0.061 where the coefficients are sparse, 0.363 where they look Gaussian.
    EXPECT_LT(model.predicted_risk(model.network->layers()), 0.2);
    const std::string compared = model.metadata.at("bases compared");
    EXPECT_THAT(compared, StartsWith("identity 0."));
    for (const char* other : {", dct2:16x16 0.", ", wavelet2:16x16 0.", ", pca 0."}) {
      EXPECT_THAT(compared, ::testing::HasSubstr(other));
    }
  }
}

TEST(FitAnyBasis, PrefersTheSimplestWithinNoise) {
  SCOPED_TRACE("seeds 1 to 3");
  FitOptions options = any_basis();
  options.prior = "iid";
  for (const std::uint64_t seed : {1, 2, 3}) {  // every basis sees the same Gaussian coordinates
    const Matrix<float> x = rows_from("identity", "gaussian", 200, 64, seed);
    EXPECT_EQ(basis_of(fit_images(x, {8, 8}, options)), "identity");
  }
}

/// Two directions, neither along a coordinate, carry most of the energy.
Matrix<float> correlated_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    RandomStream stream(seed, Purpose::test, i);
    const double a = stream.normal();
    const double b = stream.normal();
    for (std::size_t j = 0; j < dim; ++j) {
      x(i, j) = static_cast<float>(a * std::cos(3.0 * static_cast<double>(j * j)) +
                                   b * std::sin(3.0 * static_cast<double>(j * j)) + 0.2 * stream.normal());
    }
  }
  return x;
}

TEST(FitAnyBasis, IsThatOfTheNamedBasisOnAllRows) {
  const Matrix<float> x = correlated_rows(300, 24, 5);
  Model model = fit_images(x, {24}, any_basis());
  EXPECT_EQ(basis_of(model), "pca");
  const std::string compared = model.metadata.at("bases compared");
  EXPECT_THAT(compared, ::testing::MatchesRegex("identity 0\\.[0-9]+, pca 0\\.[0-9]+")) << "vectors are no images";
  model.metadata.erase("bases compared");
  FitOptions named = any_basis();
  named.basis = "pca";
  EXPECT_EQ(model_to_bytes(model), model_to_bytes(fit_images(x, {24}, named)));
}

TEST(FitAnyBasis, DoesNotDependOnThreads) {
  const auto bytes = [](const Shape& shape, const char* prior, int threads) {
    FitOptions options = any_basis();
    options.prior = prior;
    options.threads = threads;
    return model_to_bytes(fit_images(correlated_rows(120, 25, 6), shape, options));
  };
  EXPECT_EQ(bytes({5, 5}, "iid", 3), bytes({5, 5}, "iid", 1));
  EXPECT_EQ(bytes({25}, "auto", 3), bytes({25}, "auto", 1));
}

TEST(FitAnyBasis, IsTheIdentityWhereNothingElseFits) {
  const Matrix<float> x = correlated_rows(200, 16, 7);
  const auto with = [](const char* encoder, const char* decoder) {
    FitOptions options = any_basis();
    options.encoder = encoder;
    options.decoder = decoder;
    return options;
  };
  for (const FitOptions& options : {with("identity", "auto"), with("mixed", "auto"), with("mixed:0.5", "auto"),
                                    with("hadamard", "affine"), with("auto", "linear")}) {
    const Model model = fit_images(x, {16}, options);
    EXPECT_EQ(basis_of(model), "identity") << options.encoder << " " << options.decoder;
    EXPECT_FALSE(model.metadata.contains("bases compared"));
  }
  EXPECT_EQ(model_for_prior(parse_prior("sparse-rademacher:0.8"), 16, any_basis()).encoder->name(),
            model_for_prior(parse_prior("sparse-rademacher:0.8"), 16, {}).encoder->name());
}

TEST(FitAnyBasis, UsesAtMostTheRowsAskedFor) {
  FitOptions options = any_basis();
  options.max_rows = 60;
  const Matrix<float> x = correlated_rows(300, 16, 8);
  Matrix<float> fifth(60, 16);
  for (std::size_t i = 0; i < 60; ++i) std::ranges::copy(x.row(5 * i), fifth.row(i).begin());
  const Model model = fit_images(x, {16}, options);
  EXPECT_EQ(model.metadata.at("vectors used"), "60");
  EXPECT_EQ(model_to_bytes(model), model_to_bytes(fit_images(fifth, {16}, options)));
}

TEST(FitAnyBasis, ReportsItsProgressAndListensBetweenCandidates) {
  const Matrix<float> x = correlated_rows(100, 16, 9);
  FitOptions options = any_basis();
  std::vector<std::size_t> steps;
  options.progress = [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(total, 10U);  // reading; three steps of identity, of pca, and of the one chosen
    steps.push_back(done);
  };
  fit_images(x, {16}, options);
  EXPECT_EQ(steps, (std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  steps.clear();
  options.progress = [&](std::size_t done, std::size_t /*total*/) {
    steps.push_back(done);
    if (done == 4) request_interrupt();
  };
  try {
    fit_images(x, {16}, options);
    ADD_FAILURE() << "it did not stop";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::interrupted);
  }
  clear_interrupt();
  EXPECT_EQ(steps.size(), 4U);
}

TEST(FitAnyBasis, SaysWhatIsWrong) {
  expect_error([] { fit_images(correlated_rows(9, 16, 1), {16}, any_basis()); }, "name the basis");
  FitOptions options = any_basis();
  options.encoder = "spam";
  expect_error([&] { fit_images(correlated_rows(20, 16, 1), {16}, options); }, "spam");
}

}  // namespace
}  // namespace signfold
