#include "signfold/decoder/rotated_stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/encoder/dense.h"
#include "signfold/encoder/hadamard.h"
#include "signfold/prior/mixture.h"
#include "signfold/theory/sign_channel.h"

namespace signfold {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 20260;

VectorPrior law(const std::string& name) { return iid_prior(parse_prior(name)); }

/// Vectors of the prior, each scaled to ‖x‖² = d, as a stored norm makes them.
Matrix<float> unit_rows(const Prior& prior, std::size_t rows, std::size_t dim) {
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    sample_row(prior, kSeed, i, x.row(i));
    double energy = 0;
    for (const float v : x.row(i)) energy += static_cast<double>(v) * static_cast<double>(v);
    const double factor = energy > 0 ? std::sqrt(static_cast<double>(dim) / energy) : 0;
    for (float& v : x.row(i)) v = static_cast<float>(v * factor);
  }
  return x;
}

Matrix<float> unit_rows(const std::string& prior, std::size_t rows, std::size_t dim) {
  return unit_rows(*parse_prior(prior), rows, dim);
}

struct Measured {
  double risk = 0, error = 0;  ///< mean and standard error over vectors of ‖x − x̂‖²/d
};
Measured measure(const RotatedStages& code, MatrixView<const float> x, MatrixView<const std::uint8_t> codes,
                 std::size_t stages) {
  Matrix<float> decoded(x.rows, x.cols);
  code.decode(codes, stages, decoded);
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < x.rows; ++i) {
    double e = 0;
    for (std::size_t j = 0; j < x.cols; ++j) e += std::pow(static_cast<double>(x(i, j)) - decoded(i, j), 2);
    e /= static_cast<double>(x.cols);
    sum += e;
    squares += e * e;
  }
  const auto n = static_cast<double>(x.rows);
  return {sum / n, std::sqrt((squares / n - sum * sum / n / n) / n)};
}

struct Case {
  const char* prior;
  std::vector<std::size_t> bits;
  double slack;  ///< of finite d, relative: state evolution is about d → ∞
};

TEST(RotatedStages, RisksAreThoseOfStateEvolution) {
  constexpr std::size_t kDim = 1024;
  constexpr std::size_t kRows = 150;
  // docs/rigamp.md section 6: the excess at finite d is of order 10/d relative for SG .1 at r = 1 (.06), and more where
  // risks are smaller, as later stages there have them; Gaussian and SG .3 have less.
  for (const Case& c :
       {Case{"gaussian", {256, 256, 512, 1024}, 0.01}, Case{"sparse-gaussian:0.3", {256, 256, 256, 256, 1024}, 0.02},
        Case{"sparse-gaussian:0.1", {256, 256, 256}, 0.08}, Case{"sparse-laplace:1", {1024, 1024, 1024}, 0.04}}) {
    const RotatedStages code(plan_rotated_stages(law(c.prior), kDim, c.bits, 5));
    const Matrix<float> x = unit_rows(c.prior, kRows, kDim);
    Matrix<std::uint8_t> codes(kRows, code_bytes(code.bits()));
    code.encode(x, codes);
    for (std::size_t s = 1; s <= code.count(); ++s) {
      const Measured m = measure(code, x, codes, s);
      EXPECT_NEAR(m.risk, code.risk(s), 5 * m.error + c.slack * code.risk(s)) << c.prior << ", stage " << s;
    }
  }
}

TEST(RotatedStages, KeepWhatIsRecoveredAlready) {
  constexpr std::size_t kDim = 512;
  constexpr std::size_t kRows = 20;
  const PriorPtr atoms = make_mixture("atoms", {{0.25, -3, 0}, {0.25, -1, 0}, {0.25, 1, 0}, {0.25, 3, 0}}, true);
  struct Source {
    PriorPtr prior;
    std::size_t rotations;
    double least;  ///< nothing is asked of risks below: float32, and norms of rows that are not exactly √d
  };
  for (const Source& source : {Source{atoms, 4, 1e-3}, Source{make_gaussian(), 14, 1e-6}}) {
    const std::vector<std::size_t> bits(source.rotations, kDim);
    const RotatedStages code(plan_rotated_stages(iid_prior(source.prior), kDim, bits, 5));
    const Matrix<float> x = unit_rows(*source.prior, kRows, kDim);
    Matrix<std::uint8_t> codes(kRows, code_bytes(code.bits()));
    code.encode(x, codes);
    double before = 1;
    for (std::size_t s = 1; s <= code.count(); ++s) {
      const double risk = measure(code, x, codes, s).risk;
      EXPECT_LT(risk, std::max(1.1 * before, source.least)) << source.prior->name() << ", stage " << s;
      before = risk;
    }
    EXPECT_LT(before, 1.1 * source.least) << source.prior->name();
  }
}

/// The formulas of docs/math.md section 13 with dense matrices in double precision and exact functions.
class Plain {
 public:
  explicit Plain(const RotatedStagesParameters& p) : p_(p) {
    for (const RotatedStage& stage : p.stages) {
      if (stage.rotation == matrices_.size()) {
        matrices_.push_back(explicit_matrix(*make_hadamard({p.dim, p.dim}, p.seed + matrices_.size())));
      }
    }
  }

  struct Result {
    std::vector<double> difference;  ///< of every bit: what its sign was taken of
    std::vector<double> estimate;
  };
  /// Encodes x and decodes it, but takes the bits from `code`.
  Result run(std::span<const float> x, std::span<const std::uint8_t> code) const {
    const std::size_t d = p_.dim;
    Result out{{}, std::vector<double>(d)};
    std::vector<std::vector<double>> y(matrices_.size(), std::vector<double>(d));
    std::vector<std::vector<double>> theta(matrices_.size());
    std::vector<std::vector<double>> signs(matrices_.size());
    std::vector<double> gamma(matrices_.size());
    double m = 1;
    for (const RotatedStage& stage : p_.stages) {
      const std::size_t r = stage.rotation;
      const std::size_t first = theta[r].size();
      const auto known =
          project(r, without(out.estimate, y[r], stage.scalars.layers[0].rotations[r].variance, m, gamma[r]));
      const auto g = project(r, {x.begin(), x.end()});
      for (std::size_t i = first; i < first + stage.bits; ++i) {
        theta[r].push_back(known[i]);
        const std::size_t bit = out.difference.size();
        out.difference.push_back(g[i] - known[i]);
        signs[r].push_back((code[bit / 8] >> (bit % 8) & 1) != 0 ? 1 : -1);
      }
      for (const StagedLayer& layer : stage.scalars.layers) {
        std::vector<double> together(d);
        for (std::size_t k = 0; k < layer.rotations.size(); ++k) {
          const RotationScalars& s = layer.rotations[k];
          const std::vector<double> rest = without(out.estimate, y[k], s.variance, m, gamma[k]);
          const std::vector<double> known_now = project(k, rest);
          y[k] = rest;
          for (std::size_t i = 0; i < signs[k].size(); ++i) {
            const double a = std::max(signs[k][i] * (known_now[i] - theta[k][i]) / std::sqrt(s.variance), -p_.clip);
            const double score = signs[k][i] * std::sqrt(s.variance) * hazard(a) / s.information;
            for (std::size_t j = 0; j < d; ++j) y[k][j] += score * static_cast<double>(matrices_[k](i, j));
          }
          for (std::size_t j = 0; j < d; ++j) together[j] += s.precision / layer.precision * y[k][j];
        }
        for (std::size_t k = 0; k < layer.rotations.size(); ++k) gamma[k] = layer.rotations[k].precision;
        for (std::size_t j = 0; j < d; ++j) {
          out.estimate[j] = coordinate_posterior(p_.prior, j, together[j], layer.precision).mean;
        }
        m = layer.risk;
      }
    }
    return out;
  }

 private:
  std::vector<double> project(std::size_t r, const std::vector<double>& x) const {
    std::vector<double> u(p_.dim);
    for (std::size_t i = 0; i < p_.dim; ++i) {
      for (std::size_t j = 0; j < p_.dim; ++j) u[i] += static_cast<double>(matrices_[r](i, j)) * x[j];
    }
    return u;
  }
  static std::vector<double> without(const std::vector<double>& estimate, const std::vector<double>& y, double v,
                                     double m, double gamma) {
    std::vector<double> rest(y.size());
    for (std::size_t j = 0; j < y.size(); ++j) rest[j] = v * (estimate[j] / m - gamma * y[j]);
    return rest;
  }

  const RotatedStagesParameters& p_;
  std::vector<Matrix<float>> matrices_;
};

TEST(RotatedStages, EncodesAndDecodesAsTheFormulasSay) {
  for (const Case& c : {Case{"sparse-gaussian:0.3", {16, 24, 24, 64, 21}, 0}, Case{"sparse-laplace:1", {64, 13}, 0}}) {
    const RotatedStages code(plan_rotated_stages(law(c.prior), 64, c.bits, 7));
    const Plain plain(code.parameters());
    const Matrix<float> x = unit_rows(c.prior, 12, 64);
    Matrix<std::uint8_t> codes(12, code_bytes(code.bits()));
    Matrix<float> decoded(12, 64);
    code.encode(x, codes);
    code.decode(codes, code.count(), decoded);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      const Plain::Result expected = plain.run(x.row(i), codes.row(i));
      // Tables are within 2e-4 of their unit per layer, and errors pass through some twenty layers.
      for (std::size_t b = 0; b < expected.difference.size(); ++b) {
        if (std::abs(expected.difference[b]) < 0.02) continue;
        EXPECT_EQ((codes(i, b / 8) >> (b % 8) & 1) != 0, expected.difference[b] > 0) << c.prior << ", bit " << b;
      }
      for (std::size_t j = 0; j < 64; ++j) EXPECT_NEAR(decoded(i, j), expected.estimate[j], 0.02) << c.prior;
    }
  }
}

TEST(RotatedStages, APrefixIsTheCodeOfFewerStages) {
  const RotatedStages all(plan_rotated_stages(law("sparse-gaussian:0.2"), 64, {32, 32, 64}, 3));
  const RotatedStages two(plan_rotated_stages(law("sparse-gaussian:0.2"), 64, {32, 32}, 3));
  const Matrix<float> x = unit_rows("sparse-gaussian:0.2", 20, 64);
  Matrix<std::uint8_t> long_codes(20, 16);
  Matrix<std::uint8_t> short_codes(20, 8);
  all.encode(x, long_codes);
  two.encode(x, short_codes);
  Matrix<float> from_long(20, 64);
  Matrix<float> from_short(20, 64);
  all.decode(long_codes, 2, from_long);
  all.decode(short_codes, 2, from_short);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(std::ranges::equal(short_codes.row(i), long_codes.row(i).first(8)));
    EXPECT_TRUE(std::ranges::equal(from_short.row(i), from_long.row(i)));
  }
}

TEST(RotatedStages, NothingLeavesTheRangeOfNumbersForVectorsOfAnotherLaw) {
  const RotatedStages code(plan_rotated_stages(law("sparse-gaussian:0.05"), 128, {64, 64, 128}, 3));
  Matrix<float> x(4, 128);
  std::ranges::fill(x.row(1), 1.0F);  // flat
  x(2, 5) = std::sqrt(128.0F);        // one coordinate
  std::ranges::fill(x.row(3), 1e6F);  // not scaled at all
  Matrix<std::uint8_t> codes(4, 32);
  Matrix<float> decoded(4, 128);
  code.encode(x, codes);
  code.decode(codes, 3, decoded);
  for (const float v : decoded.values()) EXPECT_TRUE(std::isfinite(v));
}

TEST(RotatedStages, RefusesWhatDoesNotFit) {
  const auto plan = [](const std::vector<std::size_t>& bits) {
    return [=] { plan_rotated_stages(law("gaussian"), 64, bits, 1); };
  };
  EXPECT_THAT(plan({12, 0}), ThrowsMessage<Error>(HasSubstr("stage 2 has no bits")));
  EXPECT_THAT(plan({48, 32}), ThrowsMessage<Error>(HasSubstr("64 rows and 48 of them are taken")));
  EXPECT_THAT(plan({128}), ThrowsMessage<Error>(HasSubstr("stage 1 has 128 bits")));
  RotatedStagesParameters p = plan_rotated_stages(law("gaussian"), 64, {32, 32}, 1);
  p.stages[1].rotation = 2;
  EXPECT_THAT([&] { RotatedStages{p}; }, ThrowsMessage<Error>(HasSubstr("before it was begun")));
  p.stages[1].rotation = 0;
  p.stages[1].scalars.layers[0].rotations[0].variance = 0;
  EXPECT_THAT([&] { RotatedStages{p}; }, ThrowsMessage<Error>(HasSubstr("do not fit 1 rotations")));
  p.stages[1].scalars.layers[0].rotations[0].variance = 1e30;
  EXPECT_THAT([&] { RotatedStages{p}; }, ThrowsMessage<Error>(HasSubstr("do not fit 1 rotations")));
}

}  // namespace
}  // namespace signfold
