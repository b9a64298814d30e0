#include "signfold/codec/inputs.h"

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/codec/given_encoder.h"
#include "signfold/prior/prior.h"
#include "signfold/source/source.h"

namespace signfold {

std::string file_of_name(const std::string& name) {
  if (name.starts_with(kDensePrefix)) return file_of_vectors(name.substr(kDensePrefix.size()));
  if (name.starts_with(kMixturePrefix)) return name.substr(kMixturePrefix.size());
  return "";
}

void check_not_read(const std::string& option, const std::string& out, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    if (same_file(out, input)) fail("{} {} would replace {}, which is read: name another file", option, out, input);
  }
}

}  // namespace signfold
