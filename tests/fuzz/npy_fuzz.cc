// NumPy arrays.
#include "signfold/source/npy.h"
#include "sources.h"

namespace {

using namespace std::string_literals;

/// A header of 256 characters, and no numbers.
std::string header(std::string text) {
  text.resize(256, ' ');
  return "\x93NUMPY\x01\0\0\x01"s + text;
}

/// Of up to 266 bytes, a gzip member of one stored block (RFC 1951, 3.2.4), without its end: nobody gets there.
std::string gzipped(const std::string& text) { return "\x1f\x8b\x08\0\0\0\0\0\0\0"s + "\x01\x0a\x01\xf5\xfe"s + text; }

}  // namespace

std::vector<std::string> signfold::fuzz::seeds() {
  std::vector<std::string> all = stored_seeds({"f4.npy", "f8-fortran.npy", "i2-cube.npy"});
  // Much promised: columns without rows, and a vector of which only the end of the file shows that it is not there.
  all.push_back(header("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 200000000), }"));
  all.push_back(gzipped(header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 400000000), }")));
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto content = signfold::fuzz::bytes(data, size);
  signfold::fuzz::read_as(signfold::open_npy, content);
  signfold::fuzz::read_file_of_vectors(content);
  return 0;
}
