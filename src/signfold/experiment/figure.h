// A figure: what to run, how to measure it, and what to show and say about the numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "signfold/experiment/laws.h"
#include "signfold/experiment/plot.h"
#include "signfold/experiment/result.h"
#include "signfold/experiment/verdict.h"

namespace signfold::experiment {

enum class Effort { quick, full };

/// The unit of work that is run, kept and resumed.
struct Point {
  Settings settings;
  double seconds = 1;  ///< what it takes on two cores, for the time left
};

/// What a point needs beyond its settings.
struct Context {
  std::uint64_t seed = 1;
  int threads = 0;   ///< results do not depend on it
  std::string data;  ///< the directory of data sets
};

/// What a figure shows and says.
struct Findings {
  std::vector<std::string> paragraphs;  ///< plain sentences, numbers filled in from the data
  std::vector<Panel> panels;
  std::vector<Verdict> verdicts;
};

/// Plain data and functions without state; one file each, and one line in the table of figures.cc.
struct Figure {
  const char* name;
  const char* title;
  const char* paper;  ///< what the paper says, in a sentence or two
  std::vector<Point> (*points)(Effort effort);
  PointResult (*measure)(const Settings& settings, const Context& context);
  /// Fills the predictions of the rows.
  void (*predict)(Table& table, const Laws& laws);
  Findings (*findings)(const Table& table, const Laws& laws);
  /// Why it cannot be run, with where to get what is missing; empty = it can. Null = it needs nothing.
  std::string (*missing)(const Context& context) = nullptr;
};

/// All figures, in the order of the report.
std::span<const Figure> figures();
/// The figure of that name; throws Error that lists the names.
const Figure& figure_named(const std::string& name);

}  // namespace signfold::experiment
