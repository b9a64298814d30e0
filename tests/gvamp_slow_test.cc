// Both forms of the multi-layer decoder against GVAMP in numpy (reference/gvamp.py), on the same codes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signfold/base/random.h"
#include "signfold/decoder/decoder.h"
#include "signfold/encoder/dense.h"
#include "signfold/simd/kernels.h"
#include "signfold/source/npy_writer.h"

namespace signfold {
namespace {

constexpr std::size_t kDim = 600;
constexpr std::size_t kRows = 120;
constexpr std::uint64_t kSeed = 11;

struct Close {
  void operator()(std::FILE* pipe) const { pclose(pipe); }
};

std::vector<double> gvamp(MatrixView<const float> b, MatrixView<const float> z, MatrixView<const float> x,
                          const char* prior, int layers) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / fmt::format("signfold-gvamp-{}", ::getpid());
  std::filesystem::create_directories(directory);
  std::string command = "OPENBLAS_NUM_THREADS=1 '" SIGNFOLD_PYTHON "' -B '" SIGNFOLD_SOURCE_DIR "/reference/gvamp.py'";
  for (const auto& [name, matrix] : {std::pair{"b", b}, std::pair{"z", z}, std::pair{"x", x}}) {
    const std::string path = directory / fmt::format("{}.npy", name);
    NpyWriter writer(path, matrix.rows, matrix.cols);
    writer.write(matrix);
    writer.commit();
    command += fmt::format(" '{}'", path);
  }
  command += fmt::format(" {} {}", prior, layers);
  std::string text;
  {
    const std::unique_ptr<std::FILE, Close> pipe(popen(command.c_str(), "r"));
    std::array<char, 4096> buffer{};
    while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) text += buffer.data();
  }
  std::filesystem::remove_all(directory);
  const nlohmann::json risks = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!risks.is_array()) ADD_FAILURE() << "reference/gvamp.py (needs numpy and scipy) printed: " << text;
  return risks.is_array() ? risks.get<std::vector<double>>() : std::vector<double>(static_cast<std::size_t>(layers));
}

struct Case {
  const char* prior;
  double rate;
  bool gaussian;  ///< a Gaussian matrix, the full-memory form; otherwise a rotation, the two-term form
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.prior << " r=" << c.rate << (c.gaussian ? " Gaussian" : ""); }
class Gvamp : public testing::TestWithParam<Case> {};

// Both decode the same 120 vectors of 600 coordinates, whose norms they know. Their scalars differ: state evolution
// here, averages over the batch there, so risks differ by what finite d costs, of the order of 10/d relative
// (docs/rigamp.md section 6): 3 %. For a rotation that holds at every layer; for other matrices the roads differ and
// meet at the end.
TEST_P(Gvamp, HasTheSameRiskOnTheSameCodes) {
  const auto [name, rate, gaussian] = GetParam();
  const int layers = gaussian ? 12 : 4;
  const EncoderShape shape = shape_for_rate(kDim, rate);
  EncoderPtr encoder = make_haar(shape, kSeed);
  if (gaussian) {
    Matrix<float> b(shape.bits, shape.dim);
    RandomStream stream(kSeed, Purpose::test);
    for (float& v : b.values()) v = static_cast<float>(stream.normal());
    encoder = make_dense(b);
  }
  const PriorPtr law = parse_prior(name);
  Matrix<float> x(kRows, kDim);
  for (std::size_t i = 0; i < kRows; ++i) {
    sample_row(*law, kSeed, i, x.row(i));
    double energy = 0;
    for (const float v : x.row(i)) energy += static_cast<double>(v) * static_cast<double>(v);
    simd::scale(x.row(i), static_cast<float>(std::sqrt(static_cast<double>(kDim) / energy)));
  }
  Matrix<std::uint8_t> codes(kRows, code_bytes(shape.bits));
  encoder->encode(x, codes);
  Matrix<float> z(kRows, shape.bits);
  for (std::size_t i = 0; i < kRows; ++i) simd::unpack_signs(codes.row(i), 1, z.row(i));
  const std::vector<double> expected = gvamp(dense_matrix(*encoder), z, x, name, layers);

  NetworkParameters parameters = compile_decoder({DecoderChoice::Kind::rigamp, layers}, *encoder, iid_prior(law));
  EXPECT_EQ(decoder_form(parameters), gaussian ? "full-memory" : "two-term");
  const Network network(encoder, make_basis("identity", kDim), std::move(parameters));
  Matrix<float> decoded(kRows, kDim);
  const std::vector<float> ones(kRows, 1.0F);
  for (int layer = gaussian ? network.layers() : 1; layer <= network.layers(); ++layer) {
    network.decode(codes, ones, layer, decoded);
    double error = 0;
    for (std::size_t k = 0; k < x.size(); ++k)
      error += std::pow(static_cast<double>(decoded.data()[k] - x.data()[k]), 2);
    error /= static_cast<double>(x.size());
    const double other = gaussian ? expected.back() : expected.at(static_cast<std::size_t>(layer - 1));
    EXPECT_NEAR(error, other, 0.03 * other) << "layer " << layer;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Gvamp,
                         testing::Values(Case{"sparse-gaussian:0.1", 1, false}, Case{"sparse-gaussian:0.3", 2, false},
                                         Case{"sparse-gaussian:0.3", 0.5, false},
                                         Case{"sparse-rademacher:0.5", 1, false}, Case{"sparse-gaussian:0.3", 1, true},
                                         Case{"sparse-rademacher:0.5", 1.5, true}));

}  // namespace
}  // namespace signfold
