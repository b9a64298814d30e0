// Files larger than memory should be no matter: bounded memory, and Ctrl-C leaves nothing behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "cli_process.h"

namespace signfold::testing {
namespace {
constexpr std::size_t kDim = 1024;
constexpr long kAllowedKb = 300'000;

class Large : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<float> values = sparse_values(200 * kDim);
    work.write("small.npy", npy_floats(200, kDim, values));
    const Outcome fit = work.run({"fit", work.path("small.npy"), "--rate", "1", "--out", work.path("m.sfm")});
    ASSERT_EQ(fit.code, 0) << fit.err;
  }
  /// A sparse file of `rows` zero vectors: large to read, small on the disk.
  void write_zeros(const std::string& name, std::size_t rows) {
    const std::string header = npy_header("<f4", rows, kDim);
    work.write(name, header);
    std::filesystem::resize_file(work.path(name), header.size() + rows * kDim * sizeof(float));
  }
  Workplace work;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kShadowMemory = true;
#else
constexpr bool kShadowMemory = false;
#endif

TEST_F(Large, AFileLargerThanTheAllowanceStaysWithinIt) {
  if (kShadowMemory) GTEST_SKIP() << "the sanitizer's own memory counts";
  constexpr std::size_t kRows = 1 << 17;  // 512 MiB of float32
  write_zeros("zeros.npy", kRows);
  const Outcome encode =
      work.run({"encode", work.path("m.sfm"), work.path("zeros.npy"), "--out", work.path("zeros.sfc"), "--json"});
  ASSERT_EQ(encode.code, 0) << encode.err;
  EXPECT_EQ(encode.json()["vectors"], kRows);
  EXPECT_LE(encode.peak_kb, kAllowedKb);
  std::filesystem::remove(work.path("zeros.npy"));
  const Outcome decode = work.run({"decode", work.path("zeros.sfc"), "--model", work.path("m.sfm"), "--out",
                                   work.path("back.npy"), "--layers", "1", "--json"});
  ASSERT_EQ(decode.code, 0) << decode.err;
  EXPECT_EQ(decode.json()["vectors"], kRows);
  EXPECT_LE(decode.peak_kb, kAllowedKb);
  RecordProperty("encode_peak_kb", std::to_string(encode.peak_kb));
  RecordProperty("decode_peak_kb", std::to_string(decode.peak_kb));
}

/// The kernel refuses more than this much address space, code and libraries included: ulimit -v counts in KiB. OpenBLAS
/// takes 128 MiB for every core when it is loaded, and tries for ever.
constexpr const char* kLimit = "ulimit -v 600000; export OPENBLAS_NUM_THREADS=1; ";

TEST_F(Large, FortyGigabytesAreEncodedUnderALimitOfTheKernel) {
  if (kShadowMemory) GTEST_SKIP() << "the sanitizer's own memory counts";
  // Doubles, and few bits of coordinates as they are: as little work for a byte as there can be.
  const Outcome fit =
      work.run({"fit", work.path("small.npy"), "--rate", "0.0625", "--encoder", "identity", "--prior", "gaussian",
                "--decoder", "linear", "--no-center", "--scale", "none", "--out", work.path("few.sfm")});
  ASSERT_EQ(fit.code, 0) << fit.err;
  constexpr std::size_t kRows = 5'000'000;
  const std::string header = npy_header("<f8", kRows, kDim);
  work.write("zeros.npy", header);
  std::filesystem::resize_file(work.path("zeros.npy"), header.size() + kRows * kDim * sizeof(double));
  ASSERT_GT(std::filesystem::file_size(work.path("zeros.npy")), 40'000'000'000U);
  const Outcome encode =
      work.shell(std::string(kLimit) + R"("$SIGNFOLD" encode few.sfm zeros.npy --out zeros.sfc --threads 2 --json)");
  ASSERT_EQ(encode.code, 0) << encode.err;
  EXPECT_EQ(encode.json()["vectors"], kRows);
  // Through a pipe and back, 1 GB of vectors, under the same limit; and the limit does bite.
  const Outcome decode = work.shell(
      std::string(kLimit) +
      R"(cat zeros.sfc | "$SIGNFOLD" decode - --model few.sfm --threads 2 --out - 2> report | head -c 1000000000 | wc -c)");
  EXPECT_EQ(decode.out, "1000000000\n") << decode.err;
  const Outcome refused = work.shell(R"(ulimit -v 20000; "$SIGNFOLD" encode few.sfm zeros.npy --out zeros.sfc)");
  EXPECT_NE(refused.code, 0);
}

TEST_F(Large, InterruptLeavesNothingBehind) {
  write_zeros("zeros.npy", std::size_t{1} << 23);  // 32 GiB to read: it cannot be done before the signal comes
  for (const int signal : {SIGINT, SIGTERM}) {
    const pid_t process =
        work.start({"encode", work.path("m.sfm"), work.path("zeros.npy"), "--out", work.path("out.sfc")});
    // Wait for the temporary file, so that the signal finds the command at work; then a little more.
    EXPECT_TRUE(wait_until([&] { return work.files().size() == 4; }))
        << "m.sfm, small.npy, zeros.npy and the temporary file";
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    kill(process, signal);
    const Outcome outcome = work.finish(process);
    EXPECT_EQ(outcome.code, 130);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "signfold encode: interrupted\n");
    EXPECT_THAT(work.files(), ::testing::ElementsAre("m.sfm", "small.npy", "zeros.npy"));
  }
}
}  // namespace
}  // namespace signfold::testing
