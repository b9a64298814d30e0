#include "signfold/codec/rotated.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "signfold/base/error.h"
#include "signfold/theory/rate.h"

namespace signfold {
namespace {

constexpr std::string_view kPrefix = "rotated:";

/// Stages of a rotation that has `part` of all the bits.
int share(int stages, double part) { return std::max(1, static_cast<int>(std::lround(stages * part))); }

}  // namespace

std::optional<int> rotated_stage_count(const std::string& encoder) {
  if (!encoder.starts_with(kPrefix)) return std::nullopt;
  const std::string_view number = std::string_view(encoder).substr(kPrefix.size());
  int stages = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), stages);
  if (error != std::errc() || end != number.data() + number.size() || stages < 1 ||
      stages > static_cast<int>(kMostStages)) {
    fail("encoder '{}': write rotated:S with the number of stages, 1 to {}", encoder, kMostStages);
  }
  return stages;
}

std::vector<std::size_t> rotated_stage_bits(std::size_t dim, std::size_t bits, int stages) {
  std::vector<std::size_t> out;
  for (std::size_t left = bits; left > 0;) {
    const std::size_t rows = std::min(left, dim);
    const int parts = share(stages, static_cast<double>(rows) / static_cast<double>(bits));
    std::size_t before = 0;
    for (int k = 1; k <= parts; ++k) {
      const std::size_t end = rows * static_cast<std::size_t>(k) / static_cast<std::size_t>(parts);
      if (end > before) out.push_back(end - before);
      before = std::max(before, end);
    }
    left -= rows;
  }
  return out;
}

std::vector<RotationRows> rotated_stage_rows(double rate, int stages) {
  check_rate(rate);
  std::vector<RotationRows> out;
  std::size_t rotation = 0;
  for (double left = rate; left > 1e-12; ++rotation) {
    const double rows = std::min(left, 1.0);
    const int parts = share(stages, rows / rate);
    for (int k = 0; k < parts; ++k) out.push_back({rotation, rows / parts});
    left -= rows;
  }
  return out;
}

StagedPtr make_rotated(const VectorPrior& prior, std::size_t dim, std::size_t bits, int stages, std::uint64_t seed) {
  return std::make_shared<RotatedStages>(plan_rotated_stages(prior, dim, rotated_stage_bits(dim, bits, stages), seed));
}

}  // namespace signfold
