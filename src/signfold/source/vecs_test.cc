#include "signfold/source/vecs.h"

#include "signfold/source/files_for_test.h"

namespace signfold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using testing::ThrowsMessage;

class VecsTest : public SourceFiles {
 protected:
  void SetUp() override {
    SourceFiles::SetUp();
    python(R"(
x = np.array([[1.5, -2, 3], [4, 5, 6], [7, 8, 9]])
for name, kind in [('x.fvecs', '<f4'), ('x.bvecs', 'u1')]:
    with open(name, 'wb') as f:
        for row in np.abs(x) if kind == 'u1' else x:
            f.write(np.int32(3).tobytes() + row.astype(kind).tobytes())
import gzip
open('x.fvecs.gz', 'wb').write(gzip.compress(open('x.fvecs', 'rb').read()))
)");
  }
};

TEST_F(VecsTest, ReadsFloatsAndBytes) {
  EXPECT_THAT(try_to_read(path("x.fvecs")), Optional(ElementsAre(1.5, -2, 3, 4, 5, 6, 7, 8, 9)));
  EXPECT_THAT(try_to_read(path("x.fvecs.gz")), Optional(ElementsAre(1.5, -2, 3, 4, 5, 6, 7, 8, 9)));
  EXPECT_THAT(try_to_read(path("x.bvecs")), Optional(ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9)));
  const auto source = open_source(path("x.fvecs"));
  EXPECT_EQ(source->rows(), 3U);
  EXPECT_EQ(source->dim(), 3U);
}

TEST_F(VecsTest, OneVectorIsEnough) {
  EXPECT_THAT(try_to_read(write("f", content("x.fvecs").substr(0, 16))), Optional(ElementsAre(1.5, -2, 3)));
  EXPECT_THAT(try_to_read(write("b", content("x.bvecs").substr(0, 7))), Optional(ElementsAre(1, 2, 3)));
}

TEST_F(VecsTest, TruncationsAreRefusedExceptBetweenVectors) {
  // 7 bytes are also a whole .bvecs vector of dimension 3: nothing can tell.
  expect_truncations_refused(path("cut"), content("x.fvecs"), {7, 16, 32});
  expect_truncations_refused(path("cut"), content("x.bvecs"), {7, 14});
  EXPECT_FALSE(try_to_read(write("long", content("x.fvecs") + "x")));
}

TEST_F(VecsTest, EveryVectorMustHaveTheSameDimension) {
  std::string bytes = content("x.fvecs");
  bytes[32] = 4;
  EXPECT_THAT([&] { read_all(*open_source(write("x", bytes))); },
              ThrowsMessage<Error>(AllOf(HasSubstr("vector 2"), HasSubstr("dimension 4"))));
  // All 32 flips of the first dimension but one: 3 becomes 11, and 4 + 4·11 bytes are one whole vector.
  EXPECT_EQ(count_refused_flips(path("flip"), content("x.fvecs"), 0, 4), 31U);
}

}  // namespace
}  // namespace signfold
