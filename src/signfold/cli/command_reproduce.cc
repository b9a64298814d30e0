// signfold reproduce: the experiments of the paper, as tables, plots and a report with verdicts.
#include <CLI/CLI.hpp>
#include <memory>

#include "signfold/base/error.h"
#include "signfold/base/suggest.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/options.h"
#include "signfold/cli/progress_line.h"
#include "signfold/cli/text.h"
#include "signfold/experiment/reproduce.h"

namespace signfold::cli {
namespace {
using experiment::Effort;
using experiment::Figure;
using experiment::FigureOutcome;
using experiment::ReproduceOutcome;
using experiment::ReproduceRequest;
using experiment::Verdict;

struct Options {
  std::vector<std::string> figures;
  std::string out;
  std::string data = "../shared/data";
  std::uint64_t seed = 1;
  bool quick = false;
  bool full = false;
};

std::string figures_help() {
  std::string help;
  for (const Figure& figure : experiment::figures()) help += fmt::format("{:<18} {}\n", figure.name, figure.title);
  return help;
}

std::vector<const Figure*> chosen(const std::vector<std::string>& names) {
  std::vector<const Figure*> out;
  for (const std::string& name : names) {
    check_spelling("figure", name, figures_help());
    out.push_back(&experiment::figure_named(name));
  }
  if (!names.empty()) return out;
  for (const Figure& figure : experiment::figures()) out.push_back(&figure);
  return out;
}

/// "reproduce 40 of 110 (36 %), depth, 55 s left": in seconds by the estimates of the points.
std::function<void(const experiment::RunStep&)> progress_of_run() {
  const NotedProgress line = noted_progress_line("reproduce: second");
  if (!line) return {};
  return [line](const experiment::RunStep& step) {
    line(static_cast<std::size_t>(step.seconds_done), static_cast<std::size_t>(step.seconds),
         fmt::format("point {} of {}, {}", std::min(step.done + 1, step.points), step.points,
                     step.what.substr(0, step.what.find(' '))));
  };
}

nlohmann::ordered_json figure_json(const FigureOutcome& figure, const std::string& out) {
  nlohmann::ordered_json json = {{"name", figure.figure->name}};
  if (!figure.missing.empty()) {
    json["skipped"] = figure.missing;
    return json;
  }
  json.update({{"points", figure.points},
               {"computed", figure.computed},
               {"seconds", figure.seconds},
               {"csv", fmt::format("{}/{}.csv", out, figure.figure->name)}});
  if (figure.drawing) {
    json["svg"] = fmt::format("{}/{}.svg", out, figure.figure->name);
    json["png"] = fmt::format("{}/{}.png", out, figure.figure->name);
  }
  json["verdicts"] = nlohmann::ordered_json::array();
  for (const Verdict& verdict : figure.findings.verdicts) {
    json["verdicts"].push_back({{"claim", verdict.claim},
                                {"source", verdict.source},
                                {"measured", verdict.measured},
                                {"claimed", verdict.claimed},
                                {"agrees", verdict.agrees},
                                {"reason", verdict.reason}});
  }
  return json;
}

std::string figure_text(const FigureOutcome& figure) {
  if (!figure.missing.empty()) return fmt::format("{}: skipped, {}\n", figure.figure->name, figure.missing);
  std::string text =
      fmt::format("{}: {} points, {} computed now\n", figure.figure->name, figure.points, figure.computed);
  for (const Verdict& verdict : figure.findings.verdicts) {
    text += fmt::format("  {}  {}\n           measured {}, claimed {}; {}\n", verdict.agrees ? "agrees " : "DIFFERS",
                        verdict.claim, verdict.measured, verdict.claimed, verdict.reason);
  }
  return text;
}

Report run_reproduce(const Options& options, const Common& common) {
  ReproduceRequest request;
  request.figures = chosen(options.figures);
  request.effort = options.full ? Effort::full : Effort::quick;
  request.context = {options.seed, common.threads, options.data};
  request.out = options.out;
  request.ranks = common.ranks;
  if (speaks(common.ranks)) request.progress = progress_of_run();
  const ReproduceOutcome outcome = experiment::reproduce(request);
  Report report;
  report.json = {{"effort", options.full ? "full" : "quick"},
                 {"seed", options.seed},
                 {"report", options.out + "/report.html"},
                 {"figures", nlohmann::ordered_json::array()}};
  for (const FigureOutcome& figure : outcome.figures) {
    report.json["figures"].push_back(figure_json(figure, options.out));
    report.text += figure_text(figure) + "\n";
  }
  if (!outcome.gnuplot) report.text += "No plots: gnuplot is not installed (Debian: gnuplot-nox).\n";
  report.text += fmt::format("{}/report.html\n", options.out);
  return report;
}
}  // namespace

Action declare_reproduce(CLI::App& app, const Common& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("figures", options->figures, "Figures to make (default: all)")->type_name("FIGURE");
  app.add_option("--out", options->out, "Directory for tables, plots, report.html and the points to resume from")
      ->required()
      ->type_name("DIR");
  CLI::Option* quick =
      app.add_flag("--quick", options->quick, "Fewer and smaller points: under 3 minutes on 2 cores (default)");
  app.add_flag("--full", options->full, "Under 60 minutes on 2 cores")->excludes(quick);
  app.add_option("--data", options->data, "Directory of the data sets of real images")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--seed", options->seed, "Seed of encoders and vectors")
      ->type_name("S")
      ->check(at_least(0))
      ->capture_default_str();
  app.footer(
      help_footer({{"Figures", figures_help()},
                   {"Resuming",
                    "finished points stay in DIR/points and are never run twice: after an interrupt, or a kill,\n"
                    "the same command goes on where it stopped.\n"},
                   {"Several processes",
                    "mpirun -np N signfold reproduce ... divides the points among N ranks, which need to see one DIR:\n"
                    "docs/mpi.md.\n"},
                   {"Exit code",
                    "0 when the report was written. A claim that differs is reported, it is no error; a figure\n"
                    "whose data set is not there is skipped, with where to get it. A file that is not what its\n"
                    "name says is an error: 2.\n"}},
                  "signfold reproduce phase-transition depth --quick --out results"));
  return [options, &common] { return run_reproduce(*options, common); };
}

}  // namespace signfold::cli
