#include "signfold/codec/stage_bytes.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/base/json.h"
#include "signfold/codec/bytes.h"

namespace signfold {
namespace {

using nlohmann::json;

constexpr std::size_t kMostLayers = 256;
constexpr std::size_t kHead = 16;  // bits, hidden units
constexpr std::uint64_t kLargestSide = std::uint64_t{1} << 28;

/// The arrays in the order in which they lie. S is Stage or const Stage.
template <class S>
auto arrays_of(S& stage) {
  return std::array{std::span(stage.encoder.values()),
                    std::span(stage.threshold),
                    std::span(stage.linear.values()),
                    std::span(stage.in.values()),
                    std::span(stage.bias),
                    std::span(stage.out.values()),
                    std::span(stage.offset)};
}

/// Bytes of a stage of sizes that are not larger than kLargestSide, in floating point: no product overflows.
double expected_bytes(std::uint64_t bits, std::uint64_t hidden, std::size_t before, std::size_t dim) {
  const auto n = static_cast<double>(bits);
  const auto h = static_cast<double>(hidden);
  const auto d = static_cast<double>(dim);
  const double numbers = 2 * n * d + n + (static_cast<double>(before) + n) * h + h + h * d + d;
  return static_cast<double>(kHead) + sizeof(float) * numbers;
}

}  // namespace

std::vector<std::byte> stage_to_bytes(const Stage& stage) {
  std::vector<std::byte> out;
  append(out, std::uint64_t{stage.bits()});
  append(out, std::uint64_t{stage.hidden()});
  for (const std::span<const float> values : arrays_of(stage)) {
    const auto bytes = std::as_bytes(values);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

Stage stage_from_bytes(std::span<const std::byte> bytes, std::size_t before, std::size_t dim) {
  if (bytes.size() < kHead) fail("a stage of {} bytes", bytes.size());
  const auto bits = number_at<std::uint64_t>(bytes, 0);
  const auto hidden = number_at<std::uint64_t>(bytes, 8);
  if (bits == 0 || bits > kLargestSide || hidden > kLargestSide ||
      expected_bytes(bits, hidden, before, dim) != static_cast<double>(bytes.size())) {
    fail("a stage of {} bits and {} hidden units does not have {} bytes", bits, hidden, bytes.size());
  }
  Stage stage = blank_stage(bits, before, hidden, dim);
  std::size_t at = kHead;
  for (const std::span<float> values : arrays_of(stage)) {
    if (!values.empty()) std::memcpy(values.data(), bytes.data() + at, values.size_bytes());
    at += values.size_bytes();
  }
  return stage;
}

std::vector<std::byte> rotated_to_bytes(const RotatedStagesParameters& parameters) {
  json stages = json::array();
  for (const RotatedStage& stage : parameters.stages) {
    json layers = json::array();
    for (const StagedLayer& layer : stage.scalars.layers) {
      json rotations = json::array();
      for (const RotationScalars& r : layer.rotations) rotations.push_back({r.variance, r.information, r.precision});
      layers.push_back({{"precision", layer.precision}, {"risk", layer.risk}, {"rotations", std::move(rotations)}});
    }
    stages.push_back({{"rotation", stage.rotation}, {"bits", stage.bits}, {"layers", std::move(layers)}});
  }
  if (!parameters.prior.iid()) fail("a code of rotations is stored with one law for all coordinates");
  const std::string text = json{
      {"seed", parameters.seed},
      {"clip", parameters.clip},
      {"law", parameters.prior.shapes.front()->to_json()},
      {"stages",
       std::move(stages)}}.dump();
  const auto bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

RotatedStagesParameters rotated_from_bytes(std::span<const std::byte> bytes, std::size_t dim) {
  const json root = parse_json(text_of(bytes), fmt::format("section {}", kRotatedTag));
  RotatedStagesParameters out;
  out.dim = dim;
  out.seed = root.at("seed").get<std::uint64_t>();
  out.clip = root.at("clip").get<double>();
  out.prior = iid_prior(prior_from_json(root.at("law")));
  if (root.at("stages").size() > kMostStages) fail("more than {} stages", kMostStages);
  for (const json& stage : root.at("stages")) {
    RotatedStage& to = out.stages.emplace_back();
    to.rotation = stage.at("rotation").get<std::size_t>();
    to.bits = stage.at("bits").get<std::size_t>();
    if (stage.at("layers").size() > kMostLayers) fail("a stage of more than {} layers", kMostLayers);
    for (const json& layer : stage.at("layers")) {
      StagedLayer& into = to.scalars.layers.emplace_back();
      into.precision = layer.at("precision").get<double>();
      into.risk = layer.at("risk").get<double>();
      for (const json& r : layer.at("rotations")) {
        into.rotations.push_back({r.at(0).get<double>(), r.at(1).get<double>(), r.at(2).get<double>()});
      }
    }
  }
  return out;
}

std::string stage_tag(std::size_t stage) { return fmt::format("STAGE{}", stage + 1); }

std::vector<StagedSection> staged_sections(const StagedCode& code) {
  if (const auto* rotated = dynamic_cast<const RotatedStages*>(&code)) {
    return {{kRotatedTag, rotated_to_bytes(rotated->parameters())}};
  }
  std::vector<StagedSection> sections;
  for (const Stage& stage : dynamic_cast<const TrainedStages&>(code).stages()) {
    sections.push_back({stage_tag(sections.size()), stage_to_bytes(stage)});
  }
  return sections;
}

std::vector<std::uint64_t> stage_hashes(const StagedCode& code) {
  std::vector<std::uint64_t> hashes;
  for (const StagedSection& section : staged_sections(code)) hashes.push_back(hash64(section.payload));
  return hashes;
}

}  // namespace signfold
