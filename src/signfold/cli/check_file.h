// Reading a file from the first byte to the last, so that every checksum is compared: what info and verify share.
#pragma once

#include <optional>
#include <string>

#include "signfold/base/progress.h"
#include "signfold/codec/code_file.h"
#include "signfold/codec/magic.h"
#include "signfold/codec/model.h"

namespace signfold::cli {

/// What kind a path is by its first bytes; other for FILE.npz:NAME, which is no file.
FileKind kind_of(const std::string& path);
/// Reads every block. Throws Error for anything damaged.
CodeHeader read_codes(const std::string& path, const Progress& progress);
/// Reads a file of any kind to its end and says what it is: "a code file of 200 vectors". Throws Error for anything
/// damaged, and for vectors with a value that is not finite.
std::string check_file(const std::string& path, const Progress& progress);

}  // namespace signfold::cli
