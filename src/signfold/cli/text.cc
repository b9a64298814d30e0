#include "signfold/cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace signfold::cli {
namespace {
std::string with_unit(double value, const std::array<const char*, 5>& units) {
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", value, units[unit]);
}
}  // namespace

std::string number(double value) { return value == 0 ? "0" : fmt::format("{:#.5g}", value); }

std::string rate_text(double rate) { return fmt::format("{} bit{} per dimension", rate, rate == 1 ? "" : "s"); }

std::string bits_and_bytes(std::uint64_t bits) {
  return fmt::format("{} bit{}", bits, bits == 1 ? "" : "s") +
         (bits % 8 == 0 ? fmt::format(" = {} byte{}", bits / 8, bits == 8 ? "" : "s") : "");
}

std::string size(std::uint64_t bytes) {
  return with_unit(static_cast<double>(bytes), {" B", " kB", " MB", " GB", " TB"});
}

std::string speed(double per_second) {
  if (per_second < 999999.5) return fmt::format("{:.0f}", per_second);
  return with_unit(per_second / 1e6, {" M", " G", " T", " P", " E"});
}

std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i == 0 ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("  {:>{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string facts(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : lines) text += fmt::format("{:<{}}  {}\n", name, width, value);
  return text;
}

}  // namespace signfold::cli
