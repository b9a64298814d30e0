#include "signfold/experiment/version.h"

namespace signfold::experiment {

const char* version() { return SIGNFOLD_VERSION " (" SIGNFOLD_COMMIT ")"; }

}  // namespace signfold::experiment
