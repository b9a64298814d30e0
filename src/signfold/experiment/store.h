// Finished points, one file each, so that nothing is ever computed twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "signfold/experiment/result.h"

namespace signfold::experiment {

/// A finished point as it is kept.
struct StoredPoint {
  std::string figure;
  Settings settings;
  std::uint64_t seed = 1;
  std::string version;  ///< of the program that computed it
  double seconds = 0;   ///< it took
  PointResult result;
};

/// The point that a file holds. Throws Error for a file that is damaged.
StoredPoint read_point(const std::string& file);

/// The directory of a run; its points lie in DIR/points/FIGURE/HASH.json.
class Store {
 public:
  explicit Store(std::string directory);

  /// The point with these settings and this seed, if it is there. Throws Error for a file that is damaged or is of
  /// something else.
  std::optional<StoredPoint> find(const std::string& figure, const Settings& settings, std::uint64_t seed) const;
  /// Atomic: a file is there completely or not at all.
  void keep(const StoredPoint& point) const;
  std::string path(const std::string& figure, const Settings& settings, std::uint64_t seed) const;

 private:
  std::string directory_;
};

}  // namespace signfold::experiment
