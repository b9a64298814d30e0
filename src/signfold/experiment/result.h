// What experiments compute: numbers with the settings they belong to, and small pictures.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signfold::experiment {

/// A flat object of numbers and strings, in the order they were given.
using Settings = nlohmann::ordered_json;

/// A number that was measured.
struct Measurement {
  std::string quantity;       ///< what it is, e.g. "risk"
  Settings where;             ///< what tells it from the others of its point, e.g. {"layer": 3}
  double value = 0;           ///< finite
  double standard_error = 0;  ///< 0 = exact, or not known
};

/// A matrix to look at.
struct Picture {
  std::string name;
  std::size_t cols = 0;
  std::vector<float> values;  ///< row by row
};

/// All that one point of a figure measures.
struct PointResult {
  std::vector<Measurement> measurements;
  std::vector<Picture> pictures;
};

/// A measurement beside its prediction, with all settings: a row of a figure's CSV file.
struct Row {
  Settings settings;  ///< of the point, and what `where` adds
  std::string quantity;
  double value = 0;
  double standard_error = 0;
  std::optional<double> prediction;
};

struct PictureRow {
  Settings settings;
  Picture picture;
};

/// Everything a figure has measured.
struct Table {
  std::vector<Row> rows;
  std::vector<PictureRow> pictures;
};

/// The rows of a quantity whose settings have all these values, in the order of the table.
std::vector<Row> select(const Table& table, std::string_view quantity, const Settings& filter = Settings::object());
/// Do the settings have all the values of the filter?
bool matches(const Settings& settings, const Settings& filter);
/// The different values that a setting takes, in order of appearance.
std::vector<nlohmann::ordered_json> values_of(const std::vector<Row>& rows, const std::string& key);

}  // namespace signfold::experiment
