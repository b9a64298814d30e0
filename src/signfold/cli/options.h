// Options that several commands share: how they are read and what they must satisfy.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "signfold/decoder/decoder.h"
#include "signfold/encoder/encoder.h"
#include "signfold/prior/prior.h"

namespace signfold::cli {

/// Throws Error unless the rate is a positive number, at most a million.
void check_rate(double rate);
/// parse_prior with a suggestion for near misses.
PriorPtr read_prior(const std::string& text);
/// parse_decoder with a suggestion for near misses.
DecoderChoice read_decoder(const std::string& text);
/// A small encoder of the named kind, "auto" and "mixed" resolved for the prior: its name and what theory asks about
/// it. Throws Error for unknown names.
EncoderPtr read_encoder(const std::string& text, const PriorPtr& prior, double rate);
/// Encoder names that fitting commands take: those of encoder_help() and the ones chosen by the prior.
std::string fitted_encoder_help();

/// A check for options that hold whole numbers (CLI11 would take "-1" for 2^64 - 1).
CLI::Validator at_least(std::uint64_t least);

}  // namespace signfold::cli
