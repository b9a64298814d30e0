// NumPy's .npy format: a magic, a version, a header that is a Python dictionary in text, and the numbers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "signfold/source/probe.h"

namespace signfold {

struct NpyHeader {
  std::string descr;  ///< type code: "<f4"
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

/// Parses {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Strict: exactly these three keys, nothing else.
/// `path` is for messages.
NpyHeader parse_npy_header(const std::string& path, std::string_view text);

bool is_npy(Probe& probe);
std::unique_ptr<Source> open_npy(std::unique_ptr<ByteStream> stream);

}  // namespace signfold
