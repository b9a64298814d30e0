#include "signfold/experiment/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace signfold::experiment {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string cell(const nlohmann::ordered_json& value) {
  return quoted(value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

std::string to_csv(const Table& table) {
  std::vector<std::string> keys;
  for (const Row& row : table.rows) {
    for (const auto& [key, value] : row.settings.items()) {
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
  }
  std::string out;
  for (const std::string& key : keys) out += quoted(key) + ',';
  out += "quantity,value,stderr,prediction\n";
  for (const Row& row : table.rows) {
    for (const std::string& key : keys) {
      const auto found = row.settings.find(key);
      if (found != row.settings.end()) out += cell(*found);
      out += ',';
    }
    out += fmt::format("{},{},{},{}\n", quoted(row.quantity), row.value, row.standard_error,
                       row.prediction ? fmt::format("{}", *row.prediction) : "");
  }
  return out;
}

}  // namespace signfold::experiment
