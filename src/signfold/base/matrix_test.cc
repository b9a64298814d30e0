#include "signfold/base/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace signfold {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Matrix, IsZeroAlignedAndRowMajor) {
  Matrix<float> m(3, 5);
  EXPECT_THAT(m.values(), Each(0.0F));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(m.data()) % 64, 0U);
  m(1, 2) = 7;
  EXPECT_EQ(m.data()[7], 7.0F);
  EXPECT_EQ(m.row(1)[2], 7.0F);
  const Matrix<float> copy = m.clone();
  m(1, 2) = 8;
  EXPECT_EQ(copy(1, 2), 7.0F);
}

TEST(Matrix, ViewsBorrowWithAStride) {
  Matrix<float> m(4, 6);
  for (std::size_t i = 0; i < m.size(); ++i) m.data()[i] = static_cast<float>(i);
  const MatrixView<const float> middle(m.data() + 1, 4, 2, 6);
  EXPECT_THAT(middle.row(2), ElementsAre(13, 14));
  EXPECT_THAT(middle.row_range(3, 1).row(0), ElementsAre(19, 20));
}

TEST(Matrix, SizesThatOverflowAreErrors) {
  const std::size_t big = std::size_t{1} << 33;
  EXPECT_THAT([&] { Matrix<float>(big, big); }, ThrowsMessage<Error>(HasSubstr("address space")));
  EXPECT_THAT([&] { Matrix<double>(SIZE_MAX, 1); }, ThrowsMessage<Error>(HasSubstr("address space")));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they stop the program instead of throwing
  EXPECT_THAT([] { Matrix<char>(std::size_t{1} << 60, 1); }, ThrowsMessage<Error>(HasSubstr("not enough memory")));
#endif
  EXPECT_TRUE(Matrix<float>(SIZE_MAX, 0).empty());
}

}  // namespace
}  // namespace signfold
