// Runs figures, keeps what they measure, and writes tables, plots and the report.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "signfold/base/ranks.h"
#include "signfold/experiment/figure.h"

namespace signfold::experiment {

/// Where a run stands, before each point and at the end; with several ranks, what this one has to do.
struct RunStep {
  std::size_t done = 0, points = 0;
  double seconds_done = 0, seconds = 0;  ///< by the estimates of the points
  std::string what;                      ///< figure and settings of the next point
};

struct ReproduceRequest {
  std::vector<const Figure*> figures;
  Effort effort = Effort::quick;
  Context context;
  std::string out;             ///< a directory, created where needed
  Laws laws = library_laws();  ///< what measurements are compared with
  std::function<void(const RunStep&)> progress;
  Ranks* ranks = nullptr;  ///< processes that divide the points; all make this request, with the same directory `out`
};

struct FigureOutcome {
  const Figure* figure = nullptr;
  std::string missing;  ///< why it was skipped; empty = it was not
  std::size_t points = 0, computed = 0;
  double seconds = 0;                 ///< that computing all its points took, whenever that was
  std::vector<std::string> versions;  ///< of the programs that computed them
  Table table;
  Findings findings;
  std::optional<Drawing> drawing;
};

struct ReproduceOutcome {
  std::vector<FigureOutcome> figures;
  bool gnuplot = true;  ///< it was there
};

/// Writes OUT/FIGURE.csv, .svg and .png and OUT/report.html; points, with their pictures, go to OUT/points.
/// Points that are there already are not run again. Throws Error{interrupted} saying how much is kept.
/// With several ranks, rank 0 writes all but the points; the outcome of the others is empty.
ReproduceOutcome reproduce(const ReproduceRequest& request);

/// Table and findings from stored points alone: what reproduce() does between measuring and writing.
void interpret(FigureOutcome& outcome, const Laws& laws);

}  // namespace signfold::experiment
