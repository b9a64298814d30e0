#include "signfold/codec/inputs.h"

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/codec/given_encoder.h"
#include "signfold/prior/prior.h"
#include "signfold/source/source.h"

namespace signfold {

std::string file_of_name(const std::string& name) {
  for (const std::string_view prefix : {kDensePrefix, kMixturePrefix}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return "";
}

void check_not_read(const std::string& option, const std::string& out, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    const std::string file = file_of_vectors(input);
    if (same_file(out, file)) fail("{} {} would replace {}, which is read: name another file", option, out, file);
  }
}

}  // namespace signfold
