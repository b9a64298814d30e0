// Which source the program was built from.
#pragma once

namespace signfold::experiment {

/// "0.1.0 (COMMIT)" as git described it when the build was configured; COMMIT is "unknown" without git.
const char* version();

}  // namespace signfold::experiment
