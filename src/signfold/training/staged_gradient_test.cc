#include "signfold/training/staged_gradient.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/decoder/stage_search.h"
#include "signfold/decoder/staged_for_test.h"
#include "signfold/encoder/encoder.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using testing::normal_rows;
using testing::random_stages;
using ::testing::ThrowsMessage;

const std::vector<std::size_t> kBits = {9, 14, 5};
constexpr std::size_t kHidden = 6;
constexpr std::size_t kDim = 7;
const std::vector<double> kWeights = {0.7, 1.3, 2.1};

// The oracle: complex steps (f(x + ih) = f(x) + ih f'(x), exact to rounding for small h) through the plain formulas,
// where every bit moves along its tangent z + (u − u₀)(1 − tanh²(u₀/τ))/τ and τ, u₀ and z are what they are now.
using Number = std::complex<double>;
constexpr double kStep = 1e-30;

struct Numbers {  // one stage
  std::vector<Number> encoder, threshold, linear, in, bias, out, offset;
};

std::vector<Number> numbers(std::span<const float> values) { return {values.begin(), values.end()}; }

Numbers numbers_of(const Stage& s) {
  return {numbers(s.encoder.values()),
          numbers(s.threshold),
          numbers(s.linear.values()),
          numbers(s.in.values()),
          numbers(s.bias),
          numbers(s.out.values()),
          numbers(s.offset)};
}

/// u₀ of every bit of one vector, of the unmoved stages.
std::vector<double> scores_now(const std::vector<Stage>& stages, std::span<const float> x) {
  std::vector<double> all;
  std::vector<double> estimate(kDim);
  for (const Stage& stage : stages) {
    std::vector<double> u(stage.bits());
    for (std::size_t i = 0; i < u.size(); ++i) {
      u[i] = static_cast<double>(stage.threshold[i]);
      for (std::size_t j = 0; j < kDim; ++j) {
        u[i] += static_cast<double>(stage.encoder(i, j)) * (static_cast<double>(x[j]) - estimate[j]);
      }
    }
    all.insert(all.end(), u.begin(), u.end());
    const auto sign = [](double v) { return v >= 0 ? 1.0 : -1.0; };
    for (std::size_t j = 0; j < kDim; ++j) {
      estimate[j] += static_cast<double>(stage.offset[j]);
      for (std::size_t i = 0; i < u.size(); ++i) estimate[j] += sign(u[i]) * static_cast<double>(stage.linear(i, j));
    }
    for (std::size_t h = 0; h < stage.hidden(); ++h) {
      auto unit = static_cast<double>(stage.bias[h]);
      for (std::size_t i = 0; i < all.size(); ++i) unit += sign(all[i]) * static_cast<double>(stage.in(i, h));
      for (std::size_t j = 0; j < kDim; ++j) estimate[j] += std::max(0.0, unit) * static_cast<double>(stage.out(h, j));
    }
  }
  return all;
}

Number tangent_loss(const std::vector<Numbers>& stages, MatrixView<const float> x,
                    const std::vector<std::vector<double>>& scores, const std::vector<double>& tau) {
  Number loss = 0;
  for (std::size_t row = 0; row < x.rows; ++row) {
    std::vector<Number> estimate(kDim);
    std::vector<Number> bits;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      const Numbers& stage = stages[s];
      const std::size_t begin = bits.size();
      for (std::size_t i = 0; i < kBits[s]; ++i) {
        Number u = stage.threshold[i];
        for (std::size_t j = 0; j < kDim; ++j) {
          u += stage.encoder[i * kDim + j] * (static_cast<double>(x(row, j)) - estimate[j]);
        }
        const double now = scores[row][begin + i];
        const double slope = (1 - std::pow(std::tanh(now / tau[s]), 2)) / tau[s];
        bits.push_back((now >= 0 ? 1.0 : -1.0) + slope * (u - now));
      }
      for (std::size_t j = 0; j < kDim; ++j) {
        estimate[j] += stage.offset[j];
        for (std::size_t i = 0; i < kBits[s]; ++i) estimate[j] += bits[begin + i] * stage.linear[i * kDim + j];
      }
      for (std::size_t h = 0; h < kHidden; ++h) {
        Number unit = stage.bias[h];
        for (std::size_t i = 0; i < bits.size(); ++i) unit += bits[i] * stage.in[i * kHidden + h];
        if (unit.real() <= 0) continue;
        for (std::size_t j = 0; j < kDim; ++j) estimate[j] += unit * stage.out[h * kDim + j];
      }
      for (std::size_t j = 0; j < kDim; ++j) {
        const Number e = static_cast<double>(x(row, j)) - estimate[j];
        loss += kWeights[s] * e * e / static_cast<double>(x.rows);
      }
    }
  }
  return loss;
}

void expect_gradient(std::span<const float> found, const std::function<Number&(std::size_t)>& parameter,
                     const std::function<Number()>& loss, const char* name) {
  for (std::size_t k = 0; k < found.size(); ++k) {
    parameter(k) += Number(0, kStep);
    const double expected = loss().imag() / kStep;
    parameter(k) = parameter(k).real();
    // float32 sums of a few hundred terms of size 1
    EXPECT_NEAR(static_cast<double>(found[k]), expected, 2e-4 + 1e-4 * std::abs(expected)) << name << " " << k;
  }
}

TEST(StagedGradient, IsThatOfTheTangents) {
  const std::vector<Stage> stages = random_stages(kBits, kHidden, kDim);
  std::vector<Stage> gradient = random_stages(kBits, kHidden, kDim);
  const Matrix<float> x = normal_rows(11, kDim);
  Team team(2);
  StagedGradient pass(stages, 16, team);
  pass.gradient(stages, {.weights = kWeights}, x, gradient);

  std::vector<std::vector<double>> scores;
  for (std::size_t i = 0; i < x.rows(); ++i) scores.push_back(scores_now(stages, x.row(i)));
  std::vector<double> tau;
  std::size_t begin = 0;
  for (std::size_t s = 0; s < kBits.size(); begin += kBits[s++]) {
    double energy = 0;
    for (const auto& row : scores) {
      for (std::size_t i = begin; i < begin + kBits[s]; ++i) energy += row[i] * row[i];
    }
    tau.push_back(std::sqrt(energy / static_cast<double>(kBits[s] * scores.size())));
    EXPECT_NEAR(pass.tau(s), tau[s], 1e-5);
  }
  std::vector<Numbers> moved;
  moved.reserve(stages.size());
  for (const Stage& stage : stages) moved.push_back(numbers_of(stage));
  const auto loss = [&] { return tangent_loss(moved, x, scores, tau); };
  for (std::size_t s = 0; s < stages.size(); ++s) {
    Numbers& n = moved[s];
    const Stage& g = gradient[s];
    const auto compare = [&](std::span<const float> found, std::vector<Number>& parameters, const char* name) {
      expect_gradient(
          found, [&](std::size_t k) -> Number& { return parameters[k]; }, loss, name);
    };
    compare(g.encoder.values(), n.encoder, "encoder");
    compare(g.threshold, n.threshold, "threshold");
    compare(g.linear.values(), n.linear, "linear");
    compare(g.in.values(), n.in, "in");
    compare(g.bias, n.bias, "bias");
    compare(g.out.values(), n.out, "out");
    compare(g.offset, n.offset, "offset");
  }
}

TEST(StagedGradient, OfTheLastStageAloneIsThatPartOfTheWhole) {
  const std::vector<Stage> stages = random_stages(kBits, kHidden, kDim);
  std::vector<Stage> all = random_stages(kBits, kHidden, kDim);
  std::vector<Stage> last = random_stages(kBits, kHidden, kDim);
  const Matrix<float> x = normal_rows(16, kDim);
  Team team(1);
  StagedGradient pass(stages, 16, team);
  pass.gradient(stages, {.weights = {0, 0, 1}}, x, all);
  pass.gradient(stages, {.first = 2, .weights = {5, 5, 1}}, x, last);
  EXPECT_TRUE(std::ranges::equal(all[2].encoder.values(), last[2].encoder.values()));
  EXPECT_TRUE(std::ranges::equal(all[2].in.values(), last[2].in.values()));
  EXPECT_TRUE(std::ranges::equal(last[0].linear.values(), stages[0].linear.values())) << "not touched";
}

TEST(StagedGradient, RelativeWeightsAreDividedByTheErrors) {
  const std::vector<Stage> stages = random_stages(kBits, kHidden, kDim);
  std::vector<Stage> given = random_stages(kBits, kHidden, kDim);
  std::vector<Stage> relative = random_stages(kBits, kHidden, kDim);
  const Matrix<float> x = normal_rows(16, kDim);
  Team team(1);
  StagedGradient pass(stages, 16, team);
  const std::vector<double> means = pass.gradient(stages, {.weights = kWeights, .relative = true}, x, relative);
  std::vector<double> weights = kWeights;
  for (std::size_t s = 0; s < weights.size(); ++s) weights[s] *= kDim / means[s];
  pass.gradient(stages, {.weights = weights}, x, given);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    EXPECT_TRUE(std::ranges::equal(relative[s].encoder.values(), given[s].encoder.values()));
    EXPECT_TRUE(std::ranges::equal(relative[s].out.values(), given[s].out.values()));
  }
}

TEST(StagedGradient, ErrorsAreThoseOfTheCode) {
  const TrainedStages code(random_stages({17, 23, 13}, 9, 20));
  const Matrix<float> x = normal_rows(50, 20);
  Team team(2);
  StagedGradient pass(code.stages(), 50, team);
  const std::vector<double> errors = pass.errors(code.stages(), x);
  Matrix<std::uint8_t> codes(50, code_bytes(code.bits()));
  code.encode(x, codes);
  for (std::size_t s = 0; s < 3; ++s) {
    Matrix<float> decoded(50, 20);
    code.decode(codes, s + 1, decoded);
    double expected = 0;
    for (std::size_t k = 0; k < x.size(); ++k) expected += std::pow(x.values()[k] - decoded.values()[k], 2.0F);
    EXPECT_NEAR(errors[s], expected, 1e-5 * expected);
  }
}

TEST(StagedGradient, AfterASearchErrorsAndDerivativesAreThoseOfTheBitsFound) {
  const TrainedStages code(random_stages({17, 23, 13}, 9, 20));
  const Matrix<float> x = normal_rows(50, 20);
  Team team(2);
  StagedGradient pass(code.stages(), 50, team);
  Matrix<std::uint8_t> codes(50, code_bytes(code.bits()));
  code.encode(x, codes);
  search_bits(code.stages(), x, 3, codes);
  Matrix<float> residual = x.clone();
  for (std::size_t s = 0; s < 3; ++s) {
    Matrix<float> decoded(50, 20);
    code.decode(codes, s + 1, decoded);
    double expected = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      residual.values()[k] = x.values()[k] - decoded.values()[k];
      expected += double{residual.values()[k]} * residual.values()[k];
    }
    EXPECT_NEAR(pass.errors(code.stages(), x, 3)[s], expected, 1e-5 * expected);
  }
  // Of the last linear decoder: −2/50·Σ z (x − x̂) over the batch.
  std::vector<Stage> gradient = random_stages({17, 23, 13}, 9, 20);
  pass.gradient(code.stages(), {.first = 2, .weights = {0, 0, 1}, .rounds = 3}, x, gradient);
  for (std::size_t b = 0; b < 13; ++b) {
    for (std::size_t j = 0; j < 20; ++j) {
      double expected = 0;
      for (std::size_t i = 0; i < 50; ++i) {
        const double z = bit_of(codes.row(i), 40 + b) ? 1 : -1;
        expected -= 2.0 / 50 * z * residual(i, j);
      }
      EXPECT_NEAR(gradient[2].linear(b, j), expected, 1e-5);
    }
  }
}

TEST(StagedGradient, TheNumberOfThreadsDoesNotMatter) {
  const std::vector<Stage> stages = random_stages({13, 27}, 40, 50);
  const Matrix<float> x = normal_rows(300, 50);
  std::vector<Stage> one = random_stages({13, 27}, 40, 50);
  std::vector<Stage> three = random_stages({13, 27}, 40, 50);
  const StagedLoss loss{.weights = {1, 1}};
  Team alone(1);
  Team several(3);
  StagedGradient(stages, 300, alone).gradient(stages, loss, x, one);
  StagedGradient(stages, 300, several).gradient(stages, loss, x, three);
  for (std::size_t s = 0; s < 2; ++s) {
    EXPECT_TRUE(std::ranges::equal(one[s].encoder.values(), three[s].encoder.values()));
    EXPECT_TRUE(std::ranges::equal(one[s].linear.values(), three[s].linear.values()));
    EXPECT_TRUE(std::ranges::equal(one[s].in.values(), three[s].in.values()));
    EXPECT_TRUE(std::ranges::equal(one[s].out.values(), three[s].out.values()));
    EXPECT_EQ(one[s].threshold, three[s].threshold);
  }
}

TEST(StagedGradient, RefusesShapesThatDoNotFit) {
  const std::vector<Stage> stages = random_stages({8, 8}, 3, 5);
  std::vector<Stage> gradient = random_stages({8, 8}, 3, 5);
  Team team(1);
  StagedGradient pass(stages, 4, team);
  EXPECT_THAT([&] { pass.errors(stages, normal_rows(5, 5)); }, ThrowsMessage<Error>(HasSubstr("do not fit")));
  EXPECT_THAT([&] { pass.errors(stages, normal_rows(4, 6)); }, ThrowsMessage<Error>(HasSubstr("do not fit")));
  EXPECT_THAT(
      [&] {
        pass.gradient(stages, {.first = 2, .weights = {1, 1}}, normal_rows(4, 5), gradient);
      },
      ThrowsMessage<Error>(HasSubstr("from 2 on")));
  EXPECT_THAT(
      [&] {
        pass.errors(random_stages({8, 16}, 3, 5), normal_rows(4, 5));
      },
      ThrowsMessage<Error>(HasSubstr("do not fit")));
}

}  // namespace
}  // namespace signfold
