// What users may name when they fit a model: texts for help and errors, and "did you mean …?" for mistyped names.
#pragma once

#include <string>

#include "signfold/codec/fit.h"
#include "signfold/decoder/decoder.h"
#include "signfold/prior/prior.h"

namespace signfold {

/// Names of encoders that fitting takes: those of encoder_help() and the ones chosen by the prior. One per line, with a
/// short explanation, as all of them.
std::string fitted_encoder_help();
std::string basis_help();
/// Of fit(): "auto", "iid" and those of prior_help().
std::string fitted_prior_help();

/// parse_prior with a suggestion for near misses.
PriorPtr read_prior(const std::string& text);
/// parse_decoder with a suggestion for near misses.
DecoderChoice read_decoder(const std::string& text);
/// Throws Error with a suggestion for near misses among the names of the options. The rest is checked by fit().
void check_fit_names(const FitOptions& options);

}  // namespace signfold
