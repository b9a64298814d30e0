#include "signfold/experiment/reproduce.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <span>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/parallel.h"
#include "signfold/experiment/csv.h"
#include "signfold/experiment/report.h"
#include "signfold/experiment/store.h"
#include "signfold/experiment/version.h"

namespace signfold::experiment {
namespace {

void write_text(const std::string& path, const std::string& text) { write_file(path, std::as_bytes(std::span(text))); }

/// Counts what is done, and tells it.
class Counter {
 public:
  explicit Counter(const ReproduceRequest& request) : report_(request.progress) {
    for (const Figure* figure : request.figures) {
      if (!missing(*figure, request.context).empty()) continue;
      for (const Point& point : figure->points(request.effort)) {
        ++step_.points;
        step_.seconds += point.seconds;
      }
    }
  }
  static std::string missing(const Figure& figure, const Context& context) {
    return figure.missing == nullptr ? std::string() : figure.missing(context);
  }
  void next(const std::string& what) {
    step_.what = what;
    if (report_) report_(step_);
  }
  void done(const Point& point) {
    ++step_.done;
    step_.seconds_done += point.seconds;
  }
  const RunStep& step() const { return step_; }

 private:
  std::function<void(const RunStep&)> report_;
  RunStep step_;
};

StoredPoint compute(const Figure& figure, const Point& point, const Context& context) {
  const auto start = std::chrono::steady_clock::now();
  StoredPoint stored{figure.name, point.settings, context.seed, version(), 0, figure.measure(point.settings, context)};
  stored.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return stored;
}

void add_to(Table& table, const StoredPoint& point) {
  Settings common = {{"seed", point.seed}, {"version", point.version}};
  common.update(point.settings);
  for (const Measurement& m : point.result.measurements) {
    Settings settings = common;
    settings.update(m.where);
    table.rows.push_back({std::move(settings), m.quantity, m.value, m.standard_error, std::nullopt});
  }
  for (const Picture& picture : point.result.pictures) table.pictures.push_back({common, picture});
}

/// Runs what is not there yet.
FigureOutcome run_points(const Figure& figure, const ReproduceRequest& request, const Store& store, Counter& counter) {
  FigureOutcome outcome;
  outcome.figure = &figure;
  outcome.missing = Counter::missing(figure, request.context);
  if (!outcome.missing.empty()) return outcome;
  for (const Point& point : figure.points(request.effort)) {
    counter.next(fmt::format("{} {}", figure.name, point.settings.dump()));
    throw_if_interrupted();
    std::optional<StoredPoint> stored = store.find(figure.name, point.settings, request.context.seed);
    if (!stored) {
      stored = compute(figure, point, request.context);
      store.keep(*stored);
      ++outcome.computed;
    }
    counter.done(point);
    ++outcome.points;
    outcome.seconds += stored->seconds;
    if (std::ranges::find(outcome.versions, stored->version) == outcome.versions.end()) {
      outcome.versions.push_back(stored->version);
    }
    add_to(outcome.table, *stored);
  }
  return outcome;
}

void write_figure(FigureOutcome& outcome, const std::string& out) {
  const std::string base = fmt::format("{}/{}", out, outcome.figure->name);
  write_text(base + ".csv", to_csv(outcome.table));
  outcome.drawing = draw(outcome.findings.panels);
  if (!outcome.drawing) return;
  write_text(base + ".svg", outcome.drawing->svg);
  write_text(base + ".png", outcome.drawing->png);
}

}  // namespace

void interpret(FigureOutcome& outcome, const Laws& laws) {
  outcome.figure->predict(outcome.table, laws);
  outcome.findings = outcome.figure->findings(outcome.table, laws);
}

ReproduceOutcome reproduce(const ReproduceRequest& request) {
  std::error_code error;
  std::filesystem::create_directories(request.out, error);
  if (error) fail_io("cannot create {}: {}", request.out, error.message());
  const Store store(request.out);
  Counter counter(request);
  ReproduceOutcome outcome;
  try {
    for (const Figure* figure : request.figures) {
      outcome.figures.push_back(run_points(*figure, request, store, counter));
    }
    // Theory alone takes many seconds of one core: figures share the cores.
    parallel_for(outcome.figures.size(), 1, request.context.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        if (outcome.figures[k].missing.empty()) interpret(outcome.figures[k], request.laws);
      }
    });
    for (FigureOutcome& made : outcome.figures) {
      if (!made.missing.empty()) continue;
      write_figure(made, request.out);
      outcome.gnuplot = made.drawing.has_value();
    }
  } catch (const Error& stop) {
    if (stop.kind() != ErrorKind::interrupted) throw;
    throw Error(ErrorKind::interrupted,
                fmt::format("stopped after {} of {} points; {} keeps them: the same command goes on",
                            counter.step().done, counter.step().points, request.out));
  }
  counter.next("");
  write_text(request.out + "/report.html", to_html(request, outcome));
  return outcome;
}

}  // namespace signfold::experiment
