#include "signfold/codec/stages_for_rate.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "signfold/base/error.h"
#include "signfold/decoder/staged.h"
#include "signfold/encoder/encoder.h"

namespace signfold {

std::vector<std::size_t> stages_for_rate(double rate, std::size_t dim) {
  const std::size_t bits = shape_for_rate(dim, rate).bits;
  std::vector<std::size_t> stages;
  std::size_t before = 0;
  for (const std::size_t part : {8, 4, 2}) {
    const std::size_t until = bits / part;
    if (until > before) stages.push_back(until - before);
    before = std::max(before, until);
  }
  stages.push_back(bits - before);
  return stages;
}

std::vector<std::size_t> parse_counts(const std::string& text, const char* what) {
  std::vector<std::size_t> counts;
  std::string_view rest = text;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find(','));
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || end != part.data() + part.size()) {
      fail("'{}' are not {}: write whole numbers, as in 98,98,196,392", text, what);
    }
    counts.push_back(number);
    if (part.size() == rest.size()) return counts;
    rest.remove_prefix(part.size() + 1);
  }
}

std::vector<std::size_t> parse_stages(const std::string& text) {
  std::vector<std::size_t> bits = parse_counts(text, "the bits of stages");
  check_stage_bits(bits);
  return bits;
}

}  // namespace signfold
