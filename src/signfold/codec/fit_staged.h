// `fit` for a staged code.
#pragma once

#include "signfold/codec/fit.h"

namespace signfold {

/// A staged code of the stages of stages_for_rate, trained as train() does by default. Throws Error for options that
/// only other encoders know.
Model fit_staged(Source& source, const FitOptions& options);

}  // namespace signfold
