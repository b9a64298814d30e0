#include "signfold/training/autoencoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "signfold/base/error.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Matrix<float> rows(std::initializer_list<std::initializer_list<float>> values) {
  Matrix<float> b(values.size(), values.begin()->size());
  std::size_t i = 0;
  for (const auto& row : values) std::ranges::copy(row, b.row(i++).begin());
  return b;
}

// The numbers below are exact in binary, or off by a rounding of float32: 1e-6.

TEST(DescribeEncoder, OfThePermutedIdentity) {
  const EncoderShapeReport report = describe_encoder(rows({{0, 0, 1}, {-1, 0, 0}}));
  EXPECT_EQ(report.orthogonality, 0);
  EXPECT_EQ(report.diagonal_weight, 1);
}

TEST(DescribeEncoder, FindsTheLargestCosineOfEitherSign) {
  const EncoderShapeReport report = describe_encoder(rows({{1, 0, 0}, {-0.6F, 0.8F, 0}, {0, 0.6F, 0.8F}}));
  EXPECT_NEAR(report.orthogonality, 0.6, 1e-6);
  EXPECT_NEAR(report.diagonal_weight, 0.8, 1e-6) << "the largest entries are 1, 0.8, 0.8";
}

TEST(DescribeEncoder, AboveRateOneComparesColumns) {
  // Two identities on top of each other: BᵀB = 2 I = r I.
  EXPECT_EQ(describe_encoder(rows({{1, 0}, {0, 1}, {0, 1}, {1, 0}})).orthogonality, 0);
  // BᵀB/r = diag(3, 1)/2: half too much and half too little.
  EXPECT_NEAR(describe_encoder(rows({{1, 0}, {1, 0}, {1, 0}, {0, 1}})).orthogonality, 0.5, 1e-6);
  // BᵀB/r = [[1, ½], [½, 1]].
  const float half = 0.70710678F;
  EXPECT_NEAR(describe_encoder(rows({{half, half}, {half, half}, {1, 0}, {0, 1}})).orthogonality, 0.5, 1e-6);
}

TEST(TrainedDecoder, NamesGoBothWays) {
  for (const TrainedDecoder kind : {TrainedDecoder::tied, TrainedDecoder::tied_rows, TrainedDecoder::untied}) {
    EXPECT_EQ(parse_trained_decoder(to_string(kind)), kind);
  }
  EXPECT_THAT([] { parse_trained_decoder("free"); }, ThrowsMessage<Error>(HasSubstr("decoder 'free'; there are")));
}

}  // namespace
}  // namespace signfold
