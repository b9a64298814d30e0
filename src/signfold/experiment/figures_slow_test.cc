// Every verdict of every figure can be false: wrong theory and wrong measurements are noticed.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <set>

#include "signfold/base/folder_for_test.h"
#include "signfold/experiment/figures.h"
#include "signfold/experiment/reproduce.h"

namespace signfold::experiment {
namespace {

using Change = std::function<void(Laws&, Table&)>;

MixedOptimum scaled(MixedOptimum best, double factor) {
  best.m *= std::min(1.0, factor);
  best.risk *= factor;
  return best;
}

/// One law off by a factor.
std::vector<Change> wrong_laws(double factor) {
  return {
      [factor](Laws& laws, Table&) { laws.linear = [f = laws.linear, factor](double r) { return factor * f(r); }; },
      [factor](Laws& laws, Table&) {
        laws.mixed = [f = laws.mixed, factor](const Prior& p, double m, double r) { return factor * f(p, m, r); };
      },
      [factor](Laws& laws, Table&) {
        laws.best_mix = [f = laws.best_mix, factor](const Prior& p, double r) { return scaled(f(p, r), factor); };
      },
      [factor](Laws& laws, Table&) {
        laws.best_pairs = [f = laws.best_pairs, factor](const Prior& p, double r) {
          PairOptimum best = f(p, r);
          best.mix = scaled(best.mix, factor);
          return best;
        };
      },
      [factor](Laws& laws, Table&) {
        laws.two_inputs = [f = laws.two_inputs, factor](const Prior& p, double m) { return factor * f(p, m); };
      },
      [factor](Laws& laws, Table&) {
        laws.layers = [f = laws.layers, factor](const PriorPtr& p, double r, int count) {
          std::vector<double> risks = f(p, r, count);
          for (double& risk : risks) risk *= factor;
          return risks;
        };
      },
      [factor](Laws& laws, Table&) {
        laws.staged = [f = laws.staged, factor](const PriorPtr& p, double r, int stages) {
          std::vector<double> risks = f(p, r, stages);
          for (double& risk : risks) risk *= factor;
          return risks;
        };
      },
      [factor](Laws& laws, Table&) {
        laws.bayes = [f = laws.bayes, factor](const PriorPtr& p, double r) { return factor * f(p, r); };
      },
  };
}

/// Settings by which measurements are made wrong together.
std::vector<Settings> groups(const Table& table) {
  const std::set<std::string> keys = {"layer", "norm", "encoder", "kind", "part", "optimizer", "p", "parts"};
  std::vector<Settings> out;
  double last_step = 0;
  const auto add = [&](const Settings& group) {
    if (std::ranges::find(out, group) == out.end()) out.push_back(group);
  };
  for (const Row& row : table.rows) {
    add({{"quantity", row.quantity}});
    for (const auto& [key, value] : row.settings.items()) {
      if (keys.contains(key)) add({{key, value}});
      if (key == "step") last_step = std::max(last_step, value.get<double>());
    }
  }
  add({{"step", last_step}});
  return out;
}

std::vector<Change> wrong_measurements(const Table& table) {
  std::vector<Change> out;
  for (const Settings& group : groups(table)) {
    for (const double factor : {0.3, 1.5, 100.0}) {
      out.emplace_back([group, factor](Laws&, Table& changed) {
        for (Row& row : changed.rows) {
          Settings all = row.settings;
          all["quantity"] = row.quantity;
          if (matches(all, group)) row.value *= factor;
        }
      });
    }
  }
  return out;
}

/// A figure with the quick points that its verdicts cannot do without.
struct Case {
  const char* figure;
  bool (*needed)(const Settings& settings);
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.figure; }

const Case* current = nullptr;  // Figure::points is a function without state

std::vector<Point> needed_points(Effort effort) {
  std::vector<Point> points = figure_named(current->figure).points(effort);
  std::erase_if(points, [](const Point& point) { return !current->needed(point.settings); });
  return points;
}

class EveryVerdict : public ::testing::TestWithParam<Case> {};

TEST_P(EveryVerdict, CanBeFalse) {
  const Case it = GetParam();
  current = &it;
  Figure figure = figure_named(it.figure);
  figure.points = needed_points;
  const TemporaryFolder folder;
  ReproduceRequest request;
  request.figures = {&figure};
  request.out = folder.path();
  request.context.data = SIGNFOLD_SOURCE_DIR "/../shared/data";
  // Only drawn, and slow.
  request.laws.shannon = [](const PriorPtr&, double) { return 0.01; };
  if (figure.missing != nullptr && !figure.missing(request.context).empty()) GTEST_SKIP() << "no data";
  const FigureOutcome truth = std::move(reproduce(request).figures[0]);
  const Laws& laws = request.laws;

  const auto verdicts_after = [&](const Change& change) {
    Laws wrong = laws;
    FigureOutcome outcome;
    outcome.figure = truth.figure;
    outcome.table = truth.table;
    change(wrong, outcome.table);
    interpret(outcome, wrong);
    return outcome.findings.verdicts;
  };
  const auto now_differs = [&](const std::vector<Verdict>& verdicts, std::size_t i) {
    return truth.findings.verdicts[i].agrees && !verdicts[i].agrees;
  };
  std::vector<bool> noticed(truth.findings.verdicts.size());
  for (std::size_t i = 0; i < noticed.size(); ++i) noticed[i] = !truth.findings.verdicts[i].agrees;

  bool theory_noticed = false;
  std::vector<Change> changes = wrong_laws(1.2);
  std::ranges::copy(wrong_laws(0.8), std::back_inserter(changes));
  for (const Change& change : changes) {
    const auto verdicts = verdicts_after(change);
    for (std::size_t i = 0; i < noticed.size(); ++i) {
      if (!now_differs(verdicts, i)) continue;
      noticed[i] = true;
      theory_noticed = true;
    }
  }
  EXPECT_TRUE(theory_noticed) << "no verdict depends on theory";
  for (const Change& change : wrong_measurements(truth.table)) {
    if (std::ranges::all_of(noticed, [](bool b) { return b; })) break;
    const auto verdicts = verdicts_after(change);
    for (std::size_t i = 0; i < noticed.size(); ++i) noticed[i] = noticed[i] || now_differs(verdicts, i);
  }
  for (std::size_t i = 0; i < noticed.size(); ++i) {
    EXPECT_TRUE(noticed[i]) << "always true: " << truth.findings.verdicts[i].claim;
  }
}

bool all(const Settings& /*settings*/) { return true; }
bool is(const Settings& settings, const Settings& filter) { return matches(settings, filter); }

// mnist is left out: it takes a minute.
INSTANTIATE_TEST_SUITE_P(
    Figures, EveryVerdict,
    ::testing::Values(
        Case{"gaussian-value",
             [](const Settings& s) {
               return s.at("dim") == 50 || s.at("rate") == 0.5 || is(s, {{"p", 0.1}, {"rate", 1.0}}) ||
                      is(s, {{"p", 1.0}, {"rate", 1.0}});
             }},
        Case{"phase-transition", [](const Settings& s) { return s.at("p") == 0.7 || s.at("p") == 0.3; }},
        Case{"denoiser",
             [](const Settings& s) {
               return !s.contains("kind") || is(s, {{"prior", "sparse-gaussian"}, {"p", 0.4}});
             }},
        Case{"depth", all},
        Case{"cifar",
             [](const Settings& s) {
               return s.at("rate") == 1.0 && (s.at("keep") == 0.3 || is(s, {{"keep", 0.1}, {"kind", "rotation"}}));
             }},
        Case{"beyond", all}, Case{"staged", all}),
    [](const auto& of_case) {
      std::string name = of_case.param.figure;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace signfold::experiment
