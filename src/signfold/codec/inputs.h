// What a command reads is not to be replaced by what it writes.
#pragma once

#include <string>
#include <vector>

namespace signfold {

/// The file that the name of an encoder or a prior names: FILE for dense:FILE and mixture:FILE; empty = none.
std::string file_of_name(const std::string& name);
/// Throws Error when writing `out` would replace one of the files that are read; empty = none. `option` is what the
/// caller calls the output, such as "--out". Vectors come from file_of_vectors(path).
void check_not_read(const std::string& option, const std::string& out, const std::vector<std::string>& inputs);

}  // namespace signfold
