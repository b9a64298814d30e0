#include "signfold/decoder/full_memory_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "signfold/base/random.h"
#include "signfold/decoder/codes_for_test.h"
#include "signfold/decoder/decoder.h"
#include "signfold/encoder/dense.h"
#include "signfold/encoder/hadamard.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/free_cumulants.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

constexpr std::uint64_t kSeed = 41;

/// Σ weights[j]·terms[j].
Vector combination(const Vector& weights, const std::vector<Vector>& terms) {
  Vector sum(terms[0].size(), 0.0);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weights[j] * terms[j][i];
  }
  return sum;
}

Vector minus(Vector a, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

Vector product(const Matrix<float>& b, const Vector& x) {
  Vector out(b.rows(), 0.0);
  for (std::size_t i = 0; i < b.rows(); ++i) {
    for (std::size_t j = 0; j < b.cols(); ++j) out[i] += b(i, j) * x[j];
  }
  return out;
}

Vector adjoint(const Matrix<float>& b, const Vector& s) {
  Vector out(b.cols(), 0.0);
  for (std::size_t i = 0; i < b.rows(); ++i) {
    for (std::size_t j = 0; j < b.cols(); ++j) out[j] += b(i, j) * s[i];
  }
  return out;
}

/// docs/rigamp.md section 4.5 read aloud: explicit matrices, double precision, no tables, one vector; x̂ of every layer.
/// Guard G8 is left out: no row of these tests is lost.
std::vector<Vector> slow_layers(const Matrix<float>& b, const Vector& z, const NetworkParameters& p) {
  std::vector<Vector> s, x, xhat, r;
  Vector ghat(b.rows(), 0.0);
  for (const MemoryLayer& layer : p.memory.layers) {
    if (!r.empty()) ghat = combination(layer.outputs, r);
    Vector score(b.rows());
    const double root = std::sqrt(layer.variance);
    for (std::size_t i = 0; i < score.size(); ++i) {
      score[i] = z[i] * root * hazard(std::max(z[i] * ghat[i] / root, -p.clip)) / layer.information;
    }
    s.push_back(score);
    x.push_back(adjoint(b, score));
    if (!xhat.empty()) x.back() = minus(x.back(), combination(layer.correction, xhat));
    Vector estimate = combination(layer.inputs, x);
    for (std::size_t j = 0; j < estimate.size(); ++j) {
      estimate[j] = coordinate_posterior(p.prior, j, estimate[j], layer.precision).mean;
    }
    xhat.push_back(estimate);
    r.push_back(minus(product(b, estimate), combination(layer.onsager, s)));
  }
  return xhat;
}

EncoderPtr disturbed_rotation(EncoderShape shape, double epsilon) {
  Matrix<float> b = explicit_matrix(*make_haar(shape, kSeed));
  RandomStream stream(kSeed, Purpose::test);
  const double size = epsilon / std::sqrt(static_cast<double>(shape.dim));
  for (float& v : b.values()) v += static_cast<float>(size * stream.normal());
  return make_dense(b);
}

struct Case {
  PriorPtr prior;
  double rate;
  double epsilon;
};

class FullMemoryPassAgainstOracle : public testing::TestWithParam<int> {
 protected:
  static Case get() {
    const Case cases[] = {{make_sparse_gaussian(0.1), 1.0, 10},  // 10: nearly a Gaussian matrix
                          {make_sparse_gaussian(0.3), 0.5, 0.3},
                          {make_sparse_rademacher(0.5), 2.0, 0.3},
                          {make_sparse_laplace(0.3), 1.25, 0.1}};
    return cases[GetParam()];
  }
};

TEST_P(FullMemoryPassAgainstOracle, EveryLayerIsTheDocumentedRecursion) {
  const Case c = get();
  const EncoderPtr encoder = disturbed_rotation(shape_for_rate(200, c.rate), c.epsilon);
  const Network network(encoder, make_basis("identity", 200),
                        compile_decoder(parse_decoder("rigamp:4"), *encoder, iid_prior(c.prior)));
  ASSERT_EQ(decoder_form(network.parameters()), "full-memory");
  ASSERT_GE(network.layers(), 3);
  // 40 rows: the second block finds what the first one left.
  const std::size_t rows = 40;
  const Codes codes = encode_samples(*encoder, *c.prior, rows, kSeed);
  const std::vector<float> ones(rows, 1.0F);
  Matrix<float> x(rows, 200);
  for (int t = 1; t <= network.layers(); ++t) {
    network.decode(codes.bits, ones, t, x);
    for (const std::size_t i : {std::size_t{0}, std::size_t{35}}) {
      const auto slow =
          slow_layers(explicit_matrix(*encoder), signs(codes.bits.row(i), encoder->bits()), network.parameters());
      for (std::size_t j = 0; j < 200; ++j) {
        // float32 products of 200 terms (1e-5) through at most four layers whose slopes stay below 10.
        ASSERT_NEAR(x(i, j), slow[static_cast<std::size_t>(t - 1)][j], 2e-3)
            << "layer " << t << ", row " << i << ", coordinate " << j << ", seed " << kSeed;
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Cases, FullMemoryPassAgainstOracle, testing::Range(0, 4));

/// The full-memory form from the spectrum of an orthonormal encoder.
Network full_memory_network(const EncoderPtr& encoder, const VectorPrior& prior, int layers, double ridge) {
  NetworkParameters p;
  p.prior = prior;
  const double rate = encoder->shape().rate();
  const std::vector<double> cumulants = free_cumulants(encoder->spectrum(), rate, cumulants_for(layers));
  p.memory = full_memory_evolution(prior, rate, cumulants, layers, {.ridge = ridge});
  return {encoder, make_basis("identity", encoder->dim()), std::move(p)};
}

Network two_term_network(const EncoderPtr& encoder, const VectorPrior& prior, int layers) {
  NetworkParameters p;
  p.prior = prior;
  p.schedule = state_evolution(prior, encoder->shape().rate(), layers);
  return {encoder, make_basis("identity", encoder->dim()), std::move(p)};
}

/// The mean square of the differences of elements.
double mean_square_distance(const Matrix<float>& a, const Matrix<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a.data()[i]) - b.data()[i], 2);
  return sum / static_cast<double>(a.size());
}

struct Rotation {
  const char* prior;
  double rate;
};
class FormsAgree : public testing::TestWithParam<Rotation> {};

TEST_P(FormsAgree, OnTheSameCodesOfAnOrthonormalEncoder) {
  const auto [name, rate] = GetParam();
  const PriorPtr law = parse_prior(name);
  const VectorPrior prior = iid_prior(law);
  constexpr std::size_t kDim = 512;
  constexpr std::size_t kRows = 64;
  constexpr int kLayers = 5;
  const EncoderPtr encoder = make_hadamard(shape_for_rate(kDim, rate), kSeed);
  const Codes codes = encode_samples(*encoder, *law, kRows, kSeed);
  Matrix<float> x(kRows, kDim);
  for (std::size_t i = 0; i < kRows; ++i) sample_row(*law, kSeed, i, x.row(i));
  const Network two_term = two_term_network(encoder, prior, kLayers);
  const Network exact = full_memory_network(encoder, prior, kLayers, 0);
  const Network guarded = full_memory_network(encoder, prior, kLayers, MemoryOptions().ridge);
  const int layers = std::min({two_term.layers(), exact.layers(), guarded.layers()});
  ASSERT_GE(layers, 2);
  Matrix<float> a(kRows, kDim), b(kRows, kDim), c(kRows, kDim);
  for (int t = 1; t <= layers; ++t) {
    two_term.decode(codes.bits, codes.scales, t, a);
    exact.decode(codes.bits, codes.scales, t, b);
    guarded.decode(codes.bits, codes.scales, t, c);
    SCOPED_TRACE(testing::Message() << "layer " << t << ", seed " << kSeed);
    // Relative to E x² = 1. Without the ridge only float32 differs; the ridge moves vectors by up to 1e-3, and so their
    // risk by the square of that where they are best.
    EXPECT_LT(std::sqrt(mean_square_distance(a, b)), 1e-4);
    EXPECT_LT(std::sqrt(mean_square_distance(a, c)), 2e-3);
    EXPECT_NEAR(mean_square_distance(a, x), mean_square_distance(c, x), 1e-4);
  }
}
void PrintTo(const Rotation& r, std::ostream* os) { *os << r.prior << " r=" << r.rate; }
constexpr Rotation kRotations[] = {
    {"sparse-gaussian:0.1", 0.5}, {"sparse-gaussian:0.1", 1},   {"sparse-gaussian:0.1", 2},  {"sparse-gaussian:0.3", 1},
    {"sparse-rademacher:0.5", 2}, {"sparse-rademacher:0.5", 1}, {"sparse-laplace:0.3", 1.25}};
INSTANTIATE_TEST_SUITE_P(Rotations, FormsAgree, testing::ValuesIn(kRotations));

TEST(FullMemoryPass, ARowIsDecodedFromItsOwnCodeAlone) {
  const PriorPtr prior = make_sparse_gaussian(0.2);
  const EncoderPtr encoder = disturbed_rotation({96, 120}, 0.5);
  const Network network(encoder, make_basis("identity", 96),
                        compile_decoder(parse_decoder("rigamp:4"), *encoder, iid_prior(prior)));
  ASSERT_EQ(network.layers(), 4);
  constexpr std::size_t kRows = 71;
  const Codes codes = encode_samples(*encoder, *prior, kRows, kSeed);
  Matrix<float> together(kRows, 96), alone(1, 96);
  network.decode(codes.bits, codes.scales, -1, together);
  for (std::size_t i = 0; i < kRows; ++i) {
    network.decode(codes.bits.view().row_range(i, 1), std::span(codes.scales).subspan(i, 1), -1, alone);
    EXPECT_THAT(alone.row(0), testing::ElementsAreArray(together.row(i))) << "row " << i;
  }
}

TEST(FullMemoryPass, KnowsTheBasisAndTheProfileOfThePrior) {
  // Half of the DCT coefficients carry nearly all energy: the layers must see the profile in that basis.
  constexpr std::size_t kDim = 64;
  VectorPrior prior = iid_prior(make_gaussian());
  prior.offset.assign(kDim, 0.0F);
  for (std::size_t j = 0; j < kDim; ++j) prior.scale.push_back(j < kDim / 2 ? std::sqrt(1.9F) : std::sqrt(0.1F));
  const EncoderPtr encoder = disturbed_rotation({kDim, kDim}, 1);
  const BasisPtr basis = make_basis("dct2:8x8", kDim);
  const Network network(encoder, basis, compile_decoder(parse_decoder("rigamp:3"), *encoder, prior));
  ASSERT_EQ(decoder_form(network.parameters()), "full-memory");

  constexpr std::size_t kRows = 2000;
  Matrix<float> theta(kRows, kDim), x(kRows, kDim), decoded(kRows, kDim);
  for (std::size_t i = 0; i < kRows; ++i) {
    RandomStream stream(kSeed, Purpose::sample, i);
    double energy = 0;
    for (std::size_t j = 0; j < kDim; ++j) {
      theta(i, j) = prior.scale[j] * static_cast<float>(stream.normal());
      energy += static_cast<double>(theta(i, j)) * theta(i, j);
    }
    for (float& v : theta.row(i)) v *= static_cast<float>(std::sqrt(static_cast<double>(kDim) / energy));
  }
  basis->inverse(theta, x);
  Matrix<std::uint8_t> codes(kRows, code_bytes(kDim));
  encoder->encode(x, codes);
  std::vector<double> risks(static_cast<std::size_t>(network.layers()) + 1, 0.0);
  network.decode_layers(codes, std::vector<float>(kRows, 1.0F),
                        [&](int layer, std::size_t first, MatrixView<const float> estimate) {
                          for (std::size_t i = 0; i < estimate.rows; ++i) {
                            for (std::size_t j = 0; j < kDim; ++j) {
                              risks[static_cast<std::size_t>(layer)] +=
                                  std::pow(estimate(i, j) - x(first + i, j), 2) / static_cast<double>(kRows * kDim);
                            }
                          }
                        });
  for (int t = 0; t <= network.layers(); ++t) {
    // d = 64: the O(1/d) distance from the limit, a few per cent.
    EXPECT_NEAR(risks[static_cast<std::size_t>(t)] / network.predicted_risk(t), 1, 0.05) << t << ", seed " << kSeed;
  }
}

TEST(FullMemoryPass, RefusesLayersThatDoNotFitTogether) {
  const EncoderPtr encoder = disturbed_rotation({64, 64}, 0.5);
  const VectorPrior prior = iid_prior(make_sparse_gaussian(0.2));
  const auto with = [&](auto change) {
    NetworkParameters p = compile_decoder(parse_decoder("rigamp:3"), *encoder, prior);
    change(p);
    return Network(encoder, make_basis("identity", 64), std::move(p));
  };
  EXPECT_NO_THROW(with([](NetworkParameters&) {}));
  EXPECT_THROW(with([](NetworkParameters& p) { p.memory.layers[1].inputs.pop_back(); }), Error);
  EXPECT_THROW(with([](NetworkParameters& p) { p.memory.layers[2].outputs.push_back(0); }), Error);
  EXPECT_THROW(with([](NetworkParameters& p) { p.memory.layers[2].onsager[0] = NAN; }), Error);
  EXPECT_THROW(with([](NetworkParameters& p) { p.memory.layers[0].variance = 0; }), Error);
  EXPECT_THROW(with([&](NetworkParameters& p) { p.schedule = state_evolution(prior, 1, 2); }), Error);
}

}  // namespace
}  // namespace signfold
