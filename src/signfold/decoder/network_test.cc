#include "signfold/decoder/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"
#include "signfold/base/random.h"
#include "signfold/decoder/codes_for_test.h"
#include "signfold/decoder/decoder.h"
#include "signfold/encoder/dense.h"
#include "signfold/encoder/hadamard.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

/// docs/rigamp.md section 3.2 read aloud: explicit matrices, double precision, no tables, one vector.
std::vector<Vector> slow_layers(const Matrix<float>& b, const Vector& z, const NetworkParameters& p) {
  const std::size_t n = b.rows();
  const std::size_t d = b.cols();
  const double rate = static_cast<double>(n) / static_cast<double>(d);
  Vector ghat(n, 0.0), s(n, 0.0), xhat(d, 0.0), y(d, 0.0);
  std::vector<Vector> estimates;
  double onsager = 0;
  double surprise_before = 0;
  bool lost = false;
  for (std::size_t t = 0; t < p.schedule.layers.size(); ++t) {
    const LayerScalars& layer = p.schedule.layers[t];
    const double root = std::sqrt(layer.variance);
    for (std::size_t i = 0; i < n && t > 0; ++i) {
      double product = 0;
      for (std::size_t j = 0; j < d; ++j) product += b(i, j) * xhat[j];
      const double fresh = layer.memory * (product - onsager * s[i]) - (layer.memory - 1) * ghat[i];
      ghat[i] = layer.damping * fresh + (1 - layer.damping) * ghat[i];
    }
    for (std::size_t i = 0; i < n; ++i) {
      s[i] = z[i] * root * hazard(std::max(z[i] * ghat[i] / root, -p.clip)) / layer.information;
    }
    for (std::size_t j = 0; j < d; ++j) {
      double product = 0;
      for (std::size_t i = 0; i < n; ++i) product += b(i, j) * s[i];
      const double fresh = (product + rate * layer.memory * xhat[j]) / rate - (layer.memory - 1) * y[j];
      y[j] = layer.damping * fresh + (1 - layer.damping) * y[j];
    }
    double energy = 0;
    for (const double v : s) energy += v * v;
    const double surprise = energy / static_cast<double>(n) * layer.information / layer.variance;
    lost = lost || (t > 1 && surprise > 3 && surprise > surprise_before);
    surprise_before = surprise;
    for (std::size_t j = 0; j < d && !lost; ++j) xhat[j] = coordinate_posterior(p.prior, j, y[j], layer.precision).mean;
    onsager = layer.onsager;
    estimates.push_back(xhat);
  }
  return estimates;
}

struct Case {
  PriorPtr prior;
  double rate;
  int layers;
};

class NetworkAgainstOracle : public testing::TestWithParam<int> {
 protected:
  static Case get() {
    const Case cases[] = {{make_sparse_gaussian(0.1), 1.0, 4},
                          {make_sparse_gaussian(0.3), 0.5, 3},
                          {make_sparse_rademacher(0.5), 2.0, 4},
                          {make_sparse_laplace(0.3), 1.25, 3}};
    return cases[GetParam()];
  }
};

TEST_P(NetworkAgainstOracle, EveryLayerIsTheDocumentedRecursion) {
  const Case c = get();
  const EncoderPtr encoder = make_hadamard(shape_for_rate(200, c.rate), 5);
  const DecoderChoice choice = parse_decoder("rigamp:" + std::to_string(c.layers));
  const Network network(encoder, make_basis("identity", 200), compile_decoder(choice, *encoder, iid_prior(c.prior)));
  ASSERT_EQ(network.layers(), c.layers);
  const Codes codes = encode_samples(*encoder, *c.prior, 5, 17);
  const std::vector<float> ones(5, 1.0F);
  const Matrix<float> b = explicit_matrix(*encoder);
  Matrix<float> x(5, 200);
  for (int t = 1; t <= c.layers; ++t) {
    network.decode(codes.bits, ones, t, x);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto slow = slow_layers(b, signs(codes.bits.row(i), encoder->bits()), network.parameters());
      for (std::size_t j = 0; j < 200; ++j) {
        // float32 products of 200 terms (1e-5) through at most four layers whose slopes stay below 10.
        ASSERT_NEAR(x(i, j), slow[static_cast<std::size_t>(t - 1)][j], 2e-3)
            << "layer " << t << ", row " << i << ", coordinate " << j << ", seed 17";
      }
    }
  }
}

TEST(NetworkTables, ChangeTheRiskByLessThanATenThousandth) {
  constexpr std::size_t kDim = 256;
  constexpr std::size_t kRows = 24;
  for (const PriorPtr& prior : {make_sparse_gaussian(0.1), make_sparse_gaussian(0.3), make_sparse_laplace(0.2)}) {
    const EncoderPtr encoder = make_hadamard({kDim, kDim}, 5);
    const Network network(encoder, make_basis("identity", kDim),
                          compile_decoder(parse_decoder("rigamp:5"), *encoder, iid_prior(prior)));
    const Codes codes = encode_samples(*encoder, *prior, kRows, 23);
    const Matrix<float> b = explicit_matrix(*encoder);
    Matrix<float> x(kRows, kDim);
    network.decode(codes.bits, std::vector<float>(kRows, 1.0F), 5, x);
    double difference = 0;  // of the squared errors, with and without tables
    double energy = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
      const auto slow = slow_layers(b, signs(codes.bits.row(i), encoder->bits()), network.parameters());
      std::vector<float> drawn(kDim);
      sample_row(*prior, 23, i, drawn);
      for (std::size_t j = 0; j < kDim; ++j) {
        const double truth = drawn[j] / codes.scales[i];
        difference += (x(i, j) - truth) * (x(i, j) - truth) - (slow.back()[j] - truth) * (slow.back()[j] - truth);
        energy += truth * truth;
      }
    }
    EXPECT_LT(std::abs(difference / energy), 1e-4) << prior->name() << ", seed 23";
  }
}

TEST(NetworkGuards, ALostRowKeepsItsLastGoodEstimate) {
  // Very sparse vectors at d = 100 leave the trajectory of state evolution now and then (docs/rigamp.md, guard G8).
  const PriorPtr prior = make_sparse_gaussian(0.02);
  const EncoderPtr encoder = make_hadamard({100, 300}, 5);
  const DecoderChoice choice = parse_decoder("rigamp:12");
  const Network network(encoder, make_basis("identity", 100), compile_decoder(choice, *encoder, iid_prior(prior)));
  const std::size_t rows = 400;
  const Codes codes = encode_samples(*encoder, *prior, rows, 19);
  const std::vector<float> ones(rows, 1.0F);
  Matrix<float> before(rows, 100), after(rows, 100);
  network.decode(codes.bits, ones, network.layers() - 1, before);
  network.decode(codes.bits, ones, network.layers(), after);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    if (codes.scales[i] == 0) continue;  // a zero vector has no code of its own
    kept += std::ranges::equal(before.row(i), after.row(i));
    for (const float v : after.row(i)) ASSERT_TRUE(std::isfinite(v)) << "row " << i << ", seed 19";
  }
  EXPECT_GT(kept, 0U) << "no row was ever lost, seed 19: this test shows nothing";
  EXPECT_LT(kept, rows / 4) << "seed 19";
}

INSTANTIATE_TEST_SUITE_P(Priors, NetworkAgainstOracle, testing::Range(0, 4));

class NetworkTest : public testing::Test {
 protected:
  static constexpr std::size_t kDim = 96;
  static constexpr std::size_t kRows = 71;
  PriorPtr prior_ = make_sparse_gaussian(0.2);
  EncoderPtr encoder_ = make_haar({kDim, 80}, 3);
  Network network_{encoder_, make_basis("identity", kDim),
                   compile_decoder(parse_decoder("rigamp:3"), *encoder_, iid_prior(prior_))};
  Codes codes_ = encode_samples(*encoder_, *prior_, kRows, 23);
};

TEST_F(NetworkTest, ARowIsDecodedFromItsOwnCodeAlone) {
  Matrix<float> together(kRows, kDim);
  network_.decode(codes_.bits, codes_.scales, -1, together);
  Matrix<float> alone(1, kDim);
  for (std::size_t i = 0; i < kRows; ++i) {
    network_.decode(codes_.bits.view().row_range(i, 1), std::span(codes_.scales).subspan(i, 1), -1, alone);
    EXPECT_THAT(alone.row(0), testing::ElementsAreArray(together.row(i))) << "row " << i;
  }
}

TEST_F(NetworkTest, ScalesMultiplyAndZeroGivesExactlyZero) {
  Matrix<float> unit(kRows, kDim);
  network_.decode(codes_.bits, std::vector<float>(kRows, 1.0F), 2, unit);
  std::vector<float> scales(kRows, 4.0F);
  scales[5] = 0;
  Matrix<float> scaled(kRows, kDim);
  network_.decode(codes_.bits, scales, 2, scaled);
  for (std::size_t j = 0; j < kDim; ++j) {
    EXPECT_EQ(scaled(0, j), 4 * unit(0, j));  // a power of two: exact
    EXPECT_EQ(scaled(5, j), 0);
  }
}

TEST_F(NetworkTest, LayersSeenInOnePassAreThoseDecodedOneByOne) {
  Matrix<float> one(kRows, kDim);
  for (int wanted = 0; wanted <= network_.layers(); ++wanted) {
    network_.decode(codes_.bits, codes_.scales, wanted, one);
    std::size_t seen = 0;
    network_.decode_layers(codes_.bits, codes_.scales, [&](int layer, std::size_t first, MatrixView<const float> x) {
      if (layer != wanted) return;
      for (std::size_t i = 0; i < x.rows; ++i) {
        EXPECT_THAT(x.row(i), testing::ElementsAreArray(one.row(first + i))) << "layer " << layer;
      }
      seen += x.rows;
    });
    EXPECT_EQ(seen, kRows);
  }
}

TEST_F(NetworkTest, ABasisOnlyChangesTheCoordinatesOfThePrior) {
  // The prior lives in the basis Q: decoding (B, Q) is decoding (B Qᵀ, I) and turning back.
  Matrix<double> q(kDim, kDim);
  RandomStream stream(29, Purpose::test);
  for (double& v : q.values()) v = stream.normal();
  orthonormalize_rows(q);
  Matrix<float> rows(kDim, kDim);
  for (std::size_t i = 0; i < q.size(); ++i) rows.data()[i] = static_cast<float>(q.data()[i]);
  const BasisPtr basis = make_matrix_basis("pca", rows.clone());
  const Network rotated(encoder_, basis, compile_decoder(parse_decoder("rigamp:3"), *encoder_, iid_prior(prior_)));

  Matrix<float> product(80, kDim);
  gemm(false, true, 1.0F, dense_matrix(*encoder_), rows, 0.0F, product);
  const EncoderPtr combined = make_dense(product);
  NetworkParameters parameters = compile_decoder(parse_decoder("rigamp:3"), *encoder_, iid_prior(prior_));
  const Network plain(combined, make_basis("identity", kDim), std::move(parameters));

  Matrix<float> x(kRows, kDim), theta(kRows, kDim), back(kRows, kDim);
  rotated.decode(codes_.bits, codes_.scales, -1, x);
  plain.decode(codes_.bits, codes_.scales, -1, theta);
  basis->inverse(theta, back);
  // Same arithmetic up to float32 rounding of the two orders of multiplication.
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x.data()[i], back.data()[i], 2e-3) << "element " << i;
}

TEST_F(NetworkTest, AffineReplacesTheLinearLayer) {
  NetworkParameters parameters;
  parameters.prior = iid_prior(prior_);
  parameters.affine.matrix = Matrix<float>(80, kDim);
  parameters.affine.matrix(2, 7) = 0.5F;
  parameters.affine.offset.assign(kDim, 0.25F);
  const Network affine(encoder_, make_basis("identity", kDim), std::move(parameters));
  EXPECT_EQ(affine.layers(), 0);
  Matrix<float> x(kRows, kDim);
  affine.decode(codes_.bits, std::vector<float>(kRows, 1.0F), -1, x);
  for (std::size_t i = 0; i < kRows; ++i) {
    EXPECT_EQ(x(i, 7), 0.25F + 0.5F * static_cast<float>(signs(codes_.bits.row(i), 80)[2]));
    EXPECT_EQ(x(i, 8), 0.25F);
  }
}

TEST_F(NetworkTest, RefusesWhatDoesNotFit) {
  Matrix<float> x(kRows, kDim);
  EXPECT_THROW(network_.decode(codes_.bits, codes_.scales, 4, x), Error);
  EXPECT_THROW(network_.decode(codes_.bits, std::span(codes_.scales).subspan(1), 1, x), Error);
  Matrix<float> narrow(kRows, kDim - 1);
  EXPECT_THROW(network_.decode(codes_.bits, codes_.scales, 1, narrow), Error);
  EXPECT_THROW(network_.predicted_risk(4), Error);
}

}  // namespace
}  // namespace signfold
