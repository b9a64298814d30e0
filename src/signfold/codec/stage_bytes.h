// A stage of a staged code as a model file stores it: docs/formats.md section 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signfold/decoder/rotated_stages.h"
#include "signfold/decoder/trained_stages.h"

namespace signfold {

std::vector<std::byte> stage_to_bytes(const Stage& stage);
/// The inverse, but for the risk. `before`: bits of the stages before it. Throws Error unless the sizes that it begins
/// with have just the bytes that follow.
Stage stage_from_bytes(std::span<const std::byte> bytes, std::size_t before, std::size_t dim);
/// The payload of section ROTATED: all of a code of rotations.
std::vector<std::byte> rotated_to_bytes(const RotatedStagesParameters& parameters);
RotatedStagesParameters rotated_from_bytes(std::span<const std::byte> bytes, std::size_t dim);

/// The sections of a model file that hold a staged code: STAGE1, STAGE2, … or ROTATED.
struct StagedSection {
  std::string tag;
  std::vector<std::byte> payload;
};
std::vector<StagedSection> staged_sections(const StagedCode& code);
constexpr const char* kRotatedTag = "ROTATED";
/// Of a trained stage, counted from 0.
std::string stage_tag(std::size_t stage);

/// XXH64 of the payload of every section: what the fingerprint knows of a staged code.
std::vector<std::uint64_t> stage_hashes(const StagedCode& code);

}  // namespace signfold
