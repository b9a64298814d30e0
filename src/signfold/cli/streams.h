// "-" and pipes in the place of a file: where data come from, and where they go.
#pragma once

#include <memory>
#include <string>

#include "signfold/base/file.h"
#include "signfold/source/source.h"

namespace signfold::cli {

/// "-", a named pipe or a device: what cannot seek, and is not replaced by a rename.
bool is_stream(const std::string& path);
/// A stream to read. Throws Error for a terminal: nobody types vectors.
std::unique_ptr<Input> open_stream(const std::string& path);
/// Vectors from a file or a stream.
std::unique_ptr<Source> open_vectors(const std::string& path);
/// A file that appears when it is whole, or a stream. Throws Error for a terminal.
std::unique_ptr<Output> open_output(const std::string& path);
/// What a report calls it.
std::string shown(const std::string& path);

}  // namespace signfold::cli
