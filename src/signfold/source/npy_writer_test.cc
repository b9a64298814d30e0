#include "signfold/source/npy_writer.h"

#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using NpyWriterTest = SourceFiles;

Matrix<float> numbers(std::size_t rows, std::size_t dim) {
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = 0.5F * static_cast<float>(i);
  return x;
}

TEST_F(NpyWriterTest, WritesTheBytesOfNumPy) {
  const Matrix<float> x = numbers(5, 3);
  NpyWriter writer(path("x.npy"), 5, 3);
  writer.write(x.view().row_range(0, 2));
  writer.write(x.view().row_range(2, 3));
  EXPECT_FALSE(std::filesystem::exists(path("x.npy")));
  writer.commit();
  python("np.save('y.npy', np.arange(15, dtype='<f4').reshape(5, 3) / 2)");
  EXPECT_EQ(content("x.npy"), content("y.npy"));
}

TEST_F(NpyWriterTest, StridedRowsAndOurOwnReader) {
  const Matrix<float> x = numbers(4, 6);
  NpyWriter writer(path("x.npy"), 4, 2);
  writer.write(MatrixView<const float>(x.data() + 1, 4, 2, 6));
  writer.commit();
  const Matrix<float> back = read_all(*open_source(path("x.npy")));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(back(i, 1), x(i, 2));
}

TEST_F(NpyWriterTest, HoldsItselfToTheAnnouncedShape) {
  NpyWriter writer(path("x.npy"), 3, 2);
  EXPECT_THROW(writer.write(numbers(1, 3)), Error);
  writer.write(numbers(2, 2));
  EXPECT_THROW(writer.commit(), Error);
  EXPECT_THROW(writer.write(numbers(2, 2)), Error);
  writer.write(numbers(1, 2));
  writer.commit();
  EXPECT_TRUE(std::filesystem::exists(path("x.npy")));
}

}  // namespace
}  // namespace signfold
