// Small data, small models and a folder of its own for every test of the codec.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/random.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"

namespace signfold::testing {

/// Rows with a mean, sparse coordinates and variances that fall with the index.
inline Matrix<float> sparse_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    RandomStream stream(seed, Purpose::test, i);
    for (std::size_t j = 0; j < dim; ++j) {
      const double scale = 4 / std::sqrt(1.0 + static_cast<double>(j));
      x(i, j) = static_cast<float>(1 + (stream.uniform() < 0.3 ? scale * stream.normal() : 0));
    }
  }
  return x;
}

/// A model fitted to 300 such rows.
inline Model small_model(std::size_t dim, const FitOptions& options) {
  const Matrix<float> x = sparse_rows(300, dim, 1);
  const auto source = matrix_source(x, "rows for a test");
  return fit(*source, options);
}

struct Encoded {
  Matrix<std::uint8_t> codes;
  std::vector<float> scales;
};
inline Encoded encode_all(const Model& model, MatrixView<const float> x, int threads = 1) {
  Encoded out{Matrix<std::uint8_t>(x.rows, code_bytes(model.bits())),
              std::vector<float>(model.scale == ScaleKind::none ? 0 : x.rows)};
  encode_rows(model, x, out.codes, out.scales, {threads, {}});
  return out;
}
inline Matrix<float> decode_all(const Model& model, const Encoded& encoded, int layers = -1, int threads = 1) {
  Matrix<float> x(encoded.codes.rows(), model.dim());
  decode_rows(model, encoded.codes, encoded.scales, layers, x, {threads, {}});
  return x;
}

inline bool same(const Matrix<float>& a, const Matrix<float>& b) { return std::ranges::equal(a.values(), b.values()); }

inline void write_quickly(const std::string& path, std::span<const std::byte> bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << text_of(bytes);
}

/// Expects an Error whose message has the text.
inline void expect_error(const std::function<void()>& action, const std::string& text) {
  try {
    action();
    ADD_FAILURE() << "no error with: " << text;
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr(text));
    EXPECT_THAT(e.what(), ::testing::Not(::testing::HasSubstr("\n")));
  }
}

class CodecFiles : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.path(name); }
  bool empty() const { return std::filesystem::is_empty(folder_.path()); }

 private:
  TemporaryFolder folder_;
};

}  // namespace signfold::testing
