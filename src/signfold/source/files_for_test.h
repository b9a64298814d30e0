// A folder of its own for every test, files from bytes or from Python, and what happens when they are damaged.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/source/source.h"

namespace signfold {

/// Without the fsync of write_file: some tests write thousands of files. A new file each time, because ext4 waits for
/// the disk when a file is emptied and written again.
inline void write_quickly(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class SourceFiles : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.path(name); }

  std::string write(const std::string& name, const std::string& bytes) const {
    write_quickly(path(name), bytes);
    return path(name);
  }

  /// Runs a Python program in the directory, with numpy as np.
  void python(const std::string& program) const {
    std::ofstream(path("program.py")) << "import numpy as np\n" << program;
    const std::string command = "cd '" + folder_.path() + "' && '" SIGNFOLD_PYTHON "' program.py > python.out 2>&1";
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): a test's own program
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << content("python.out");
  }

  /// The bytes of a file.
  std::string content(const std::string& name) const {
    const auto bytes = read_file(path(name), 1 << 30);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  TemporaryFolder folder_;
};

/// Everything in a file, read in blocks of `block` rows.
inline Matrix<float> read_in_blocks(Source& source, std::size_t block) {
  Matrix<float> all(source.rows(), source.dim());
  Matrix<float> part(block, source.dim());
  std::size_t row = 0;
  while (const std::size_t count = source.read(part)) {
    for (std::size_t i = 0; i < count; ++i) std::ranges::copy(part.row(i), all.row(row++).begin());
  }
  EXPECT_EQ(row, source.rows());
  return all;
}

/// What comes of opening and reading a file: its numbers, or nothing after an Error. Anything else fails the test.
inline std::optional<std::vector<float>> try_to_read(const std::string& path) {
  try {
    const auto source = open_source(path);
    const Matrix<float> all = read_all(*source);
    return std::vector<float>(all.values().begin(), all.values().end());
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    return {};
  }
}

/// Every proper prefix of a file must be refused, but for those of the lengths in `shorter_but_whole`.
inline void expect_truncations_refused(const std::string& scratch, const std::string& bytes,
                                       const std::vector<std::size_t>& shorter_but_whole = {}) {
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    write_quickly(scratch, std::string_view(bytes).substr(0, length));
    const bool whole = std::ranges::count(shorter_but_whole, length) > 0;
    ASSERT_EQ(try_to_read(scratch).has_value(), whole) << "cut after " << length << " of " << bytes.size();
  }
}

/// Flips every bit of bytes [begin, end): never anything but an Error or numbers. Returns how many gave an Error.
inline std::size_t count_refused_flips(const std::string& scratch, std::string bytes, std::size_t begin,
                                       std::size_t end) {
  std::size_t refused = 0;
  for (std::size_t bit = 8 * begin; bit < 8 * end; ++bit) {
    const auto mask = static_cast<char>(1U << (bit % 8));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    write_quickly(scratch, bytes);
    refused += !try_to_read(scratch).has_value();
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
  }
  return refused;
}

}  // namespace signfold
