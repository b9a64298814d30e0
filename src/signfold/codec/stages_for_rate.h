// The stages of a staged code where nobody says which.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace signfold {

constexpr double kStageEpochs = 8;   ///< passes over the data for each stage,
constexpr double kJointEpochs = 24;  ///< and for all of them together
constexpr double kStageDecay = 0.3;  ///< weight decay, where vectors come back: docs/math.md section 13

/// Bits of the stages of a code of rate·d bits: prefixes of an eighth, a quarter and half of them, rounded down;
/// fewer where there are few bits. Throws Error as shape_for_rate does.
std::vector<std::size_t> stages_for_rate(double rate, std::size_t dim);
/// "N1,N2,…"; throws Error, which calls them `what`, for anything else.
std::vector<std::size_t> parse_counts(const std::string& text, const char* what);
/// The bits of stages; throws Error for anything else, and as check_stage_bits does.
std::vector<std::size_t> parse_stages(const std::string& text);

}  // namespace signfold
