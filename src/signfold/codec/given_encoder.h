// An encoder that a file holds.
#pragma once

#include <string>
#include <string_view>

#include "signfold/encoder/encoder.h"

namespace signfold {

/// "dense:FILE" names an encoder by a file: a model's, or the rows of a matrix in any format of open_source.
constexpr std::string_view kDensePrefix = "dense:";
/// The encoder of a FILE for `dim` coordinates. Throws Error when it is for another number of them.
EncoderPtr read_encoder_file(const std::string& path, std::size_t dim);

}  // namespace signfold
