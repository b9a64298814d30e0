#include "signfold/training/population_risk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/random.h"
#include "signfold/theory/linear_risk.h"

namespace signfold {
namespace {

constexpr double kC = 2 / std::numbers::pi;

Matrix<double> random_rows(std::size_t n, std::size_t d, std::uint64_t seed) {
  Matrix<double> rows(n, d);
  RandomStream stream(seed, Purpose::test);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (double& v : rows.row(i)) {
      v = stream.normal();
      sum += v * v;
    }
    for (double& v : rows.row(i)) v /= std::sqrt(sum);
  }
  return rows;
}

double best_risk(const Matrix<double>& rows, const SourceMasks& masks) {
  const SignMoments moments = sign_moments(rows, masks);
  return decoder_risk(moments, best_decoder(moments));
}

Matrix<double> best_gradient(const Matrix<double>& rows, const SourceMasks& masks, int threads = 0) {
  return risk_gradient(rows, best_decoder(sign_moments(rows, masks)), masks, threads);
}

double largest_difference(MatrixView<const double> a, MatrixView<const double> b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) worst = std::max(worst, std::abs(a(i, j) - b(i, j)));
  }
  return worst;
}

TEST(PopulationRisk, OfAGaussianIsTheOneOfTheTheory) {
  for (const std::size_t n : {3, 20, 70}) {
    SCOPED_TRACE(n);
    const Matrix<double> rows = random_rows(n, 20, 1);
    const SignMoments moments = sign_moments(rows, all_masks(20, 1));
    const Matrix<double> decoder = best_decoder(moments);
    const Matrix<double> expected = gaussian_best_decoder(rows);  // d × n
    for (std::size_t i = 0; i < n; ++i) {
      // The ridge of 1e-10, times a condition number of some tens.
      for (std::size_t j = 0; j < 20; ++j) EXPECT_NEAR(decoder(i, j), expected(j, i), 1e-8);
    }
    EXPECT_NEAR(decoder_risk(moments, decoder), gaussian_linear_risk(rows), 1e-13);  // second order in the ridge
    // Half the best decoder, so that no term is hidden by its optimality.
    Matrix<double> half = decoder.clone();
    Matrix<double> half_transposed = expected.clone();
    for (double& v : half.values()) v /= 2;
    for (double& v : half_transposed.values()) v /= 2;
    EXPECT_NEAR(decoder_risk(moments, half), gaussian_linear_risk(rows, half_transposed), 1e-9);  // the ridge
  }
}

// Under the identity each bit is the sign of one coordinate, and a fair coin where that is 0.
TEST(PopulationRisk, OfTheIdentityInClosedForm) {
  Matrix<double> rows(6, 6);
  for (std::size_t i = 0; i < 6; ++i) rows(i, i) = 1;
  const SignMoments moments = sign_moments(rows, all_masks(6, 0.4));
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      EXPECT_NEAR(moments.zx(i, j), i == j ? std::sqrt(kC * 0.4) : 0, 1e-15);
      EXPECT_NEAR(moments.zz(i, j), i == j ? 1 : 0, 1e-15);
    }
  }
  EXPECT_NEAR(decoder_risk(moments, best_decoder(moments)), 1 - kC * 0.4, 1e-15);  // 1 − (E|x|)²
}

TEST(PopulationRisk, OfFlatOrthonormalRowsInClosedForm) {
  Matrix<double> hadamard(8, 8);
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t j = 0; j < 8; ++j) hadamard(i, j) = (std::popcount(i & j) % 2 == 0 ? 1 : -1) / std::sqrt(8.0);
  }
  for (const double p : {0.2, 0.7, 1.0}) {
    for (const std::size_t n : {3, 8}) {
      Matrix<double> rows(n, 8);
      std::copy_n(hadamard.data(), rows.size(), rows.data());
      EXPECT_NEAR(best_risk(rows, all_masks(8, p)), flat_orthonormal_risk(n, 8, p), 1e-13) << "p " << p << " n " << n;
    }
  }
  EXPECT_NEAR(flat_orthonormal_risk(200, 200, 0.1), 0.3706914, 5e-8);  // scipy.stats.binom
  EXPECT_THROW(flat_orthonormal_risk(9, 8, 0.5), Error);
}

/// The derivative of d times the best risk by central differences, one entry of the rows after the other.
Matrix<double> difference_gradient(const Matrix<double>& rows, const SourceMasks& masks) {
  constexpr double kStep = 1e-5;
  Matrix<double> result(rows.rows(), rows.cols());
  for (std::size_t k = 0; k < rows.size(); ++k) {
    Matrix<double> up = rows.clone();
    Matrix<double> down = rows.clone();
    up.values()[k] += kStep;
    down.values()[k] -= kStep;
    const double slope = (best_risk(up, masks) - best_risk(down, masks)) / (2 * kStep);
    result.values()[k] = slope * static_cast<double>(rows.cols());
  }
  return result;
}

TEST(PopulationRisk, GradientIsTheFiniteDifferenceOfTheBestRisk) {
  struct Case {
    std::size_t n, d;
    double p;
  };
  for (const auto& [n, d, p] : {Case{5, 12, 1}, {12, 12, 1}, {30, 12, 1}, {3, 6, 0.3}, {8, 8, 0.3}, {9, 5, 0.6}}) {
    SCOPED_TRACE(testing::Message() << n << " rows of " << d << ", p = " << p);
    const Matrix<double> rows = random_rows(n, d, 2);
    const SourceMasks masks = all_masks(d, p);
    const Matrix<double> gradient = best_gradient(rows, masks);
    // The step squared times third derivatives of some hundreds, where masked rows are almost parallel.
    EXPECT_LT(largest_difference(gradient, difference_gradient(rows, masks)), 1e-6);
    for (std::size_t i = 0; i < n; ++i) {
      double radial = 0;
      for (std::size_t j = 0; j < d; ++j) radial += gradient(i, j) * rows(i, j);
      EXPECT_NEAR(radial, 0, 1e-12);  // rounding: norms do not count
    }
  }
}

TEST(PopulationRisk, DrawnMasksAgreeWithAllOfThem) {
  constexpr std::size_t kSets = 64;
  constexpr std::uint64_t kSeed = 17;
  const Matrix<double> rows = random_rows(7, 8, 3);
  const SignMoments exact = sign_moments(rows, all_masks(8, 0.4));
  const Matrix<double> decoder = best_decoder(exact);
  const Matrix<double> exact_gradient = risk_gradient(rows, decoder, all_masks(8, 0.4));
  const double exact_risk = decoder_risk(exact, decoder);

  // Averages over independent sets of masks; the error of each is taken from the spread of the sets.
  std::vector<double> sum(1 + rows.size());
  std::vector<double> squares(sum.size());
  for (std::size_t set = 0; set < kSets; ++set) {
    const SourceMasks masks = draw_masks(8, 0.4, 16, kSeed, set);
    std::vector<double> values{decoder_risk(sign_moments(rows, masks), decoder)};
    const Matrix<double> gradient = risk_gradient(rows, decoder, masks);
    values.insert(values.end(), gradient.values().begin(), gradient.values().end());
    for (std::size_t k = 0; k < values.size(); ++k) {
      sum[k] += values[k];
      squares[k] += values[k] * values[k];
    }
  }
  for (std::size_t k = 0; k < sum.size(); ++k) {
    const double mean = sum[k] / kSets;
    const double error = std::sqrt((squares[k] / kSets - mean * mean) / (kSets - 1));
    const double expected = k == 0 ? exact_risk : exact_gradient.values()[k - 1];
    EXPECT_NEAR(mean, expected, 5 * error) << (k == 0 ? "risk" : "gradient") << ' ' << k << ", seed " << kSeed;
    EXPECT_LT(error, 0.05);  // so that the line above says something: the gradient is of size 1
  }
}

TEST(PopulationRisk, MeasuredRiskIsThatOfAllMasks) {
  const Matrix<double> rows = random_rows(8, 8, 4);
  const double exact = best_risk(rows, all_masks(8, 0.4));
  const RiskEstimate measured = measure_risk(rows, 0.4, 8192, 5);
  EXPECT_GT(measured.standard_error, 0);
  EXPECT_LT(measured.standard_error, 2e-3);
  EXPECT_GT(measured.mean, exact - 5 * measured.standard_error);
  // A decoder with 64 coefficients fitted on 8192 masks loses less than the ratio of the two.
  EXPECT_LT(measured.mean, exact + 5 * measured.standard_error + 64.0 / 8192);

  const RiskEstimate gaussian = measure_risk(rows, 1, 1, 5);
  EXPECT_EQ(gaussian.standard_error, 0);
  EXPECT_NEAR(gaussian.mean, gaussian_linear_risk(rows), 1e-13);  // rounding
  EXPECT_THROW(measure_risk(rows, 0.4, 63, 5), Error);
}

void expect_finite(const Matrix<double>& a) {
  for (const double v : a.values()) EXPECT_TRUE(std::isfinite(v));
}

TEST(PopulationRisk, RepeatedBitsAreWorthAsMuchAsOne) {
  const Matrix<double> rows = random_rows(4, 6, 6);
  Matrix<double> repeated(16, 6);  // three of each row, and its negative
  for (std::size_t k = 0; k < repeated.size(); ++k) {
    repeated.values()[k] = (k < 3 * rows.size() ? 1 : -1) * rows.values()[k % rows.size()];
  }
  for (const double p : {0.3, 1.0}) {
    SourceMasks masks = all_masks(6, p);
    std::erase_if(masks.kept, [](const auto& kept) { return kept.empty(); });  // where copies are independent coins
    masks.weights.assign(masks.kept.size(), 1 / static_cast<double>(masks.kept.size()));
    EXPECT_NEAR(best_risk(repeated, masks), best_risk(rows, masks), 1e-9) << p;  // the ridge
    expect_finite(best_gradient(repeated, masks));
  }
}

TEST(PopulationRisk, NothingBreaksInCorners) {
  Matrix<double> rows(5, 3);
  rows(0, 0) = 1;  // two equal axes and their negative
  rows(1, 0) = 1;
  rows(2, 0) = -1;
  rows(3, 1) = 1;  // almost another axis: 1e-200 squared is 0
  rows(3, 2) = 1e-200;
  rows(4, 1) = 1;  // almost parallel to the one above
  rows(4, 0) = 1e-9;
  for (const double p : {1e-6, 0.5, 1.0}) {
    SCOPED_TRACE(p);
    const SourceMasks masks = all_masks(3, p);
    const double risk = best_risk(rows, masks);
    EXPECT_GE(risk, 1 - 2 * kC);
    EXPECT_LE(risk, 1);
    expect_finite(best_gradient(rows, masks));
  }
  EXPECT_THROW(sign_moments(rows, all_masks(4, 0.5)), Error);
  EXPECT_THROW(sign_moments(Matrix<double>(0, 3), all_masks(3, 0.5)), Error);
}

TEST(PopulationRisk, DoesNotDependOnThreads) {
  const Matrix<double> rows = random_rows(170, 60, 7);
  const SourceMasks masks = draw_masks(60, 0.3, 12, 1, 1);
  const SignMoments one = sign_moments(rows, masks, 1);
  const SignMoments three = sign_moments(rows, masks, 3);
  EXPECT_TRUE(std::ranges::equal(one.zx.values(), three.zx.values()));
  EXPECT_TRUE(std::ranges::equal(one.zz.values(), three.zz.values()));
  EXPECT_TRUE(std::ranges::equal(best_gradient(rows, masks, 1).values(), best_gradient(rows, masks, 3).values()));
}

nlohmann::json to_json(MatrixView<const double> a) {
  auto result = nlohmann::json::array();
  for (std::size_t i = 0; i < a.rows; ++i) result.push_back(std::vector<double>(a.row(i).begin(), a.row(i).end()));
  return result;
}

void expect_matrix(MatrixView<const double> actual, const nlohmann::json& expected, double tolerance) {
  ASSERT_EQ(expected.size(), actual.rows);
  for (std::size_t i = 0; i < actual.rows; ++i) {
    ASSERT_EQ(expected[i].size(), actual.cols);
    for (std::size_t j = 0; j < actual.cols; ++j) EXPECT_NEAR(actual(i, j), expected[i][j].get<double>(), tolerance);
  }
}

TEST(PopulationRisk, AgreesWithPython) {
  struct Case {
    std::size_t n, d;
    double p;
  };
  const std::vector<Case> cases{{4, 7, 1}, {9, 5, 1}, {4, 6, 0.3}, {6, 4, 0.7}};
  auto questions = nlohmann::json::array();
  for (const auto& [n, d, p] : cases) questions.push_back({{"rows", to_json(random_rows(n, d, 8))}, {"p", p}});

  const TemporaryFolder folder;
  const std::string question = folder.path("case.json");
  const std::string answer = folder.path("answer.json");
  std::ofstream(question) << questions;
  const std::string command = "OPENBLAS_NUM_THREADS=1 '" SIGNFOLD_PYTHON "' '" SIGNFOLD_SOURCE_DIR
                              "/reference/training.py' population < '" +
                              question + "' > '" + answer + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command << "  (needs numpy)";  // NOLINT(concurrency-mt-unsafe)
  const auto answers = nlohmann::json::parse(std::ifstream(answer), nullptr, /*allow_exceptions=*/false);
  ASSERT_EQ(answers.size(), cases.size());
  for (std::size_t k = 0; k < cases.size(); ++k) {
    const auto& [n, d, p] = cases[k];
    SCOPED_TRACE(testing::Message() << n << " rows of " << d << ", p = " << p);
    const Matrix<double> rows = random_rows(n, d, 8);
    const SourceMasks masks = all_masks(d, p);
    const SignMoments moments = sign_moments(rows, masks);
    const Matrix<double> decoder = best_decoder(moments);
    expect_matrix(moments.zx, answers[k]["zx"], 1e-14);  // rounding
    expect_matrix(moments.zz, answers[k]["zz"], 1e-14);
    EXPECT_NEAR(decoder_risk(moments, decoder), answers[k]["risk"].get<double>(), 1e-13);
    // The gradient is linear in the ridge, and sums of F' of some tens.
    expect_matrix(risk_gradient(rows, decoder, masks), answers[k]["gradient"], 1e-7);
  }
}

}  // namespace
}  // namespace signfold
