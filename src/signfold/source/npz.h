// .npz: a zip archive of .npy files.
#pragma once

#include <memory>
#include <string>

#include "signfold/source/byte_stream.h"

namespace signfold {

/// The array `name` ("x" or "x.npy") of an archive; with an empty name, its only array. Throws Error listing the names
/// when that does not say which.
std::unique_ptr<ByteStream> open_npz(const std::string& path, const std::string& name);

}  // namespace signfold
