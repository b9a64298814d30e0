#include "signfold/simd/sign_product.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/simd/kernels.h"
#include "signfold/simd/kernels_for_test.h"
#include "signfold/simd/plain.h"

namespace signfold {
namespace {

using testing::bytes;
using testing::Guarded;
using ::testing::HasSubstr;
using testing::numbers;
using testing::same_bits;
using ::testing::ThrowsMessage;

struct Shape {
  std::size_t rows;   ///< of the signs
  std::size_t inner;  ///< signs per row
  std::size_t cols;   ///< of the numbers
};

std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.rows << " x " << s.inner << " signs times " << s.inner << " x " << s.cols;
}

/// Inner sizes around groups of 4, bytes and blocks of 32; columns around vectors of 4 … 16 lanes and strips of four;
/// rows around tiles of 256.
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const std::size_t inner : {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 40, 63, 64, 65, 100}) {
    for (const std::size_t cols : {0, 1, 3, 4, 7, 15, 16, 17, 31, 48, 63, 64, 65, 100, 130}) {
      all.push_back({5, inner, cols});
    }
  }
  for (const std::size_t rows : {0, 1, 2, 67, 256, 300}) all.push_back({rows, 37, 21});
  return all;
}

/// Signs, numbers and what is in the result before, each a view with unused elements between its rows that starts
/// `offset` elements after an aligned address.
struct Problem {
  std::vector<std::uint8_t> code_storage;
  std::vector<float> number_storage;
  Guarded<float> out_storage;
  MatrixView<const std::uint8_t> codes;
  MatrixView<const float> a;
  MatrixView<float> out;

  Problem(const Shape& s, std::size_t gap, std::size_t offset)
      : code_storage(bytes(offset + s.rows * ((s.inner + 7) / 8 + gap))),
        number_storage(numbers(offset + s.inner * (s.cols + gap), 3)),
        out_storage(numbers(s.rows * (s.cols + gap), 4), offset),
        codes(code_storage.data() + offset, s.rows, (s.inner + 7) / 8, (s.inner + 7) / 8 + gap),
        a(number_storage.data() + offset, s.inner, s.cols, s.cols + gap),
        out(out_storage.values().data(), s.rows, s.cols, s.cols + gap) {}
};

class SignProduct : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { simd::force_target(GetParam()); }
  void TearDown() override { simd::force_target(""); }
};

TEST_P(SignProduct, IsThePlainLoopBitForBitAndWritesNothingElse) {
  for (const Shape& shape : shapes()) {
    for (const bool accumulate : {false, true}) {
      for (const std::size_t offset : {0, 1, 3}) {
        Problem fast(shape, 2 * offset, offset);
        Problem slow(shape, 2 * offset, offset);
        simd::sign_product(fast.codes, fast.a, accumulate, fast.out);
        plain::sign_product(slow.codes, slow.a, accumulate, slow.out);
        // The gaps between rows are compared too.
        ASSERT_TRUE(same_bits<float>(fast.out_storage.values(), slow.out_storage.values()))
            << shape << ", accumulate " << accumulate << ", offset " << offset;
        ASSERT_TRUE(fast.out_storage.guards_intact()) << shape << ", offset " << offset;
      }
    }
  }
}

TEST_P(SignProduct, DoesNotDependOnHowTheResultIsCut) {
  const Shape shape{23, 77, 150};
  Problem whole(shape, 1, 1);
  simd::sign_product(whole.codes, whole.a, false, whole.out);
  for (const std::size_t high : {1, 4, 10, 23}) {
    for (const std::size_t wide : {1, 5, 16, 64, 149}) {
      Problem cut(shape, 1, 1);
      for (std::size_t i = 0; i < shape.rows; i += high) {
        for (std::size_t j = 0; j < shape.cols; j += wide) {
          const std::size_t rows = std::min(high, shape.rows - i);
          const std::size_t cols = std::min(wide, shape.cols - j);
          const MatrixView<const float> a(cut.a.data + j, shape.inner, cols, cut.a.stride);
          simd::sign_product(cut.codes.row_range(i, rows), a, false, {&cut.out(i, j), rows, cols, cut.out.stride});
        }
      }
      ASSERT_TRUE(same_bits<float>(cut.out_storage.values(), whole.out_storage.values())) << high << " x " << wide;
    }
  }
}

TEST_P(SignProduct, OverwritesNonFiniteNumbersUnlessItAccumulates) {
  const Shape shape{3, 9, 21};
  Problem p(shape, 0, 0);
  for (std::size_t i = 0; i < shape.rows; ++i) std::ranges::fill(p.out.row(i), std::numeric_limits<float>::quiet_NaN());
  simd::sign_product(p.codes, p.a, false, p.out);
  for (const float v : p.out_storage.values()) EXPECT_TRUE(std::isfinite(v));
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, SignProduct, ::testing::ValuesIn(simd::supported_targets()),
                         [](const auto& test) { return test.param; });

TEST(SignProductPlain, IsTheProductInDoublePrecision) {
  for (const Shape& shape : shapes()) {
    Problem p(shape, 0, 0);
    const std::vector<float> before(p.out_storage.values().begin(), p.out_storage.values().end());
    plain::sign_product(p.codes, p.a, true, p.out);
    for (std::size_t i = 0; i < shape.rows; ++i) {
      for (std::size_t j = 0; j < shape.cols; ++j) {
        const float old = before[i * shape.cols + j];
        double sum = old;
        double size = std::abs(old);
        for (std::size_t k = 0; k < shape.inner; ++k) {
          sum += (p.codes(i, k / 8) >> (k % 8) & 1) != 0 ? p.a(k, j) : -p.a(k, j);
          size += std::abs(p.a(k, j));
        }
        // Two roundings inside a group of four, then one per group, each at most 2⁻²⁴ of the sum of magnitudes.
        const double roundings = 3 + static_cast<double>(shape.inner) / 4;
        ASSERT_NEAR(p.out(i, j), sum, roundings * 0x1p-24 * size) << shape << " at " << i << ", " << j;
      }
    }
  }
}

TEST(SignProductErrors, ShapesThatDoNotMatchAreRefused) {
  const Matrix<std::uint8_t> codes(5, 2);
  const Matrix<float> a(12, 3);
  Matrix<float> out(5, 3);
  EXPECT_NO_THROW(simd::sign_product(codes, a, false, out));
  Matrix<float> short_out(4, 3);
  Matrix<float> wide_out(5, 4);
  const Matrix<float> more(17, 3);
  EXPECT_THAT([&] { simd::sign_product(codes, a, false, short_out); }, ThrowsMessage<Error>(HasSubstr("give 4 x 3")));
  EXPECT_THAT([&] { simd::sign_product(codes, a, false, wide_out); }, ThrowsMessage<Error>(HasSubstr("give 5 x 4")));
  EXPECT_THAT([&] { simd::sign_product(codes, more, false, out); }, ThrowsMessage<Error>(HasSubstr("17 x 3 numbers")));
}

TEST(TransposeBits, IsThePlainLoopAndWritesNothingElse) {
  for (const std::size_t rows : {0, 1, 7, 8, 9, 16, 37}) {
    for (const std::size_t n : {0, 1, 7, 8, 9, 31, 64, 65}) {
      for (const std::size_t gap : {0, 3}) {
        const std::size_t from_bytes = (n + 7) / 8;
        const std::size_t to_bytes = (rows + 7) / 8;
        const std::vector<std::uint8_t> from_storage = bytes(rows * (from_bytes + gap));
        const MatrixView<const std::uint8_t> from(from_storage.data(), rows, from_bytes, from_bytes + gap);
        const std::vector<std::uint8_t> old(n * (to_bytes + gap), 0xa5);  // must not shine through, nor change in gaps
        Guarded<std::uint8_t> fast(old, 1);
        Guarded<std::uint8_t> slow(old, 1);
        simd::transpose_bits(from, n, {fast.values().data(), n, to_bytes, to_bytes + gap});
        plain::transpose_bits(from, n, {slow.values().data(), n, to_bytes, to_bytes + gap});
        ASSERT_TRUE(same_bits<std::uint8_t>(fast.values(), slow.values())) << rows << " x " << n << ", gap " << gap;
        ASSERT_TRUE(fast.guards_intact()) << rows << " x " << n << ", gap " << gap;
      }
    }
  }
}

TEST(TransposeBits, TwiceGivesTheSameBits) {
  const std::size_t rows = 43;
  const std::size_t n = 101;
  Matrix<std::uint8_t> there(n, (rows + 7) / 8);
  Matrix<std::uint8_t> back(rows, (n + 7) / 8);
  Matrix<std::uint8_t> start(rows, (n + 7) / 8);
  std::ranges::copy(bytes(start.size()), start.data());
  for (std::size_t i = 0; i < rows; ++i) start(i, n / 8) &= (1U << (n % 8)) - 1;  // padding bits are zero
  simd::transpose_bits(start, n, there);
  simd::transpose_bits(there, rows, back);
  EXPECT_TRUE(same_bits<std::uint8_t>(back.values(), start.values()));
  EXPECT_THAT([&] { simd::transpose_bits(start, n + 8, there); }, ThrowsMessage<Error>(HasSubstr("109 bits a row")));
  EXPECT_THAT([&] { simd::transpose_bits(start, n, back); }, ThrowsMessage<Error>(HasSubstr("do not become")));
}

}  // namespace
}  // namespace signfold
