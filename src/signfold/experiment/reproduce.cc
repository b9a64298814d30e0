#include "signfold/experiment/reproduce.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <span>
#include <utility>
#include <vector>

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

/// A point of a figure, and what is to be done about it.
struct Task {
  const Figure* figure = nullptr;
  Point point;
  bool skipped = false;  ///< its figure cannot be run
  bool stored = false;   ///< it was there before
  bool own = false;      ///< this rank computes it
};

/// Counts what is done, and tells it.
class Counter {
 public:
  Counter(const ReproduceRequest& request, const std::vector<Task>& tasks) : report_(request.progress) {
    for (const Task& task : tasks) {
      if (!task.own && !task.stored) continue;
      ++step_.points;
      step_.seconds += task.point.seconds;
    }
  }
  void next(const std::string& what) {
    step_.what = what;
    if (report_) report_(step_);
  }
  void done(const Point& point) {
    ++step_.done;
    step_.seconds_done += point.seconds;
  }

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

std::string missing(const Figure& figure, const Context& context) {
  return figure.missing == nullptr ? std::string() : figure.missing(context);
}

/// All points, and which are there: what rank 0 sees, so that all ranks divide the same.
std::vector<Task> list_tasks(const ReproduceRequest& request, const Store& store) {
  std::vector<Task> tasks;
  for (const Figure* figure : request.figures) {
    if (std::ranges::find(tasks, figure, &Task::figure) != tasks.end()) continue;  // somebody named it twice
    for (Point& point : figure->points(request.effort)) tasks.push_back({figure, std::move(point)});
  }
  enum Mark : unsigned char { to_do, stored, skipped };
  std::vector<unsigned char> marks(tasks.size(), to_do);
  for (std::size_t i = 0; i < tasks.size() && speaks(request.ranks); ++i) {
    const Task& task = tasks[i];
    if (!missing(*task.figure, request.context).empty()) {
      marks[i] = skipped;
    } else if (store.find(task.figure->name, task.point.settings, request.context.seed)) {
      marks[i] = stored;
    }
  }
  if (several(request.ranks)) request.ranks->share(std::as_writable_bytes(std::span(marks)));
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].stored = marks[i] == stored;
    tasks[i].skipped = marks[i] == skipped;
  }
  return tasks;
}

/// Long points first, each for the rank that has least to do; alone, all of them.
void divide(std::vector<Task>& tasks, const Ranks* ranks) {
  std::vector<Task*> open;
  for (Task& task : tasks) {
    if (!task.stored && !task.skipped) open.push_back(&task);
  }
  std::ranges::stable_sort(open, std::greater(), [](const Task* task) { return task->point.seconds; });
  std::vector<double> work(ranks == nullptr ? 1 : static_cast<std::size_t>(ranks->size()));
  for (Task* task : open) {
    const auto least = std::ranges::min_element(work) - work.begin();
    work[static_cast<std::size_t>(least)] += task->point.seconds;
    task->own = ranks == nullptr || least == ranks->rank();
  }
}

/// Computes and keeps this rank's points.
void run_points(const std::vector<Task>& tasks, const ReproduceRequest& request, const Store& store, Counter& counter) {
  for (const Task& task : tasks) {
    if (!task.own && !task.stored) continue;
    counter.next(fmt::format("{} {}", task.figure->name, task.point.settings.dump()));
    throw_if_interrupted();
    if (task.own) store.keep(compute(*task.figure, task.point, request.context));
    counter.done(task.point);
  }
}

/// What all ranks have computed.
FigureOutcome load_points(const Figure& figure, const std::vector<Task>& tasks, const ReproduceRequest& request,
                          const Store& store) {
  FigureOutcome outcome;
  outcome.figure = &figure;
  outcome.missing = missing(figure, request.context);
  for (const Task& task : tasks) {
    if (task.figure != &figure || task.skipped) continue;
    const std::optional<StoredPoint> stored = store.find(figure.name, task.point.settings, request.context.seed);
    if (!stored) {
      fail_io("{} is not there, although it was computed: ranks need one directory that all of them see",
              store.path(figure.name, task.point.settings, request.context.seed));
    }
    ++outcome.points;
    if (!task.stored) ++outcome.computed;
    outcome.seconds += stored->seconds;
    if (std::ranges::find(outcome.versions, stored->version) == outcome.versions.end()) {
      outcome.versions.push_back(stored->version);
    }
    add_to(outcome.table, *stored);
  }
  return outcome;
}

/// How many points lie there now.
std::size_t kept(const std::vector<Task>& tasks, const ReproduceRequest& request, const Store& store) {
  return static_cast<std::size_t>(std::ranges::count_if(tasks, [&](const Task& task) {
    return std::filesystem::exists(store.path(task.figure->name, task.point.settings, request.context.seed));
  }));
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
  if (error) fail_system(error.value(), "cannot create {}", request.out);
  const Store store(request.out);
  std::vector<Task> tasks = list_tasks(request, store);
  divide(tasks, request.ranks);
  Counter counter(request, tasks);
  ReproduceOutcome outcome;
  try {
    run_points(tasks, request, store, counter);
    if (several(request.ranks)) request.ranks->wait_for_all();
    if (!speaks(request.ranks)) return outcome;
    for (const Figure* figure : request.figures) {
      outcome.figures.push_back(load_points(*figure, tasks, request, store));
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
    throw Error(
        ErrorKind::interrupted,
        fmt::format("stopped after {} of {} points; {} keeps them: the same command goes on",
                    kept(tasks, request, store), std::ranges::count(tasks, false, &Task::skipped), request.out));
  }
  counter.next("");
  write_text(request.out + "/report.html", to_html(request, outcome));
  return outcome;
}

}  // namespace signfold::experiment
