// "-" and pipes in the place of a file: where data come from, and where they go.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "signfold/base/file.h"
#include "signfold/source/source.h"

namespace signfold::cli {

/// "-", another name of standard input such as /dev/stdin, a named pipe or a device: what cannot seek.
bool is_input_stream(const std::string& path);
/// "-", another name of standard output such as /dev/stdout, a named pipe or a device: what no rename may replace.
bool is_output_stream(const std::string& path);
/// Whether data written there go to standard output, where nothing else may go then.
bool is_standard_output(const std::string& path);
/// Throws Error when writing --out would replace one of the files that it is made from; a standard stream is the file
/// that it was redirected to.
void check_replaces_nothing(const std::string& out, const std::vector<std::string>& inputs);
/// A stream to read. Throws Error for a terminal: nobody types vectors.
std::unique_ptr<Input> open_stream(const std::string& path);
/// Vectors from a file or a stream.
std::unique_ptr<Source> open_vectors(const std::string& path);
/// A file that appears when it is whole, or a stream. Throws Error for a terminal.
std::unique_ptr<Output> open_output(const std::string& path);
/// What a report calls it.
std::string shown(const std::string& path);

}  // namespace signfold::cli
