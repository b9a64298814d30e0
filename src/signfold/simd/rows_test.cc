#include "signfold/simd/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/kernels_for_test.h"

namespace signfold {
namespace {

using testing::Guarded;
using ::testing::HasSubstr;
using testing::lengths;
using testing::numbers;
using ::testing::ThrowsMessage;

constexpr double kUnit = 0x1p-24;  // one rounding of a float, relative

/// Roundings a sum of n products can gather in one running sum: there are at least two (of one lane each, on SCALAR),
/// then they are added together with a tail of fewer than 32 elements; plus the rounding of the product.
double roundings(std::size_t n) { return static_cast<double>(n) / 2 + 40; }

class Rows : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { simd::force_target(GetParam()); }
  void TearDown() override { simd::force_target(""); }
};

/// Calls check(n, offset) for every length, aligned and not.
template <class Check>
void at_every_length(const Check& check) {
  for (const std::size_t n : lengths()) {
    for (const std::size_t offset : {0, 1, 3}) {
      SCOPED_TRACE(::testing::Message() << "length " << n << ", offset " << offset);
      check(n, offset);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST_P(Rows, Dot) {
  at_every_length([](std::size_t n, std::size_t offset) {
    Guarded<float> a(numbers(n, 1), offset);
    Guarded<float> b(numbers(n, 2), 0);
    double sum = 0;
    double size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double product = static_cast<double>(a.values()[i]) * b.values()[i];
      sum += product;
      size += std::abs(product);
    }
    EXPECT_NEAR(simd::dot(a.values(), b.values()), sum, roundings(n) * kUnit * size);
  });
}

TEST_P(Rows, DotOfWholeNumbersIsExact) {
  for (const std::size_t n : lengths()) {
    std::vector<float> a(n);
    float expected = 0;
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = static_cast<float>(i % 7) - 3;
      expected += a[i] * a[i];
    }
    EXPECT_EQ(simd::dot(a, a), expected) << "length " << n;  // sums below 2²⁴: a missing or doubled element shows
  }
}

TEST_P(Rows, AddScaled) {
  at_every_length([](std::size_t n, std::size_t offset) {
    const float factor = -0.3F;
    Guarded<float> x(numbers(n, 1), 0);
    Guarded<float> y(numbers(n, 2), offset);
    const std::vector<float> before(y.values().begin(), y.values().end());
    simd::add_scaled(factor, x.values(), y.values());
    for (std::size_t i = 0; i < n; ++i) {
      const double product = static_cast<double>(factor) * x.values()[i];
      // Two roundings where the target has no fused multiply-add.
      EXPECT_NEAR(y.values()[i], before[i] + product, 2 * kUnit * (std::abs(product) + std::abs(before[i])));
    }
    EXPECT_TRUE(y.guards_intact());
  });
}

TEST_P(Rows, Residual) {
  at_every_length([](std::size_t n, std::size_t offset) {
    const float gain = 0.7F;
    Guarded<float> x(numbers(n, 1), 0);
    Guarded<float> v(numbers(n, 2), offset);
    const std::vector<float> before(v.values().begin(), v.values().end());
    const float energy = simd::residual(x.values(), gain, v.values());
    double expected = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double product = static_cast<double>(gain) * before[i];
      EXPECT_NEAR(v.values()[i], x.values()[i] - product, 2 * kUnit * (std::abs(product) + std::abs(x.values()[i])));
      expected += static_cast<double>(v.values()[i]) * v.values()[i];  // of what was stored
    }
    EXPECT_NEAR(energy, expected, roundings(n) * kUnit * expected);
    EXPECT_TRUE(v.guards_intact());
  });
}

TEST_P(Rows, TimesSignSlopeOfAnyLength) {
  at_every_length([](std::size_t n, std::size_t offset) {
    const float width = 0.8F;
    const float factor = -1.7F;
    Guarded<float> u(numbers(n, 1), 0);
    for (float& v : u.values()) v = std::fmod(v, 8.0F);  // where the slope is not yet nearly 0
    Guarded<float> slope(numbers(n, 2), offset);
    const std::vector<float> before(slope.values().begin(), slope.values().end());
    simd::times_sign_slope(u.values(), width, factor, slope.values());
    for (std::size_t i = 0; i < n; ++i) {
      const double cosine = std::cosh(static_cast<double>(u.values()[i]) / static_cast<double>(width));
      const double expected = static_cast<double>(factor) / (cosine * cosine) * static_cast<double>(before[i]);
      EXPECT_NEAR(slope.values()[i], expected, 4e-6 * std::abs(expected)) << "u = " << u.values()[i];
    }
    EXPECT_TRUE(slope.guards_intact());
  });
}

TEST_P(Rows, TimesSignSlopeKeepsItsPromise) {
  for (const float width : {1e-3F, 0.3F, 1.0F, 7.0F, 1e4F}) {
    std::vector<float> u;
    for (int i = -4000; i <= 4000; ++i) u.push_back(width * 0.01F * static_cast<float>(i));
    std::vector<float> slope(u.size(), 1.0F);
    simd::times_sign_slope(u, width, 1, slope);
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double a = static_cast<double>(u[i]) / static_cast<double>(width);
      const double expected = 1 / (std::cosh(a) * std::cosh(a));
      if (expected < 1e-30) continue;
      const double bound = 1e-6 + 0x1p-22 * std::abs(a);
      EXPECT_NEAR(slope[i] / expected, 1, bound) << "u = " << u[i] << ", width = " << width;
    }
  }
}

TEST_P(Rows, TimesSignSlopeIsFiniteAtTheEndsOfTheNumberLine) {
  const float huge = std::numeric_limits<float>::max();
  for (const float width : {1e-30F, 1.0F, 1e30F}) {
    for (const std::size_t n : {1, 64}) {  // tail and vectors
      for (const float u : {-huge, huge, -0.0F, 0.0F, std::numeric_limits<float>::denorm_min()}) {
        const std::vector<float> us(n, u);
        std::vector<float> slope(n, 1.0F);
        simd::times_sign_slope(us, width, 2, slope);
        const bool far = std::abs(u) / width > 100;
        const bool at_zero = std::abs(u) < 1e-36F;
        for (const float v : slope) {
          EXPECT_TRUE(far       ? v >= 0 && v < 1e-30F
                      : at_zero ? v == 2.0F
                                : std::isfinite(v))
              << v << " at u = " << u << ", width " << width;
        }
      }
    }
  }
}

TEST_P(Rows, Rectify) {
  at_every_length([](std::size_t n, std::size_t offset) {
    Guarded<float> bias(numbers(n, 1), 0);
    Guarded<float> x(numbers(n, 2), offset);
    const std::vector<float> before(x.values().begin(), x.values().end());
    simd::rectify(bias.values(), x.values());
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(x.values()[i], std::max(0.0F, before[i] + bias.values()[i]));
    EXPECT_TRUE(x.guards_intact());
  });
}

TEST_P(Rows, TimesRectifierSlope) {
  at_every_length([](std::size_t n, std::size_t offset) {
    Guarded<float> output(numbers(n, 1), 0);  // zeros of both signs and negative numbers among them
    Guarded<float> slope(numbers(n, 2), offset);
    const std::vector<float> before(slope.values().begin(), slope.values().end());
    simd::times_rectifier_slope(output.values(), slope.values());
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(slope.values()[i], output.values()[i] > 0 ? before[i] : 0.0F);
    EXPECT_TRUE(slope.guards_intact());
  });
}

TEST_P(Rows, Adam) {
  at_every_length([](std::size_t n, std::size_t offset) {
    const simd::AdamStep step{.first_decay = 0.9F, .second_decay = 0.99F, .rate = 0.02F, .epsilon = 1e-4F};
    Guarded<float> g(numbers(n, 1), 0);
    Guarded<float> first(numbers(n, 2), offset);
    Guarded<float> second(numbers(n, 3), offset);
    Guarded<float> p(numbers(n, 4), offset);
    for (float& v : second.values()) v = std::abs(v);
    const std::vector<float> m0(first.values().begin(), first.values().end());
    const std::vector<float> v0(second.values().begin(), second.values().end());
    const std::vector<float> p0(p.values().begin(), p.values().end());
    simd::adam(step, g.values(), first.values(), second.values(), p.values());
    for (std::size_t i = 0; i < n; ++i) {
      const auto gradient = static_cast<double>(g.values()[i]);
      const auto b1 = static_cast<double>(step.first_decay);
      const auto b2 = static_cast<double>(step.second_decay);
      // Three roundings of the mean (its weights are exact: 1 − b is, for b in [½, 1]), four of the squares.
      const double m_size = b1 * std::abs(static_cast<double>(m0[i])) + (1 - b1) * std::abs(gradient);
      EXPECT_NEAR(first.values()[i], b1 * static_cast<double>(m0[i]) + (1 - b1) * gradient, 3 * kUnit * m_size);
      const double v = b2 * static_cast<double>(v0[i]) + (1 - b2) * gradient * gradient;
      EXPECT_NEAR(second.values()[i], v, 4 * kUnit * v);
      // From the moments as stored: product, root, sum, quotient, difference, one rounding each.
      const double change = static_cast<double>(step.rate) * static_cast<double>(first.values()[i]) /
                            (std::sqrt(static_cast<double>(second.values()[i])) + static_cast<double>(step.epsilon));
      const auto before = static_cast<double>(p0[i]);
      EXPECT_NEAR(p.values()[i], before - change, 5 * kUnit * (std::abs(change) + std::abs(before)));
    }
    EXPECT_TRUE(first.guards_intact() && second.guards_intact() && p.guards_intact());
  });
}

TEST_P(Rows, CombineRoundsAfterEveryOperation) {
  at_every_length([](std::size_t n, std::size_t offset) {
    Guarded<float> x(numbers(n, 1), offset);
    Guarded<float> y(numbers(n, 2), 0);
    const std::vector<float> before = numbers(n, 3);
    Guarded<float> carried(before, offset);
    simd::combine(0.3F, x.values(), -1.7F, y.values(), 0.9F, carried.values());
    for (std::size_t i = 0; i < n; ++i) {
      const float both = 0.3F * x.values()[i] + -1.7F * y.values()[i];
      EXPECT_EQ(carried.values()[i], both + 0.9F * before[i]);
    }
    EXPECT_TRUE(carried.guards_intact());
  });
}

TEST_P(Rows, EnergyIsTheSameOnEveryTarget) {
  at_every_length([](std::size_t n, std::size_t offset) {
    Guarded<float> x(numbers(n, 1), offset);
    std::array<double, 16> sums{};
    std::size_t i = 0;
    for (; i + sums.size() <= n; i += sums.size()) {
      for (std::size_t k = 0; k < sums.size(); ++k) {
        sums[k] += static_cast<double>(x.values()[i + k]) * x.values()[i + k];
      }
    }
    double expected = 0;
    for (const double sum : sums) expected += sum;
    for (; i < n; ++i) expected += static_cast<double>(x.values()[i]) * x.values()[i];
    EXPECT_EQ(simd::energy(x.values()), expected);
  });
  const std::vector<float> infinite(40, INFINITY);
  EXPECT_FALSE(std::isfinite(simd::energy(infinite)));
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, Rows, ::testing::ValuesIn(simd::supported_targets()),
                         [](const auto& test) { return test.param; });

TEST(RowErrors, DifferentLengthsAreRefused) {
  std::vector<float> x(12);
  std::vector<float> y(13);
  EXPECT_THAT([&] { simd::dot(x, y); }, ThrowsMessage<Error>(HasSubstr("dot: 12 numbers do not go with 13")));
  EXPECT_THAT([&] { simd::add_scaled(1, x, y); }, ThrowsMessage<Error>(HasSubstr("add_scaled: 12")));
  EXPECT_THAT([&] { simd::residual(x, 1, y); }, ThrowsMessage<Error>(HasSubstr("residual: 12")));
  EXPECT_THAT([&] { simd::times_sign_slope(x, 1, 1, y); }, ThrowsMessage<Error>(HasSubstr("times_sign_slope: 12")));
  EXPECT_THAT([&] { simd::rectify(x, y); }, ThrowsMessage<Error>(HasSubstr("rectify: 12")));
  EXPECT_THAT([&] { simd::times_rectifier_slope(x, y); }, ThrowsMessage<Error>(HasSubstr("times_rectifier_slope: 12")));
  EXPECT_THAT([&] { simd::adam({}, x, y, x, x); }, ThrowsMessage<Error>(HasSubstr("adam: 12")));
  EXPECT_THAT([&] { simd::adam({}, x, x, y, x); }, ThrowsMessage<Error>(HasSubstr("adam: 12")));
  EXPECT_THAT([&] { simd::adam({}, x, x, x, y); }, ThrowsMessage<Error>(HasSubstr("adam: 12")));
}

}  // namespace
}  // namespace signfold
