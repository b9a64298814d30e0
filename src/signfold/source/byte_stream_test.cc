#include "signfold/source/byte_stream.h"

#include "signfold/base/interrupt.h"
#include "signfold/base/pipe.h"
#include "signfold/source/files_for_test.h"
#include "signfold/source/probe.h"

namespace signfold {
namespace {

using ByteStreamTest = SourceFiles;

/// What was begun after the user has asked to stop.
void expect_stops(const std::function<void()>& work) {
  request_interrupt();
  try {
    work();
    ADD_FAILURE() << "was not interrupted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted) << error.what();
  }
  clear_interrupt();
}

TEST_F(ByteStreamTest, LoopsOverCompressedBytesStopWhenAskedTo) {
  python(R"(
import gzip
np.save('f.npy', np.asfortranarray(np.ones((300, 20), 'f4')))
open('f.npy.gz', 'wb').write(gzip.compress(open('f.npy', 'rb').read()))
)");
  expect_stops([&] { open_source(path("f.npy.gz")); });  // the copy of an array in Fortran order
  const auto stream = open_bytes(path("f.npy.gz"));
  Probe probe(*stream);
  expect_stops([&] { measure(*stream); });
  expect_stops([&] { probe.at(1000, 4); });
  EXPECT_EQ(measure(*stream), 128U + 300 * 20 * 4);
  EXPECT_EQ(probe.at(1000, 4).size(), 4U);
  EXPECT_EQ(open_source(path("f.npy.gz"))->rows(), 300U);
}

TEST_F(ByteStreamTest, TheBestCompressionIsBelieved) {
  python(R"(
import gzip
np.save('x.npy', np.zeros((64, 1 << 17), 'u1'))
open('x.npy.gz', 'wb').write(gzip.compress(open('x.npy', 'rb').read(), 9))
np.savez_compressed('x.npz', np.zeros((64, 1 << 17), 'u1'))
)");
  const auto stream = open_bytes(path("x.npy.gz"));
  const std::uint64_t size = measure(*stream);
  const std::uint64_t most = stream->at_most().value_or(0);
  EXPECT_GE(most, size);
  EXPECT_LT(static_cast<double>(most), 1.1 * static_cast<double>(size)) << "these zeros are not compressed well";
  for (const char* name : {"x.npy.gz", "x.npz"}) EXPECT_TRUE(try_to_read(path(name))) << name;
}

TEST_F(ByteStreamTest, NobodyKnowsHowLongAPipeIs) {
  write("x", "content");
  EXPECT_EQ(open_bytes(path("x"))->at_most(), 7U);
  EXPECT_FALSE(open_bytes(std::make_unique<PipeInput>(path("x")))->at_most());
}

}  // namespace
}  // namespace signfold
