// Arrays in Fortran order: the vectors lie across the file, one number here, one there.
#pragma once

#include <memory>

#include "signfold/source/row_source.h"

namespace signfold {

/// As make_row_source, for numbers in Fortran order (first index fastest; no prefixes). Reads strips of many rows, one
/// run of numbers per column, in bounded memory; a stream without random access is first copied to a temporary file.
std::unique_ptr<Source> make_column_source(std::unique_ptr<ByteStream> stream, RowLayout layout);

}  // namespace signfold
