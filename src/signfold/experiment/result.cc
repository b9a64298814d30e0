#include "signfold/experiment/result.h"

#include <algorithm>

namespace signfold::experiment {

bool matches(const Settings& settings, const Settings& filter) {
  return std::ranges::all_of(filter.items(), [&](const auto& wanted) {
    const auto found = settings.find(wanted.key());
    return found != settings.end() && *found == wanted.value();
  });
}

std::vector<Row> select(const Table& table, std::string_view quantity, const Settings& filter) {
  std::vector<Row> rows;
  for (const Row& row : table.rows) {
    if (row.quantity == quantity && matches(row.settings, filter)) rows.push_back(row);
  }
  return rows;
}

std::vector<nlohmann::ordered_json> values_of(const std::vector<Row>& rows, const std::string& key) {
  std::vector<nlohmann::ordered_json> values;
  for (const Row& row : rows) {
    const auto found = row.settings.find(key);
    if (found != row.settings.end() && std::ranges::find(values, *found) == values.end()) values.push_back(*found);
  }
  return values;
}

}  // namespace signfold::experiment
