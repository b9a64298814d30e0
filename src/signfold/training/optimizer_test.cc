#include "signfold/training/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 31;
constexpr std::size_t kRows = 3;
constexpr std::size_t kCols = 37;
constexpr std::size_t kSteps = 25;
constexpr double kRate = 0.05;

using Vector = std::vector<double>;

/// The gradient of row i at a step: anything that changes from step to step, with entries of very different sizes.
std::vector<float> gradient(std::size_t step, std::size_t row) {
  RandomStream stream(kSeed, Purpose::test, step * kRows + row);
  std::vector<float> g(kCols);
  for (std::size_t j = 0; j < kCols; ++j)
    g[j] = static_cast<float>(std::ldexp(stream.normal(), -static_cast<int>(j % 9)));
  return g;
}

Matrix<float> unit_rows() {
  Matrix<float> p(kRows, kCols);
  for (std::size_t i = 0; i < kRows; ++i) {
    RandomStream stream(kSeed, Purpose::test, 1000 + i);
    double energy = 0;
    for (float& v : p.row(i)) {
      v = static_cast<float>(stream.normal());
      energy += static_cast<double>(v) * v;
    }
    for (float& v : p.row(i)) v = static_cast<float>(v / std::sqrt(energy));
  }
  return p;
}

double inner(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

void project(const Vector& p, Vector& v) {
  const double radial = inner(p, v) / inner(p, p);
  for (std::size_t j = 0; j < p.size(); ++j) v[j] -= radial * p[j];
}

/// The formulas as in the textbooks, for one row in double precision.
struct PlainOptimizer {
  OptimizerKind kind;
  Vector first = Vector(kCols, 0.0);
  Vector second = Vector(kCols, 0.0);

  void move(std::size_t step, const Vector& g, Vector& p) {
    for (std::size_t j = 0; j < kCols; ++j) {
      if (kind == OptimizerKind::sgd) {
        p[j] -= kRate * g[j];
      } else if (kind == OptimizerKind::momentum) {
        first[j] = 0.9 * first[j] + g[j];
        p[j] -= kRate * first[j];
      } else {
        first[j] = 0.9 * first[j] + 0.1 * g[j];
        second[j] = 0.999 * second[j] + 0.001 * g[j] * g[j];
        const double mean = first[j] / (1 - std::pow(0.9, step + 1));
        const double square = second[j] / (1 - std::pow(0.999, step + 1));
        p[j] -= kRate * mean / (std::sqrt(square) + 1e-8);
      }
    }
  }

  void move_on_sphere(std::size_t step, Vector g, Vector& p) {
    project(p, g);
    move(step, g, p);
    const double norm = std::sqrt(inner(p, p));
    for (double& v : p) v /= norm;
    if (kind == OptimizerKind::momentum) project(p, first);
  }
};

class Optimizers : public ::testing::TestWithParam<OptimizerKind> {};

/// Adam divides by roots of nearly equal sums: float32 roundings of kSteps steps, each of at most kRate and relative
/// size 2⁻²³ · (a few), grow a little; 2e-6 is a hundredth of what leaving out one step's bias correction changes.
constexpr double kTolerance = 2e-6;

TEST_P(Optimizers, FollowsTheFormula) {
  Optimizer optimizer(GetParam(), kRows, kCols);
  Matrix<float> p = unit_rows();
  for (std::size_t i = 0; i < kRows; ++i) {
    PlainOptimizer plain{GetParam()};
    Vector expected(p.row(i).begin(), p.row(i).end());
    for (std::size_t step = 0; step < kSteps; ++step) {
      std::vector<float> g = gradient(step, i);
      plain.move(step, {g.begin(), g.end()}, expected);
      optimizer.move(i, step, kRate, g, p.row(i));
      for (std::size_t j = 0; j < kCols; ++j) {
        ASSERT_NEAR(p(i, j), expected[j], kTolerance) << "row " << i << ", step " << step << ", entry " << j;
      }
    }
  }
}

TEST_P(Optimizers, FollowsTheFormulaOnTheSphere) {
  Optimizer optimizer(GetParam(), kRows, kCols);
  Matrix<float> p = unit_rows();
  for (std::size_t i = 0; i < kRows; ++i) {
    PlainOptimizer plain{GetParam()};
    Vector expected(p.row(i).begin(), p.row(i).end());
    for (std::size_t step = 0; step < kSteps; ++step) {
      std::vector<float> g = gradient(step, i);
      plain.move_on_sphere(step, {g.begin(), g.end()}, expected);
      optimizer.move_on_sphere(i, step, kRate, g, p.row(i));
      const Vector moved(p.row(i).begin(), p.row(i).end());
      ASSERT_NEAR(inner(moved, moved), 1, 4e-7) << "roundings of the norm and of each entry";
      for (std::size_t j = 0; j < kCols; ++j) {
        ASSERT_NEAR(moved[j], expected[j], kTolerance) << "row " << i << ", step " << step << ", entry " << j;
      }
    }
  }
}

TEST_P(Optimizers, UsesTheGradientsTangentPartOnly) {
  Optimizer optimizer(GetParam(), 1, kCols);
  Matrix<float> p = unit_rows();
  const std::vector<float> before(p.row(0).begin(), p.row(0).end());
  std::vector<float> g = gradient(0, 0);
  optimizer.move_on_sphere(0, 0, kRate, g, p.row(0));
  // The scratch now holds what was used: orthogonal to where the row was, up to float32 roundings of its norm (< 8).
  EXPECT_NEAR(inner({before.begin(), before.end()}, {g.begin(), g.end()}), 0, 8 * 4e-7);
}

TEST(OptimizerOnSphere, AGradientAlongTheRowMovesNothing) {
  Optimizer optimizer(OptimizerKind::sgd, kRows, kCols);
  Matrix<float> p = unit_rows();
  const Matrix<float> before = p.clone();
  std::vector<float> along(p.row(1).begin(), p.row(1).end());
  for (float& v : along) v *= 3;
  optimizer.move_on_sphere(1, 0, kRate, along, p.row(1));
  for (std::size_t j = 0; j < kCols; ++j) EXPECT_NEAR(p(1, j), before(1, j), 4e-7);
}

TEST(OptimizerOnSphere, MomentumStaysTangent) {
  Optimizer optimizer(OptimizerKind::momentum, kRows, kCols);
  Matrix<float> p = unit_rows();
  for (std::size_t step = 0; step < kSteps; ++step) {
    std::vector<float> g = gradient(step, 2);
    optimizer.move_on_sphere(2, step, kRate, g, p.row(2));
    const Vector momentum(optimizer.first.row(2).begin(), optimizer.first.row(2).end());
    const double size = std::sqrt(inner(momentum, momentum));
    EXPECT_NEAR(inner(momentum, {p.row(2).begin(), p.row(2).end()}), 0, 4e-7 * size) << "step " << step;
  }
}

TEST_P(Optimizers, RowsDoNotKnowEachOther) {
  Optimizer together(GetParam(), kRows, kCols);
  Optimizer alone(GetParam(), kRows, kCols);
  Matrix<float> p = unit_rows();
  Matrix<float> q = unit_rows();
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (const std::size_t i : {2, 0, 1}) {
      std::vector<float> g = gradient(step, i);
      together.move_on_sphere(i, step, kRate, g, p.row(i));
    }
    std::vector<float> g = gradient(step, 1);
    alone.move_on_sphere(1, step, kRate, g, q.row(1));
  }
  EXPECT_TRUE(std::ranges::equal(p.row(1), q.row(1)));
  EXPECT_FALSE(std::ranges::equal(p.row(0), q.row(0)));
}

INSTANTIATE_TEST_SUITE_P(EveryKind, Optimizers,
                         ::testing::Values(OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adam),
                         [](const auto& test) { return to_string(test.param); });

TEST(Optimizer, NamesGoBothWays) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adam}) {
    EXPECT_EQ(parse_optimizer(to_string(kind)), kind);
  }
  EXPECT_THAT([] { parse_optimizer("lbfgs"); }, ThrowsMessage<Error>(HasSubstr("unknown optimizer 'lbfgs'")));
}

}  // namespace
}  // namespace signfold
