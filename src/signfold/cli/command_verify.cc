// signfold verify: whether files are whole and undamaged, one line for each.
#include <CLI/CLI.hpp>
#include <memory>
#include <new>

#include "signfold/cli/check_file.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/progress_line.h"

namespace signfold::cli {
namespace {
void add_failure(const std::string& path, const std::string& why, Report& report) {
  report.text += fmt::format("{}: FAILED, {}\n", path, why);
  report.json["files"].push_back({{"file", path}, {"ok", false}, {"error", why}});
}

/// Adds a line and an entry; true when the file is sound.
bool verify_one(const std::string& path, Report& report) {
  try {
    const std::string what = check_file(path, progress_line("verify " + path));
    report.text += fmt::format("{}: OK, {}\n", path, what);
    report.json["files"].push_back({{"file", path}, {"ok", true}, {"what", what}});
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    add_failure(path, error.what(), report);
  } catch (const std::bad_alloc&) {
    add_failure(path, "not enough memory", report);
  }
  return false;
}

Report verify(const std::vector<std::string>& paths) {
  Report report;
  std::size_t bad = 0;
  for (const std::string& path : paths) bad += verify_one(path, report) ? 0 : 1;
  report.json["ok"] = bad == 0;
  if (bad > 0) report.failure = fmt::format("{} of {} files {} not sound", bad, paths.size(), bad == 1 ? "is" : "are");
  return report;
}
}  // namespace

Action declare_verify(CLI::App& app, const Common& /*common*/) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  app.add_option("FILE", *paths, "Models, code files, files of vectors, checkpoints")->required()->type_name("");
  app.footer(help_footer({{"Exit code", "0 when every file is sound, 2 when one is not\n"}},
                         "signfold verify m.sfm test.sfc test.npy"));
  return [paths] { return verify(*paths); };
}

}  // namespace signfold::cli
