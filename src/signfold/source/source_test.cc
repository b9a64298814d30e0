#include "signfold/source/source.h"

#include <cmath>
#include <limits>

#include "signfold/base/interrupt.h"
#include "signfold/base/pipe.h"
#include "signfold/prior/mixture.h"
#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

using OpenTest = SourceFiles;

/// Row i holds i in every column.
Matrix<float> counted(std::size_t rows, std::size_t dim) {
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) std::ranges::fill(x.row(i), static_cast<float>(i));
  return x;
}

TEST(Source, ReadsInOrderAndRewinds) {
  const Matrix<float> x = counted(10, 3);
  const auto source = matrix_source(x, "ten rows");
  Matrix<float> block(4, 3);
  for (int pass = 0; pass < 2; ++pass) {
    for (const std::size_t expected : {4, 4, 2, 0, 0}) {
      const float first = block(3, 0);
      ASSERT_EQ(source->read(block), expected);
      if (expected == 2) {
        EXPECT_EQ(block(1, 2), 9);
        EXPECT_EQ(block(2, 0), 6) << "rows beyond the end are left alone";
      }
      if (expected == 0) {
        EXPECT_EQ(block(3, 0), first);
      }
    }
    source->rewind();
  }
  Matrix<float> wrong(4, 2);
  EXPECT_THROW(source->read(wrong), Error);
}

TEST(Source, NamesTheFirstNumberThatIsNotFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    Matrix<float> x = counted(10, 5);
    x(7, 3) = bad;
    x(8, 0) = bad;
    const auto source = matrix_source(x, "x.npy");
    Matrix<float> block(4, 5);
    EXPECT_EQ(source->read(block), 4U);
    EXPECT_THAT([&] { source->read(block); },
                ThrowsMessage<Error>(AllOf(HasSubstr("x.npy"), HasSubstr("row 7"), HasSubstr("column 3"))));
  }
  Matrix<float> x = counted(1, 2);
  x(0, 0) = std::numeric_limits<float>::max();
  x(0, 1) = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(read_all(*matrix_source(x, "extremes"))(0, 0), x(0, 0));
}

TEST(Source, ReadAllSpreadsTheRowsItKeeps) {
  const Matrix<float> x = counted(1000, 3000);  // several blocks of read_all
  const auto source = matrix_source(x, "x");
  for (const std::uint64_t kept : {1, 3, 7, 999, 1000, 5000}) {
    const Matrix<float> rows = read_all(*source, kept);
    ASSERT_EQ(rows.rows(), std::min<std::uint64_t>(kept, 1000));
    for (std::size_t i = 0; i < rows.rows(); ++i) ASSERT_EQ(rows(i, 2999), std::floor(1000.0 * i / rows.rows()));
  }
  EXPECT_EQ(read_all(*source, 0).rows(), 0U);
}

TEST(Source, NothingIsNotASource) {
  EXPECT_THAT([] { matrix_source(Matrix<float>(0, 3), "x"); }, ThrowsMessage<Error>(HasSubstr("no vectors")));
  EXPECT_THAT([] { matrix_source(Matrix<float>(3, 0), "x"); }, ThrowsMessage<Error>(HasSubstr("coordinates")));
}

TEST(Source, StopsWhenAskedTo) {
  const Matrix<float> x = counted(2, 2);
  const auto source = matrix_source(x, "x");
  request_interrupt();
  Matrix<float> block(1, 2);
  EXPECT_THROW(source->read(block), Error);
  clear_interrupt();
  EXPECT_EQ(source->read(block), 1U);
}

TEST(Synthetic, RowsArePureFunctionsOfSeedAndNumber) {
  const PriorPtr prior = make_sparse_gaussian(0.3);
  const auto source = synthetic_source(prior, 20, 50, 9);
  const Matrix<float> all = read_in_blocks(*source, 3);
  source->rewind();
  const Matrix<float> again = read_all(*source);
  EXPECT_TRUE(std::ranges::equal(all.values(), again.values()));
  std::vector<float> row(50);
  sample_row(*prior, 9, 13, row);
  EXPECT_TRUE(std::ranges::equal(all.row(13), row));
  EXPECT_THAT(source->description(), AllOf(HasSubstr("sparse-gaussian:0.3"), HasSubstr("20 x 50")));
}

TEST_F(OpenTest, RecognisesByContentWhateverTheName) {
  python("np.save('x.npy', np.ones((2, 3)))\nnp.savez('y.npz', np.ones((2, 3)))");
  EXPECT_TRUE(try_to_read(write("really.npz", content("x.npy"))));
  EXPECT_TRUE(try_to_read(write("really.fvecs", content("y.npz"))));
}

TEST_F(OpenTest, SaysWhatAnUnknownFileSeemsToBe) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "is empty"},
      {"1.0,2.0,3.0\n4.0,5.0,6.0\n", "31 2e 30 2c"},
      {"\x89PNG\r\n\x1a\n", "89 50 4e 47"},
      {std::string("SIGNFOLDM\r\n\x1a\0\0\0\0", 16), "Signfold model file, not vectors"},
      {std::string("SIGNFOLDC\r\n\x1a\0\0\0\0", 16), "Signfold code file, not vectors"},
      {std::string(3, '\0'), "not recognised"},
  };
  for (const auto& [bytes, message] : cases) {
    const std::string file = write("x", bytes);
    EXPECT_THAT([&] { open_source(file); }, ThrowsMessage<Error>(AllOf(HasSubstr(file), HasSubstr(message))));
  }
  EXPECT_THAT([&] { open_source(path("missing")); }, ThrowsMessage<Error>(HasSubstr("No such file")));
  EXPECT_THAT([&] { open_source(folder_.path()); }, ThrowsMessage<Error>(HasSubstr("directory")));
}

TEST_F(OpenTest, NumbersThatOverflowFloat32AreNotFinite) {
  python("x = np.ones((3, 2)); x[1, 1] = 1e300; np.save('x.npy', x)");
  EXPECT_THAT([&] { read_all(*open_source(path("x.npy"))); },
              ThrowsMessage<Error>(AllOf(HasSubstr(path("x.npy")), HasSubstr("row 1, column 1"), HasSubstr("inf"))));
}

TEST(Synthetic, EqualNormsKeepTheDirections) {
  const PriorPtr prior = make_sparse_gaussian(0.05);
  Matrix<float> drawn(40, 30);
  Matrix<float> equal(40, 30);
  synthetic_source(prior, 40, 30, 9)->read(drawn);
  synthetic_source(prior, 40, 30, 9, Norms::equal)->read(equal);
  std::size_t zeros = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    double before = 0, after = 0, product = 0;
    for (std::size_t j = 0; j < 30; ++j) {
      before += static_cast<double>(drawn(i, j)) * drawn(i, j);
      after += static_cast<double>(equal(i, j)) * equal(i, j);
      product += static_cast<double>(drawn(i, j)) * equal(i, j);
    }
    if (before == 0) {
      EXPECT_EQ(after, 0);
      ++zeros;
      continue;
    }
    EXPECT_NEAR(after, 30, 30 * 1e-6);  // float32 rounding of every coordinate
    EXPECT_NEAR(product * product, before * after, 1e-5 * before * after);
  }
  EXPECT_GT(zeros, 0U) << "seed 9 has no vector of zeros: .95^30 of them are expected";
}

std::unique_ptr<Source> open_as_pipe(const std::string& path) { return open_source(std::make_unique<PipeInput>(path)); }

TEST_F(OpenTest, AStreamGivesTheVectorsOfTheFile) {
  python(R"(
x = np.arange(60000, dtype='f4').reshape(3000, 20)
np.save('c.npy', x)
np.save('f.npy', np.asfortranarray(x))
open('x.idx', 'wb').write(bytes([0, 0, 13, 2]) + np.array(x.shape, '>u4').tobytes() + x.astype('>f4').tobytes())
import gzip
for name in ['c.npy', 'x.idx']: gzip.open(name + '.gz', 'wb').write(open(name, 'rb').read())
)");
  for (const char* name : {"c.npy", "f.npy", "x.idx", "c.npy.gz", "x.idx.gz"}) {
    SCOPED_TRACE(name);
    const Matrix<float> whole = read_all(*open_source(path(name)));
    const auto source = open_as_pipe(path(name));
    EXPECT_EQ(source->rows(), 3000U);
    const Matrix<float> streamed = read_in_blocks(*source, 700);
    EXPECT_TRUE(std::ranges::equal(streamed.values(), whole.values()));
  }
}

TEST_F(OpenTest, AStreamIsReadOnce) {
  python("np.save('x.npy', np.zeros((1000, 1000), 'f4'))");
  const auto source = open_as_pipe(path("x.npy"));
  Matrix<float> block(1000, 1000);
  EXPECT_EQ(source->read(block), 1000U);
  EXPECT_THAT([&] { source->rewind(); }, ThrowsMessage<Error>(HasSubstr("can be read only once")));
}

TEST_F(OpenTest, StreamsThatAreNotVectorsAreRefused) {
  write("empty", "");
  write("text", "1,2,3\n");
  write("fvecs", std::string("\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16));
  EXPECT_THAT([&] { open_as_pipe(path("empty")); }, ThrowsMessage<Error>(HasSubstr("is empty")));
  for (const char* name : {"text", "fvecs"}) {
    EXPECT_THAT([&] { open_as_pipe(path(name)); }, ThrowsMessage<Error>(HasSubstr("save it to a file")));
  }
}

}  // namespace
}  // namespace signfold
