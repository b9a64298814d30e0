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

void put(Bytes& file, std::size_t at, std::uint64_t value) { std::memcpy(file.data() + at, &value, sizeof(value)); }

struct Section {
  std::string tag;
  std::span<const std::byte> payload;
};

std::span<const std::byte> payload(const std::vector<Section>& sections, const std::string& tag) {
  const auto found = std::ranges::find(sections, tag, &Section::tag);
  return found == sections.end() ? std::span<const std::byte>{} : found->payload;
}

/// The fingerprint of what the sections say; nothing when they do not say it, or say that the model is large.
std::optional<std::uint64_t> fingerprint_of(const std::vector<Section>& sections) {
  const std::span<const std::byte> text = payload(sections, "JSON");
  const auto json = nlohmann::json::parse(text_of(text), nullptr, /*allow_exceptions=*/false);
  try {
    const auto name = json.at("encoder").at("name").get<std::string>();
    EncodeSide side{.dim = json.at("dim").get<std::uint64_t>(),
                    .bits = json.at("bits").get<std::uint64_t>(),
                    .scale = parse_scale(json.at("scale").get<std::string>()),
                    .unit = json.at("unit").get<double>(),
                    .seed = json.at("encoder").at("seed").get<std::uint64_t>(),
                    .encoder = name,
                    .matrix = payload(sections, "DENSE"),
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
  constexpr std::size_t kHeader = 72;
  if (file.size() < kHeader) return;
  put(file, kHeader - 8, hash64(std::span(file).first(kHeader - 8)));
  const auto count = number_at<std::uint64_t>(file, 32);
  const std::uint64_t block_rows = number_at<std::uint32_t>(file, 48);
  const auto kind = number_at<std::uint32_t>(file, 52);
  const auto bits = number_at<std::uint64_t>(file, 56);
  if (block_rows == 0 || kind > 2 || bits > file.size() * 8 || count > file.size()) return;
  const std::size_t scale = scale_bytes(static_cast<ScaleKind>(kind));
  std::size_t at = kHeader;
  for (std::uint64_t block = 0; block * block_rows < count; ++block) {
    const std::uint64_t rows = std::min(block_rows, count - block * block_rows);
    at += 8;
    for (unsigned plane = 0; plane < 2; ++plane) {
      const std::size_t size = padded(rows * (plane == 0 ? scale : code_bytes(bits)));
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
