#include "signfold/experiment/store.h"

#include <cmath>
#include <filesystem>
#include <span>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/base/hash.h"
#include "signfold/base/json.h"

namespace signfold::experiment {
namespace {

using Json = nlohmann::ordered_json;

std::string checksum(const std::string& text) { return fmt::format("{:016x}", hash64(std::as_bytes(std::span(text)))); }

Json to_json(const StoredPoint& point) {
  Json measurements = Json::array();
  for (const Measurement& m : point.result.measurements) {
    if (!std::isfinite(m.value) || !std::isfinite(m.standard_error)) {
      fail("internal error: {} of {} is not finite", m.quantity, point.settings.dump());
    }
    measurements.push_back(
        {{"quantity", m.quantity}, {"where", m.where}, {"value", m.value}, {"stderr", m.standard_error}});
  }
  Json pictures = Json::array();
  for (const Picture& p : point.result.pictures) {
    pictures.push_back({{"name", p.name}, {"cols", p.cols}, {"values", p.values}});
  }
  return {{"figure", point.figure},   {"settings", point.settings},   {"seed", point.seed},  {"version", point.version},
          {"seconds", point.seconds}, {"measurements", measurements}, {"pictures", pictures}};
}

StoredPoint from_json(const Json& json) {
  StoredPoint point;
  point.figure = json.at("figure");
  point.settings = json.at("settings");
  point.seed = json.at("seed");
  point.version = json.at("version");
  point.seconds = json.at("seconds");
  for (const Json& m : json.at("measurements")) {
    point.result.measurements.push_back({m.at("quantity"), m.at("where"), m.at("value"), m.at("stderr")});
  }
  for (const Json& p : json.at("pictures")) {
    point.result.pictures.push_back({p.at("name"), p.at("cols"), p.at("values")});
  }
  return point;
}

}  // namespace

Store::Store(std::string directory) : directory_(std::move(directory)) {}

std::string Store::path(const std::string& figure, const Settings& settings, std::uint64_t seed) const {
  return fmt::format("{}/points/{}/{}.json", directory_, figure,
                     checksum(fmt::format("{}\n{}\n{}", figure, settings.dump(), seed)));
}

StoredPoint read_point(const std::string& file) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 28;
  const std::vector<std::byte> bytes = read_file(file, kLargest);
  try {
    const auto json = parse_json<Json>({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "its JSON");
    const Json& body = json.at("point");
    if (json.at("checksum") != checksum(body.dump())) fail("its checksum does not match");
    return from_json(body);
  } catch (const std::exception& error) {
    fail("{} is damaged ({}); delete it to compute the point again", file, error.what());
  }
}

std::optional<StoredPoint> Store::find(const std::string& figure, const Settings& settings, std::uint64_t seed) const {
  const std::string file = path(figure, settings, seed);
  if (!std::filesystem::exists(file)) return std::nullopt;
  StoredPoint point = read_point(file);
  if (point.figure != figure || point.settings != settings || point.seed != seed) {
    fail("{} holds another point than its name says; delete it to compute the point again", file);
  }
  return point;
}

void Store::keep(const StoredPoint& point) const {
  const std::string file = path(point.figure, point.settings, point.seed);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
  if (error) fail_system(error.value(), "cannot create the directory of {}", file);
  const Json body = to_json(point);
  const std::string text = Json({{"checksum", checksum(body.dump())}, {"point", body}}).dump();
  write_file(file, std::as_bytes(std::span(text)));
}

}  // namespace signfold::experiment
