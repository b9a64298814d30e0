#include "repair.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/code_file.h"
#include "signfold/codec/encode_side.h"

namespace signfold::fuzz {
namespace {

constexpr std::uint64_t kLargeSide = 1 << 12;
constexpr std::uint32_t kMostStages = 64;

void put(Bytes& file, std::size_t at, std::uint64_t value) { std::memcpy(file.data() + at, &value, sizeof(value)); }

struct Section {
  std::string tag;
  std::span<const std::byte> payload;
};

std::span<const std::byte> payload(const std::vector<Section>& sections, const std::string& tag) {
  const auto found = std::ranges::find(sections, tag, &Section::tag);
  return found == sections.end() ? std::span<const std::byte>{} : found->payload;
}

std::vector<std::uint64_t> stage_hashes(const std::vector<Section>& sections) {
  std::vector<std::uint64_t> hashes;
  const auto rotated = std::ranges::find(sections, "ROTATED", &Section::tag);
  if (rotated != sections.end()) hashes.push_back(hash64(rotated->payload));
  for (std::size_t s = 1; s <= kMostStages; ++s) {
    const auto found = std::ranges::find(sections, "STAGE" + std::to_string(s), &Section::tag);
    if (found == sections.end()) break;
    hashes.push_back(hash64(found->payload));
  }
  return hashes;
}

/// The fingerprint of what the sections say; nothing when they do not say it, or say that the model is large.
std::optional<std::uint64_t> fingerprint_of(const std::vector<Section>& sections) {
  const std::span<const std::byte> text = payload(sections, "JSON");
  const auto json = nlohmann::json::parse(text_of(text), nullptr, /*allow_exceptions=*/false);
  const std::vector<std::uint64_t> stages = stage_hashes(sections);
  try {
    const auto name = json.at("encoder").at("name").get<std::string>();
    EncodeSide side{.dim = json.at("dim").get<std::uint64_t>(),
                    .bits = json.at("bits").get<std::uint64_t>(),
                    .scale = parse_scale(json.at("scale").get<std::string>()),
                    .unit = json.at("unit").get<double>(),
                    .seed = json.at("encoder").at("seed").get<std::uint64_t>(),
                    .encoder = name,
                    .matrix = stages.empty() ? payload(sections, "DENSE") : std::as_bytes(std::span(stages)),
                    .mean = payload(sections, "MEAN"),
                    .eigenvectors = payload(sections, "EIGVEC"),
                    .eigenvalues = payload(sections, "EIGVAL"),
                    .epsilon = json.at("epsilon").get<double>()};
    if (side.dim > kLargeSide || side.bits > kLargeSide) return {};
    return fingerprint(side);
  } catch (const nlohmann::json::exception&) {
    return {};
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

void repair_model(Bytes& file, bool fingerprint) {
  constexpr std::size_t kHeader = 48;
  constexpr std::size_t kSectionHeader = 24;
  if (file.size() < kHeader) return;
  std::vector<Section> sections;
  std::size_t at = kHeader;
  while (file.size() - at >= kSectionHeader) {
    const auto length = number_at<std::uint64_t>(file, at + 16);
    if (length > file.size() - at - kSectionHeader) break;
    const std::size_t whole = kSectionHeader + padded(length);
    if (whole > file.size() - at) break;
    put(file, at, hash64(std::span(file).subspan(at + 8, whole - 8)));
    std::string tag(text_of(std::span(file).subspan(at + 8, 8)));
    tag.erase(std::ranges::find(tag, '\0'), tag.end());
    sections.push_back({tag, std::span(file).subspan(at + kSectionHeader, length)});
    at += whole;
  }
  if (fingerprint) {
    if (const auto value = fingerprint_of(sections)) put(file, 32, *value);
  }
  put(file, 40, hash64(std::span(file).first(40)));
}

void repair_codes(Bytes& file) {
  constexpr std::size_t kFixedHeader = 64;  // without the stage table
  if (file.size() < kFixedHeader) return;
  const auto stages = number_at<std::uint32_t>(file, 20);
  const std::size_t header = kFixedHeader + 8 * std::size_t{stages};
  if (stages == 0 || stages > kMostStages || file.size() < header) return;
  put(file, header - 8, hash64(std::span(file).first(header - 8)));
  const auto count = number_at<std::uint64_t>(file, 32);
  const std::uint64_t block_rows = number_at<std::uint32_t>(file, 48);
  const auto kind = number_at<std::uint16_t>(file, 52);
  const bool staged = number_at<std::uint16_t>(file, 54) != 0;
  if (block_rows == 0 || kind > 2 || count > file.size()) return;
  std::vector<std::size_t> planes = {8 * scale_bytes(static_cast<ScaleKind>(kind))};  // bits of a row
  for (std::size_t at = 56; at < header - 8; at += 8) {
    const auto bits = number_at<std::uint64_t>(file, at);
    if (bits > file.size() * 8) return;
    planes.push_back(staged ? bits : 8 * code_bytes(bits));
  }
  std::size_t at = header;
  for (std::uint64_t block = 0; block * block_rows < count; ++block) {
    const std::uint64_t rows = std::min(block_rows, count - block * block_rows);
    at += 8;
    for (std::size_t plane = 0; plane < planes.size(); ++plane) {
      const std::size_t size = padded(code_bytes(rows * planes[plane]));
      if (size + 8 > file.size() || at > file.size() - size - 8) return;
      put(file, at + size, hash64(std::span(file).subspan(at, size), 256 * block + plane));
      at += size + 8;
    }
  }
}

void repair_checkpoint(Bytes& file) {
  constexpr std::size_t kBody = 32;
  if (file.size() < kBody) return;
  put(file, 16, file.size() - kBody);
  put(file, 24, hash64(std::span(file).subspan(kBody)));
}

}  // namespace signfold::fuzz
