#include "signfold/simd/matrix_product.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/kernels_for_test.h"

namespace signfold {
namespace {

using testing::Guarded;
using ::testing::HasSubstr;
using testing::numbers;
using testing::same_bits;
using ::testing::ThrowsMessage;

struct Shape {
  std::size_t rows;
  std::size_t terms;
  std::size_t cols;
};

std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.rows << " x " << s.cols << ", " << s.terms << " terms";
}

/// Rows around tiles of 4 and 8, columns around vectors of 4 … 16 lanes and panels of three, terms around squares of 4
/// and blocks of 512.
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const std::size_t rows : {0, 1, 3, 8, 13}) {
    for (const std::size_t cols : {0, 1, 3, 4, 15, 16, 17, 47, 48, 49, 100}) {
      for (const std::size_t terms : {0, 1, 3, 4, 9, 30}) all.push_back({rows, terms, cols});
    }
  }
  for (const std::size_t terms : {511, 512, 513, 1030}) all.push_back({9, terms, 50});
  return all;
}

/// Two factors and what is in the result before, each a view with unused numbers between its rows that starts `offset`
/// numbers after an aligned address.
struct Problem {
  bool transpose_a;
  bool transpose_b;
  std::vector<float> a_storage;
  std::vector<float> b_storage;
  Guarded<float> c_storage;
  MatrixView<const float> a;
  MatrixView<const float> b;
  MatrixView<float> c;

  Problem(const Shape& s, bool ta, bool tb, std::size_t offset)
      : transpose_a(ta),
        transpose_b(tb),
        a_storage(numbers(offset + (ta ? s.terms : s.rows) * ((ta ? s.rows : s.terms) + 2 * offset), 3)),
        b_storage(numbers(offset + (tb ? s.cols : s.terms) * ((tb ? s.terms : s.cols) + 2 * offset), 4)),
        c_storage(numbers(s.rows * (s.cols + 2 * offset), 5), offset),
        a(view(a_storage.data() + offset, s.rows, s.terms, ta, 2 * offset)),
        b(view(b_storage.data() + offset, s.terms, s.cols, tb, 2 * offset)),
        c(c_storage.values().data(), s.rows, s.cols, s.cols + 2 * offset) {}

  void multiply(float keep) { simd::matrix_product(transpose_a, transpose_b, a, b, keep, c); }
  float left(std::size_t i, std::size_t k) const { return transpose_a ? a(k, i) : a(i, k); }
  float right(std::size_t k, std::size_t j) const { return transpose_b ? b(j, k) : b(k, j); }

 private:
  static MatrixView<const float> view(const float* data, std::size_t rows, std::size_t cols, bool turned,
                                      std::size_t gap) {
    if (turned) std::swap(rows, cols);
    return {data, rows, cols, cols + gap};
  }
};

/// Calls check(shape, problem) for every shape, both transpositions of both factors, aligned and not.
template <class Check>
void for_every_problem(const Check& check) {
  for (const Shape& shape : shapes()) {
    for (const int turned : {0, 1, 2, 3}) {
      for (const std::size_t offset : {0, 1, 3}) {
        Problem problem(shape, (turned & 1) != 0, (turned & 2) != 0, offset);
        SCOPED_TRACE(::testing::Message() << shape << ", transposed " << turned << ", offset " << offset);
        check(shape, problem);
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

class MatrixProduct : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { simd::force_target(GetParam()); }
  void TearDown() override { simd::force_target(""); }
};

TEST_P(MatrixProduct, IsTheProductInDoublePrecisionAndWritesNothingElse) {
  for (const float keep : {0.0F, 1.0F, -0.7F}) {
    for_every_problem([&](const Shape& shape, Problem& p) {
      const std::vector<float> before(p.c_storage.values().begin(), p.c_storage.values().end());
      p.multiply(keep);
      std::vector<float> expected = before;  // the gaps between rows stay as they were
      for (std::size_t i = 0; i < shape.rows; ++i) {
        for (std::size_t j = 0; j < shape.cols; ++j) {
          const std::size_t at = i * p.c.stride + j;
          double sum = static_cast<double>(keep) * static_cast<double>(before[at]);
          double size = std::abs(sum);
          for (std::size_t k = 0; k < shape.terms; ++k) {
            const double term = static_cast<double>(p.left(i, k)) * static_cast<double>(p.right(k, j));
            sum += term;
            size += std::abs(term);
          }
          // Each term is rounded and added, and so is what was kept, per block: at most two roundings of 2⁻²⁴ each.
          const double roundings = 2 * static_cast<double>(shape.terms) + 6;
          ASSERT_NEAR(p.c(i, j), sum, roundings * 0x1p-24 * size) << i << ", " << j << ", keep " << keep;
          expected[at] = p.c(i, j);
        }
      }
      ASSERT_TRUE(same_bits<float>(p.c_storage.values(), expected)) << "a gap between rows was written";
      ASSERT_TRUE(p.c_storage.guards_intact());
    });
  }
}

TEST_P(MatrixProduct, OfWholeNumbersIsExact) {
  for (const int turned : {0, 1, 2, 3}) {
    Problem p({13, 1030, 53}, (turned & 1) != 0, (turned & 2) != 0, 0);
    for (std::size_t i = 0; i < p.a_storage.size(); ++i) p.a_storage[i] = static_cast<float>(i % 7) - 3;
    for (std::size_t i = 0; i < p.b_storage.size(); ++i) p.b_storage[i] = static_cast<float>(i % 11) - 5;
    p.multiply(0);
    for (std::size_t i = 0; i < p.c.rows; ++i) {
      for (std::size_t j = 0; j < p.c.cols; ++j) {
        float sum = 0;  // below 2²⁴: a missing or a doubled term shows
        for (std::size_t k = 0; k < 1030; ++k) sum += p.left(i, k) * p.right(k, j);
        ASSERT_EQ(p.c(i, j), sum) << i << ", " << j << ", transposed " << turned;
      }
    }
  }
}

TEST_P(MatrixProduct, DoesNotDependOnHowTheResultIsCut) {
  const Shape shape{21, 515, 70};
  for (const int turned : {0, 1, 2, 3}) {
    const bool ta = (turned & 1) != 0;
    const bool tb = (turned & 2) != 0;
    Problem whole(shape, ta, tb, 1);
    whole.multiply(0.3F);
    for (const std::size_t high : {2, 8, 11}) {
      for (const std::size_t wide : {5, 16, 69}) {
        Problem cut(shape, ta, tb, 1);
        for (std::size_t i = 0; i < shape.rows; i += high) {
          for (std::size_t j = 0; j < shape.cols; j += wide) {
            const std::size_t rows = std::min(high, shape.rows - i);
            const std::size_t cols = std::min(wide, shape.cols - j);
            const MatrixView<const float> a =
                ta ? MatrixView<const float>(cut.a.data + i, shape.terms, rows, cut.a.stride)
                   : cut.a.row_range(i, rows);
            const MatrixView<const float> b =
                tb ? cut.b.row_range(j, cols)
                   : MatrixView<const float>(cut.b.data + j, shape.terms, cols, cut.b.stride);
            simd::matrix_product(ta, tb, a, b, 0.3F, {&cut.c(i, j), rows, cols, cut.c.stride});
          }
        }
        ASSERT_TRUE(same_bits<float>(cut.c_storage.values(), whole.c_storage.values()))
            << high << " x " << wide << ", transposed " << turned;
      }
    }
  }
}

TEST_P(MatrixProduct, OverwritesNonFiniteNumbersWhenItKeepsNothing) {
  Problem p({9, 5, 53}, false, true, 0);
  std::ranges::fill(p.c_storage.values(), std::numeric_limits<float>::quiet_NaN());
  p.multiply(0);
  for (const float v : p.c_storage.values()) EXPECT_TRUE(std::isfinite(v));
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, MatrixProduct, ::testing::ValuesIn(simd::supported_targets()),
                         [](const auto& test) { return test.param; });

TEST(MatrixProductErrors, ShapesThatDoNotMatchAreRefused) {
  const Matrix<float> a(5, 12);
  const Matrix<float> b(12, 3);
  Matrix<float> c(5, 3);
  Matrix<float> wrong(4, 3);
  EXPECT_NO_THROW(simd::matrix_product(false, false, a, b, 0, c));
  const auto refuses = [&](bool ta, bool tb, MatrixView<float> result, const char* message) {
    EXPECT_THAT([&] { simd::matrix_product(ta, tb, a, b, 0, result); }, ThrowsMessage<Error>(HasSubstr(message)));
  };
  refuses(false, false, wrong, "5 x 12 and 12 x 3 numbers do not give 4 x 3");
  refuses(true, false, c, "12 x 5 and 12 x 3");
  refuses(false, true, c, "5 x 12 and 3 x 12");
}

}  // namespace
}  // namespace signfold
