// Bad input gets one clear line on standard error, exit code 2, and no output file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "cli_process.h"

namespace signfold::testing {
namespace {
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

constexpr std::size_t kRows = 200;
constexpr std::size_t kDim = 32;

std::string idx_bytes(std::uint32_t rows, std::uint32_t height, std::uint32_t width, const std::string& data) {
  std::string bytes("\x00\x00\x08\x03", 4);
  for (const std::uint32_t size : {rows, height, width}) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
  }
  return bytes + data;
}

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    work.write("x.npy", npy_floats(kRows, kDim, values));
    ASSERT_EQ(fit("x.npy", "m.sfm", {}).code, 0);
    ASSERT_EQ(encode("m.sfm", "x.npy", "x.sfc").code, 0);
    before = work.files();
  }

  Outcome fit(const std::string& data, const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> args = {"fit", work.path(data), "--rate", "1", "--out", work.path(out)};
    args.insert(args.end(), more.begin(), more.end());
    return work.run(args);
  }
  Outcome encode(const std::string& model, const std::string& data, const std::string& out) {
    return work.run({"encode", work.path(model), work.path(data), "--out", work.path(out)});
  }
  Outcome decode(const std::string& codes, const std::string& model, const std::string& out) {
    return work.run({"decode", work.path(codes), "--model", work.path(model), "--out", work.path(out)});
  }

  /// One line, code 2, nothing on standard output, no new file (`added` = inputs the test wrote itself).
  void expect_error(const Outcome& outcome, const std::vector<std::string>& fragments,
                    const std::vector<std::string>& added = {}) {
    SCOPED_TRACE(outcome.err);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
    for (const std::string& fragment : fragments) EXPECT_THAT(outcome.err, HasSubstr(fragment));
    std::vector<std::string> expected = before;
    expected.insert(expected.end(), added.begin(), added.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_THAT(work.files(), ElementsAreArray(expected));
  }
  /// The same error from every command that reads vectors.
  void expect_bad_vectors(const std::string& name, const std::string& content,
                          const std::vector<std::string>& fragments) {
    SCOPED_TRACE(name);
    work.write(name, content);
    expect_error(fit(name, "out.sfm", {}), fragments, {name});
    expect_error(encode("m.sfm", name, "out.sfc"), fragments, {name});
    expect_error(work.run({"eval", work.path("m.sfm"), work.path(name)}), fragments, {name});
    std::filesystem::remove(work.path(name));
  }

  Workplace work;
  std::vector<float> values = sparse_values(kRows * kDim);
  std::vector<std::string> before;
};

TEST_F(BadInput, NanAndInfinityAreNamedByRowAndColumn) {
  std::vector<float> bad = values;
  bad[150 * kDim + 7] = std::numeric_limits<float>::quiet_NaN();
  expect_bad_vectors("nan.npy", npy_floats(kRows, kDim, bad), {"nan.npy", "row 150", "column 7"});
  bad[150 * kDim + 7] = -std::numeric_limits<float>::infinity();
  expect_bad_vectors("inf.npy", npy_floats(kRows, kDim, bad), {"inf.npy", "row 150", "column 7"});
  std::vector<double> doubles(kDim);
  doubles[3] = 1e300;  // finite, but not as float32
  const std::string huge(reinterpret_cast<const char*>(doubles.data()), sizeof(double) * kDim);
  expect_bad_vectors("huge.npy", npy_bytes("<f8", 1, kDim, huge), {"huge.npy", "row 0", "column 3"});
}

TEST_F(BadInput, WrongDimension) {
  work.write("y.npy", npy_floats(kRows / 2, kDim * 2, values));
  expect_error(encode("m.sfm", "y.npy", "out.sfc"), {"y.npy", "64", "32"}, {"y.npy"});
  expect_error(work.run({"eval", work.path("m.sfm"), work.path("y.npy")}), {"y.npy", "64", "32"}, {"y.npy"});
}

TEST_F(BadInput, EmptyAndUnknownFiles) {
  expect_bad_vectors("empty.npy", "", {"empty.npy", "empty"});
  expect_bad_vectors("none.npy", npy_floats(0, kDim, {}), {"none.npy"});
  expect_bad_vectors("text.csv", "1,2,3\n4,5,6\n", {"text.csv"});
  expect_bad_vectors("codes.npy", work.read("x.sfc"), {"codes.npy"});
  expect_error(fit("missing.npy", "out.sfm", {}), {"missing.npy"});
  expect_error(encode("missing.sfm", "x.npy", "out.sfc"), {"missing.sfm"});
  expect_error(encode("x.npy", "x.npy", "out.sfc"), {"x.npy"});
  expect_error(decode("x.npy", "m.sfm", "out.npy"), {"x.npy"});
  expect_error(work.run({"info", work.path("missing")}), {"missing"});
}

TEST_F(BadInput, TruncatedVectors) {
  const std::string npy = work.read("x.npy");
  for (const std::size_t length : {7UL, 9UL, 40UL, npy.size() - 1, npy.size() - 4 * kDim}) {
    expect_bad_vectors("cut.npy", npy.substr(0, length), {"cut.npy"});
  }
  const std::string idx = idx_bytes(10, 4, 8, std::string(320, '\x11'));
  for (const std::size_t length : {3UL, 15UL, 16UL, idx.size() - 1}) {
    expect_bad_vectors("cut.idx", idx.substr(0, length), {"cut.idx"});
  }
}

TEST_F(BadInput, DamagedHeadersOfVectors) {
  std::string npy = work.read("x.npy");
  npy[1] ^= 0x01;
  expect_bad_vectors("magic.npy", npy, {"magic.npy"});
  std::string idx = idx_bytes(10, 4, 8, std::string(320, '\x11'));
  idx[2] ^= 0x40;  // the type code
  expect_bad_vectors("type.idx", idx, {"type.idx"});
}

TEST_F(BadInput, SizesThatOverflow) {
  constexpr std::size_t kHuge = std::size_t{1} << 62;
  expect_bad_vectors("huge.npy", npy_bytes("<f4", kHuge, kHuge, "abcd"), {"huge.npy"});
  expect_bad_vectors("rows.npy", npy_bytes("<f4", kHuge, 4, "abcd"), {"rows.npy"});
  expect_bad_vectors("digits.npy", npy_bytes("<f4", 1, 1, "abcd").replace(60, 6, "999999"), {"digits.npy"});
  expect_bad_vectors("huge.idx", idx_bytes(0xffffffff, 0xffffffff, 0xffffffff, "abcd"), {"huge.idx"});
  expect_error(
      work.run({"simulate", "--prior", "gaussian", "--rate", "1", "--dim", "99999999999999", "--samples", "1"}), {});
}

/// Cuts and flips bits all over a file; `attempt` must complain every time.
template <class Attempt>
void damage_everywhere(const std::string& bytes, const Attempt& attempt) {
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 40);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    attempt("cut to " + std::to_string(at), bytes.substr(0, at));
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    attempt("bit flipped in byte " + std::to_string(at), flipped);
  }
  attempt("one byte more", bytes + '\0');
}

TEST_F(BadInput, DamagedModels) {
  damage_everywhere(work.read("m.sfm"), [&](const std::string& what, const std::string& bytes) {
    SCOPED_TRACE(what);
    work.write("bad.sfm", bytes);
    expect_error(encode("bad.sfm", "x.npy", "out.sfc"), {"bad.sfm"}, {"bad.sfm"});
  });
  expect_error(decode("x.sfc", "bad.sfm", "out.npy"), {"bad.sfm"}, {"bad.sfm"});
  expect_error(work.run({"eval", work.path("bad.sfm"), work.path("x.npy")}), {"bad.sfm"}, {"bad.sfm"});
  expect_error(work.run({"info", work.path("bad.sfm")}), {"bad.sfm"}, {"bad.sfm"});
}

TEST_F(BadInput, DamagedCodes) {
  damage_everywhere(work.read("x.sfc"), [&](const std::string& what, const std::string& bytes) {
    SCOPED_TRACE(what);
    work.write("bad.sfc", bytes);
    expect_error(decode("bad.sfc", "m.sfm", "out.npy"), {"bad.sfc"}, {"bad.sfc"});
  });
  expect_error(work.run({"info", work.path("bad.sfc")}), {"bad.sfc"}, {"bad.sfc"});
}

TEST_F(BadInput, CodesOfAnotherModel) {
  ASSERT_EQ(fit("x.npy", "other.sfm", {"--seed", "2"}).code, 0);
  expect_error(decode("x.sfc", "other.sfm", "out.npy"), {"x.sfc", "another model"}, {"other.sfm"});
}

TEST_F(BadInput, BadOptionsOfFit) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> bad = {
      {{"--prior", "cauchy"}, "cauchy"},
      {{"--prior", "sparse-gaussian:0"}, "0"},
      {{"--prior", "sparse-gaussian:1.01"}, "1.01"},
      {{"--prior", "sparse-gaussian:-0.1"}, "-0.1"},
      {{"--encoder", "hadamart"}, "did you mean 'hadamard'?"},
      {{"--encoder", "fourier"}, "fourier"},
      {{"--decoder", "rigamp:99"}, "rigamp"},
      {{"--basis", "wavelet"}, "wavelet"},
      {{"--basis", "dct2:5x5"}, "5"},
      {{"--scale", "f64"}, "f64"},
      {{"--whiten", "--epsilon", "-1"}, "epsilon"},
      {{"--max-rows", "0"}, "--max-rows"},
  };
  for (const auto& [more, message] : bad) expect_error(fit("x.npy", "out.sfm", more), {message});
  for (const char* rate : {"0", "-1", "nan", "inf"}) {
    expect_error(work.run({"fit", work.path("x.npy"), "--rate", rate, "--out", work.path("out.sfm")}), {"--rate"});
  }
  expect_error(work.run({"fit", work.path("x.npy"), "--rate", "1e30", "--out", work.path("out.sfm")}),
               {"--rate", "1e+30"});
}

TEST_F(BadInput, LayersOutOfRange) {
  for (const char* layers : {"-2", "1000"}) {
    expect_error(work.run({"decode", work.path("x.sfc"), "--model", work.path("m.sfm"), "--out", work.path("out.npy"),
                           "--layers", layers}),
                 {"--layers", layers});
  }
}

TEST_F(BadInput, OutputThatCannotBeWritten) {
  expect_error(fit("x.npy", "no/such/directory.sfm", {}), {"directory.sfm"});
  expect_error(encode("m.sfm", "x.npy", "no/such/directory.sfc"), {"directory.sfc"});
  expect_error(decode("x.sfc", "m.sfm", "no/such/directory.npy"), {"directory.npy"});
}

TEST_F(BadInput, AFailedCommandKeepsTheOldOutput) {
  const std::string old = work.read("x.sfc");
  std::vector<float> bad = values;
  bad.back() = std::numeric_limits<float>::quiet_NaN();
  work.write("nan.npy", npy_floats(kRows, kDim, bad));
  expect_error(encode("m.sfm", "nan.npy", "x.sfc"), {"row 199", "column 31"}, {"nan.npy"});
  EXPECT_EQ(work.read("x.sfc"), old);
}
}  // namespace
}  // namespace signfold::testing
