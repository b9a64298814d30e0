#include "signfold/decoder/trained_stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/decoder/staged_for_test.h"
#include "signfold/encoder/encoder.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using testing::normal_rows;
using testing::random_stages;
using ::testing::ThrowsMessage;

double sign_of(std::span<const std::uint8_t> code, std::size_t i) {
  return (code[i / 8] >> (i % 8) & 1) != 0 ? 1.0 : -1.0;
}

/// x̂ after the first stages: the formula of staged.h in double precision.
std::vector<double> plain_decode(const std::vector<Stage>& stages, std::span<const std::uint8_t> code,
                                 std::size_t count) {
  std::vector<double> x(stages.front().offset.size());
  std::size_t before = 0;
  for (std::size_t s = 0; s < count; ++s) {
    const Stage& stage = stages[s];
    for (std::size_t j = 0; j < x.size(); ++j) {
      x[j] += static_cast<double>(stage.offset[j]);
      for (std::size_t i = 0; i < stage.bits(); ++i) {
        x[j] += sign_of(code, before + i) * static_cast<double>(stage.linear(i, j));
      }
    }
    before += stage.bits();
    for (std::size_t h = 0; h < stage.hidden(); ++h) {
      auto unit = static_cast<double>(stage.bias[h]);
      for (std::size_t i = 0; i < before; ++i) unit += sign_of(code, i) * static_cast<double>(stage.in(i, h));
      for (std::size_t j = 0; j < x.size(); ++j) x[j] += std::max(0.0, unit) * static_cast<double>(stage.out(h, j));
    }
  }
  return x;
}

/// The scores whose signs are the bits of stage `s` (counted from 0), given a code that holds the stages before it.
std::vector<double> plain_scores(const std::vector<Stage>& stages, std::span<const float> x,
                                 std::span<const std::uint8_t> code, std::size_t s) {
  const std::vector<double> before = plain_decode(stages, code, s);
  std::vector<double> u(stages[s].bits());
  for (std::size_t i = 0; i < u.size(); ++i) {
    u[i] = static_cast<double>(stages[s].threshold[i]);
    for (std::size_t j = 0; j < x.size(); ++j) {
      u[i] += static_cast<double>(stages[s].encoder(i, j)) * (static_cast<double>(x[j]) - before[j]);
    }
  }
  return u;
}

struct Case {
  std::vector<std::size_t> bits;
  std::size_t hidden;
  std::size_t dim;
};
const std::array kCases = {Case{{1}, 0, 1}, Case{{8, 3}, 5, 7}, Case{{16, 8, 24}, 0, 20},
                           Case{{98, 98, 196, 392}, 64, 100}};

TEST(TrainedStages, EncodesAndDecodesAsItsFormulasSay) {
  for (const Case& c : kCases) {
    const TrainedStages code(random_stages(c.bits, c.hidden, c.dim));
    const Matrix<float> x = normal_rows(23, c.dim);
    Matrix<std::uint8_t> bytes(23, code_bytes(code.bits()));
    code.encode(x, bytes);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      std::size_t before = 0;
      for (std::size_t s = 0; s < code.count(); ++s) {
        const std::vector<double> u = plain_scores(code.stages(), x.row(i), bytes.row(i), s);
        for (std::size_t k = 0; k < u.size(); ++k) {
          // Scores are of size 1, sums of at most a thousand float32 terms: rounding stays below 1e-4.
          if (std::abs(u[k]) > 1e-4) {
            EXPECT_EQ(sign_of(bytes.row(i), before + k), u[k] > 0 ? 1 : -1) << "bit " << before + k;
          }
        }
        before += u.size();
        Matrix<float> decoded(1, c.dim);
        code.decode(bytes.view().row_range(i, 1), s + 1, decoded);
        const std::vector<double> expected = plain_decode(code.stages(), bytes.row(i), s + 1);
        for (std::size_t j = 0; j < c.dim; ++j) EXPECT_NEAR(decoded(0, j), expected[j], 1e-4) << "stage " << s + 1;
      }
    }
  }
}

TEST(TrainedStages, APrefixIsTheCodeOfFewerStages) {
  std::vector<Stage> stages = random_stages({13, 8, 21}, 12, 30);
  const TrainedStages all(random_stages({13, 8, 21}, 12, 30));
  stages.pop_back();
  const TrainedStages two(std::move(stages));
  const Matrix<float> x = normal_rows(40, 30);
  Matrix<std::uint8_t> long_codes(40, code_bytes(45));
  Matrix<std::uint8_t> short_codes(40, 3);
  all.encode(x, long_codes);
  two.encode(x, short_codes);
  Matrix<float> from_long(40, 30);
  Matrix<float> from_short(40, 30);
  all.decode(long_codes, 2, from_long);
  all.decode(short_codes, 2, from_short);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(std::ranges::equal(short_codes.row(i).first(2), long_codes.row(i).first(2))) << "row " << i;
    EXPECT_EQ(short_codes(i, 2), long_codes(i, 2) & 31) << "21 bits";  // the third stage has the others
    EXPECT_TRUE(std::ranges::equal(from_short.row(i), from_long.row(i))) << "row " << i;
  }
}

TEST(TrainedStages, NeighboursDoNotMatter) {
  const TrainedStages code(random_stages({16, 24}, 33, 50));
  const Matrix<float> x = normal_rows(300, 50);
  Matrix<std::uint8_t> together(300, 5);
  Matrix<float> decoded(300, 50);
  code.encode(x, together);
  code.decode(together, 2, decoded);
  for (const std::size_t i : {0, 1, 255, 256, 299}) {
    Matrix<std::uint8_t> alone(1, 5);
    Matrix<float> own(1, 50);
    code.encode(x.view().row_range(i, 1), alone);
    code.decode(alone, 2, own);
    EXPECT_TRUE(std::ranges::equal(alone.row(0), together.row(i))) << "row " << i;
    EXPECT_TRUE(std::ranges::equal(own.row(0), decoded.row(i))) << "row " << i;
  }
}

TEST(TrainedStages, RefusesPartsThatDoNotFit) {
  const auto made = [](std::vector<Stage> stages) {
    return [kept = std::make_shared<std::vector<Stage>>(std::move(stages))] { TrainedStages{std::move(*kept)}; };
  };
  EXPECT_THAT(made({}), ThrowsMessage<Error>(HasSubstr("at least one stage")));
  std::vector<Stage> stages = random_stages({8, 8}, 3, 5);
  stages[1].in = Matrix<float>(8, 3);  // not the bits of the stage before
  EXPECT_THAT(made(std::move(stages)), ThrowsMessage<Error>(HasSubstr("stage 2: its parts do not fit 8 bits")));
  stages = random_stages({8, 8}, 3, 5);
  stages[0].linear(1, 1) = std::numeric_limits<float>::infinity();
  EXPECT_THAT(made(std::move(stages)), ThrowsMessage<Error>(HasSubstr("stage 1 holds a number that is not finite")));

  const TrainedStages code(random_stages({8, 3}, 3, 5));
  Matrix<std::uint8_t> codes(2, 2);
  Matrix<float> x(2, 5);
  EXPECT_THAT([&] { code.decode(codes, 0, x); }, ThrowsMessage<Error>(HasSubstr("there are 2 stages")));
  EXPECT_THAT([&] { code.decode(codes, 3, x); }, ThrowsMessage<Error>(HasSubstr("not 3")));
  Matrix<std::uint8_t> first(2, 1);
  EXPECT_NO_THROW(code.decode(first, 1, x));
  EXPECT_THAT([&] { code.decode(first, 2, x); }, ThrowsMessage<Error>(HasSubstr("2 stages have 11 bits")));
  EXPECT_THAT([&] { code.encode(x, first); }, ThrowsMessage<Error>(HasSubstr("do not go with")));
}

}  // namespace
}  // namespace signfold
