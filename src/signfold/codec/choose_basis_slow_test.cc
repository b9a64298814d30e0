// The basis that fit chooses with its default prior.
#include "signfold/codec/for_test.h"
#include "signfold/transform/basis.h"

namespace signfold {
namespace {

using namespace testing;  // NOLINT: helpers of these tests

using FitAnyBasisOfImages = CodecFiles;

TEST_F(FitAnyBasisOfImages, FindsTheWaveletsInWhichTheyAreSparse) {
  SCOPED_TRACE("seed 1");
  const PriorPtr law = parse_prior("sparse-gaussian:0.1");
  Matrix<float> theta(300, 256);
  Matrix<float> x(300, 256);
  for (std::size_t i = 0; i < 300; ++i) sample_row(*law, 1, i, theta.row(i));
  make_basis("wavelet2:16x16", 256)->inverse(theta, x);
  // A .npy file of three axes knows the shape of an image.
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (300, 16, 16), }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  bytes.append(reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float));  // NOLINT: bytes of floats
  std::ofstream(path("x.npy"), std::ios::binary) << bytes;
  FitOptions options;
  options.basis = "auto";
  const auto source = open_source(path("x.npy"));
  const Model model = fit(*source, options);
  EXPECT_EQ(model.network->basis().name(), "wavelet2:16x16");
  EXPECT_EQ(model.item_shape, (std::vector<std::size_t>{16, 16}));
}

}  // namespace
}  // namespace signfold
