// What every encoder promises, whatever its kind.
#include "signfold/encoder/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "signfold/encoder/dense.h"
#include "signfold/encoder/testing.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

using testing::distance;
using ::testing::HasSubstr;
using testing::kRounding;
using testing::product;
using testing::random_matrix;
using testing::same_bytes;
using testing::scaled_identity;
using ::testing::ThrowsMessage;
using testing::to_double;

const std::vector<std::string> kNames = {"hadamard", "haar", "identity", "mixed:0.85", "mixed:0", "dense"};

EncoderPtr make(const std::string& name, EncoderShape shape, std::uint64_t seed) {
  if (name != "dense") return make_encoder(name, shape, seed);
  return make_dense(random_matrix(shape.bits, shape.dim, seed), "dense", seed);
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

class EveryEncoder : public ::testing::TestWithParam<std::tuple<std::string, EncoderShape>> {
 protected:
  EncoderPtr encoder_ = make(std::get<0>(GetParam()), std::get<1>(GetParam()), 5);
};

TEST_P(EveryEncoder, IsOrthonormalWhereItSaysSo) {
  const Matrix<double> b = to_double(explicit_matrix(*encoder_));
  const double rate = encoder_->shape().rate();
  if (!encoder_->orthonormal()) {
    for (std::size_t i = 0; i < b.rows(); ++i) {
      double norm = 0;
      for (const double v : b.row(i)) norm += v * v;
      EXPECT_NEAR(norm, 1, kRounding) << "row " << i;
    }
  } else if (rate <= 1) {
    EXPECT_LT(distance(product(false, true, b, b), scaled_identity(b.rows(), 1)), kRounding);
  } else {
    EXPECT_LT(distance(product(true, false, b, b), scaled_identity(b.cols(), rate)), rate * kRounding);
  }
}

TEST_P(EveryEncoder, KnowsItsSpectrum) {
  const Matrix<double> b = to_double(explicit_matrix(*encoder_));
  const std::vector<double> expected = symmetric_eigenvalues(product(false, true, b, b));
  const std::vector<double> actual = encoder_->spectrum();
  ASSERT_EQ(actual.size(), expected.size());
  double mean = 0;
  for (std::size_t k = 0; k < actual.size(); ++k) {
    // Eigenvalues move by at most the norm of the error of B Bᵀ, ten times the error of its entries being plenty.
    EXPECT_NEAR(actual[k], expected[k], 10 * kRounding * std::max(1.0, expected[0])) << "eigenvalue " << k;
    mean += actual[k] / static_cast<double>(actual.size());
  }
  EXPECT_NEAR(mean, 1, kRounding);
}

TEST_P(EveryEncoder, PacksTheSignsOfTheProduct) {
  const std::size_t rows = 40;  // more than a block of the default encode
  const Matrix<float> x = random_matrix(rows, encoder_->dim(), 6);
  Matrix<float> u(rows, encoder_->bits());
  Matrix<std::uint8_t> codes(rows, code_bytes(encoder_->bits()));
  encoder_->apply(x, u);
  encoder_->encode(x, codes);
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<std::uint8_t> expected(codes.cols());
    simd::pack_signs(u.row(i), expected);
    EXPECT_TRUE(std::ranges::equal(codes.row(i), expected)) << "row " << i;
  }
}

TEST_P(EveryEncoder, ReadsAndWritesRowsOfAWiderMatrix) {
  const std::size_t d = encoder_->dim();
  const std::size_t n = encoder_->bits();
  const Matrix<float> wide = random_matrix(3, d + 5, 7);
  const MatrixView<const float> x(wide.data(), 3, d, d + 5);
  Matrix<float> wide_u(3, n + 2);
  encoder_->apply(x, MatrixView<float>(wide_u.data(), 3, n, n + 2));
  for (std::size_t i = 0; i < 3; ++i) {
    Matrix<float> u(1, n);
    encoder_->apply(x.row_range(i, 1), u);
    EXPECT_TRUE(same_bytes(u.row(0), wide_u.row(i).first(n))) << "row " << i;
    EXPECT_EQ(wide_u(i, n), 0);
    EXPECT_EQ(wide_u(i, n + 1), 0);
  }
}

TEST_P(EveryEncoder, ChecksShapes) {
  const std::size_t d = encoder_->dim();
  const std::size_t n = encoder_->bits();
  Matrix<float> x(2, d);
  Matrix<float> u(2, n);
  Matrix<float> more(3, std::max(d, n) + 1);
  Matrix<std::uint8_t> codes(2, code_bytes(n) + 1);
  EXPECT_THAT([&] { encoder_->apply(x, more); }, ThrowsMessage<Error>(HasSubstr("apply: 2 x ")));
  EXPECT_THAT([&] { encoder_->apply(more, u); }, ThrowsMessage<Error>(HasSubstr("apply: 3 x ")));
  EXPECT_THAT([&] { encoder_->adjoint(u, more); }, ThrowsMessage<Error>(HasSubstr("adjoint: 2 x ")));
  EXPECT_THAT([&] { encoder_->encode(x, codes); }, ThrowsMessage<Error>(HasSubstr("encode: 2 x ")));
}

std::string case_name(const ::testing::TestParamInfo<std::tuple<std::string, EncoderShape>>& test) {
  std::string name = std::get<0>(test.param);
  std::erase_if(name, [](char c) { return c == ':' || c == '.'; });
  return fmt::format("{}_d{}_n{}", name, std::get<1>(test.param).dim, std::get<1>(test.param).bits);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, EveryEncoder,
    ::testing::Combine(::testing::ValuesIn(kNames),
                       ::testing::Values(EncoderShape{1, 1}, EncoderShape{1, 3}, EncoderShape{2, 2}, EncoderShape{2, 3},
                                         EncoderShape{3, 1}, EncoderShape{3, 3}, EncoderShape{5, 4},
                                         EncoderShape{5, 12}, EncoderShape{64, 64}, EncoderShape{64, 128},
                                         EncoderShape{100, 63}, EncoderShape{100, 100}, EncoderShape{100, 150},
                                         EncoderShape{129, 129})),
    case_name);

/// ⟨Bx, s⟩ against ⟨x, Bᵀs⟩ by two ways through the code; both sums are of size ‖x‖‖s‖ times rounding at most.
void check_adjoint(const std::string& name, EncoderShape shape, std::uint64_t seed) {
  const EncoderPtr encoder = make(name, shape, seed);
  const Matrix<float> x = random_matrix(1, shape.dim, seed + 1);
  const Matrix<float> s = random_matrix(1, shape.bits, seed + 2);
  Matrix<float> u(1, shape.bits);
  Matrix<float> v(1, shape.dim);
  encoder->apply(x, u);
  encoder->adjoint(s, v);
  const double size = std::sqrt(dot(x.row(0), x.row(0)) * dot(s.row(0), s.row(0)) * std::max(1.0, shape.rate()));
  RC_ASSERT(std::abs(dot(u.row(0), s.row(0)) - dot(x.row(0), v.row(0))) <= kRounding * size);
}

RC_GTEST_PROP(EncoderProperties, AdjointIsTheTranspose, ()) {
  const std::string name = *rc::gen::elementOf(kNames);
  const auto d = *rc::gen::inRange<std::size_t>(1, 70);
  const auto n = *rc::gen::inRange<std::size_t>(1, 70);
  check_adjoint(name, {d, n}, *rc::gen::arbitrary<std::uint64_t>());
}

TEST(EncoderSizes, TheAdjointIsTheTransposeAtFullSize) {
  for (const EncoderShape shape : {EncoderShape{784, 98}, {1000, 1000}, {1024, 2048}, {3072, 1536}, {4096, 4096}}) {
    for (const char* name : {"hadamard", "identity", "mixed:0.85"}) check_adjoint(name, shape, 8);
  }
}

TEST(ShapeForRate, RoundsToAtLeastOneBit) {
  EXPECT_EQ(shape_for_rate(784, 1.0 / 8).bits, 98U);
  EXPECT_EQ(shape_for_rate(3, 0.5).bits, 2U);
  EXPECT_EQ(shape_for_rate(10, 1e-6).bits, 1U);
  EXPECT_EQ(shape_for_rate(1 << 24, 1).bits, std::size_t{1} << 24);  // n·d = 2^48
}

TEST(ShapeForRate, RefusesWhatIsNoShape) {
  for (const double rate : {0.0, -1.0, std::nan(""), double{INFINITY}}) {
    EXPECT_THAT([rate] { shape_for_rate(4, rate); }, ThrowsMessage<Error>(HasSubstr("must be a positive number")));
  }
  EXPECT_THAT([] { shape_for_rate(0, 1); }, ThrowsMessage<Error>(HasSubstr("at least 1")));
  EXPECT_THAT([] { shape_for_rate(2, 1e300); }, ThrowsMessage<Error>(HasSubstr("too many")));
  EXPECT_THAT([] { shape_for_rate((1 << 24) + 1, 1); }, ThrowsMessage<Error>(HasSubstr("too many")));
}

TEST(MakeEncoder, MakesAnEncoderAgainFromItsNameShapeAndSeed) {
  for (const char* name : {"hadamard", "haar", "identity", "mixed:0.1", "mixed:0.8508392118307"}) {
    const EncoderPtr first = make_encoder(name, {20, 31}, 12);
    EXPECT_EQ(first->name(), name);
    const EncoderPtr again = make_encoder(first->name(), first->shape(), first->seed());
    EXPECT_EQ(distance(to_double(explicit_matrix(*first)), to_double(explicit_matrix(*again))), 0) << name;
  }
}

TEST(MakeEncoder, TheSeedMatters) {
  for (const char* name : {"hadamard", "haar", "identity", "mixed:0.1"}) {
    const Matrix<double> a = to_double(explicit_matrix(*make_encoder(name, {20, 11}, 1)));
    EXPECT_GT(distance(a, to_double(explicit_matrix(*make_encoder(name, {20, 11}, 2)))), 0.1) << name;
  }
}

TEST(MakeEncoder, RefusesWhatItDoesNotKnow) {
  const EncoderShape shape{4, 4};
  const auto making = [shape](const char* name) { return [=] { make_encoder(name, shape, 1); }; };
  EXPECT_THAT(making("hadamrd"),
              ThrowsMessage<Error>("unknown encoder 'hadamrd'; known are hadamard, haar, identity, mixed:M"));
  EXPECT_THAT(making(""), ThrowsMessage<Error>(HasSubstr("known are")));
  EXPECT_THAT(making("mixed:1.5"), ThrowsMessage<Error>(HasSubstr("between 0 and 1")));
  EXPECT_THAT(making("mixed:nan"), ThrowsMessage<Error>(HasSubstr("between 0 and 1")));
  for (const char* name : {"mixed", "mixed:", "mixed:x", "mixed:0.5x", "mixed: 0.5"}) {
    EXPECT_THAT(making(name), ThrowsMessage<Error>(HasSubstr("write it as mixed:M"))) << name;
  }
  EXPECT_THAT(making("haar:2"), ThrowsMessage<Error>(HasSubstr("write it as haar")));
  for (const char* name : {"hadamard", "haar", "identity", "mixed:0.5"}) {
    EXPECT_THAT([&] { make_encoder(name, {0, 4}, 1); }, ThrowsMessage<Error>(HasSubstr("at least 1"))) << name;
    EXPECT_THAT([&] { make_encoder(name, {4, 0}, 1); }, ThrowsMessage<Error>(HasSubstr("at least 1"))) << name;
  }
}

TEST(MakeEncoder, HelpNamesEveryKind) {
  for (const char* name : {"hadamard ", "haar ", "identity ", "mixed:M "}) {
    EXPECT_THAT(encoder_help(), HasSubstr(name));
  }
}

}  // namespace
}  // namespace signfold
